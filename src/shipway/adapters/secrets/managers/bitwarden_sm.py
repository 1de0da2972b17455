"""Bitwarden Secrets Manager, by `bws` 0.3 or later, which reads its token from BWS_ACCESS_TOKEN.

Arguments: https://bitwarden.com/help/secrets-manager-cli/ (`project list`, `secret list [PROJECT_ID]`, `secret get ID`;
JSON is the default output).
"""

from __future__ import annotations

from shipway.adapters.secrets.managers.base import Manager, Wanted, failed, objects, parse_json
from shipway.adapters.secrets.programs import Programs


class BitwardenSecretsManager:
    """Names are ids of secrets, or one `all` or `<project id>/all`; `--from` is put in front."""

    title = "Bitwarden Secrets Manager"
    program = "bws"
    needs_account = False

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return values by the keys of their secrets."""
        if not wanted.names:
            raise failed(
                "You must specify what to retrieve from Bitwarden Secrets Manager",
                next="name ids of secrets, `all`, or `<project id>/all`",
            )
        signed_in = programs.run(("bws", "project", "list"))
        if not signed_in.ok:
            raise failed(
                "Could not authenticate to Bitwarden Secrets Manager. Did you set a valid access token?",
                signed_in,
                next="export BWS_ACCESS_TOKEN=…",
            )
        values: dict[str, str] = {}
        for what, argv in _commands(wanted.paths()):
            ran = programs.run(("bws", "secret", *argv))
            if not ran.ok:
                raise failed(what, ran)
            for item in objects(parse_json(ran.stdout, what)):
                values[str(item.get("key"))] = str(item.get("value") or "")
        return values


def _commands(paths: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Return for each call what to say when it fails, and its arguments after `bws secret`."""
    everything = "Could not read secrets from Bitwarden Secrets Manager"
    match paths:
        case ("all",):
            return [(everything, ("list",))]
        case (path,) if path.endswith("/all"):
            return [(everything, ("list", path.removesuffix("/all")))]
        case _:
            return [(f"Could not read {path} from Bitwarden Secrets Manager", ("get", path)) for path in paths]


_: type[Manager] = BitwardenSecretsManager
