"""Google Cloud Secret Manager, by `gcloud`.

Arguments: https://cloud.google.com/sdk/gcloud/reference/secrets/versions/access, which says that the payload of
`--format` is base64 in its URL-safe alphabet; `--project`, `--account` and `--impersonate-service-account` (a comma
list is a delegation chain) are gcloud's own: https://cloud.google.com/sdk/gcloud/reference.
"""

from __future__ import annotations

import base64
import binascii

from shipway.adapters.secrets.managers.base import Manager, Wanted, failed, parse_json, require_names
from shipway.adapters.secrets.programs import Programs


class GcpSecretManager:
    """Names are `[project/]name[/version]`; `--account` is `default` or an e-mail, then `|sa1,sa2` to impersonate."""

    title = "gcloud"
    program = "gcloud"
    needs_account = True

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return values by `project/name`; the project is `default` where none is named."""
        require_names(wanted)
        self._sign_in(programs)
        user, _, service_account = wanted.account.partition("|")
        who = (
            *(() if user == "default" else (f"--account={user}",)),
            *((f"--impersonate-service-account={service_account}",) if service_account else ()),
        )
        values: dict[str, str] = {}
        for path in wanted.paths():
            project, name, version = _place(path)
            options = (*(() if project == "default" else (f"--project={project}",)), *who, "--format=json")
            ran = programs.run(("gcloud", "secrets", "versions", "access", version, f"--secret={name}", *options))
            what = f"Could not read {project}/{name} from Google Secret Manager"
            if not ran.ok:
                raise failed(what, ran)
            values[f"{project}/{name}"] = _payload(parse_json(ran.stdout, what), what)
        return values

    def _sign_in(self, programs: Programs) -> None:
        if self._is_signed_in(programs):
            return
        ran = programs.run(("gcloud", "auth", "login"), errors="left")
        if not self._is_signed_in(programs):
            raise failed("could not login to gcloud", ran, next="gcloud auth login")

    def _is_signed_in(self, programs: Programs) -> bool:
        return bool(parse_json(programs.run(("gcloud", "auth", "list", "--format=json")).stdout or b"[]", "gcloud"))


def _place(path: str) -> tuple[str, str, str]:
    parts = path.split("/")
    if len(parts) == 1:
        parts.insert(0, "default")
    return parts[0], parts[1], parts[2] if len(parts) > len(("project", "name")) else "latest"


def _payload(answer: object, what: str) -> str:
    payload = answer.get("payload") if isinstance(answer, dict) else None
    data = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(data, str):
        raise failed(f"{what}: the answer had no payload")
    try:
        padded = data.rstrip("=") + "=" * (-len(data.rstrip("=")) % 4)
        return base64.b64decode(padded.translate(str.maketrans("-_", "+/")), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise failed(f"{what}: it is no text") from None


_: type[Manager] = GcpSecretManager
