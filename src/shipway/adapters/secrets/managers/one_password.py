"""1Password, by `op` 2.

Arguments: https://developer.1password.com/docs/cli/reference/management-commands/item (`item get`, `--fields label=…`,
`--format json`), https://developer.1password.com/docs/cli/reference/commands/signin and
https://developer.1password.com/docs/cli/environment-variables. `op signin` prints `export OP_SESSION_…="token"` where
the desktop app is not used; the token goes on in the environment, not in `--session`.
"""

from __future__ import annotations

import re

from shipway.adapters.secrets.managers.base import Manager, Wanted, failed, grouped, objects, parse_json
from shipway.adapters.secrets.programs import Programs

_SESSION = re.compile(r"export (OP_SESSION\w*)=\"?([^\"\s]+)")


class OnePassword:
    """Names are `field` or `section/field` below `--from [op://]vault/item`; no names means all fields."""

    title = "1Password"
    program = "op"
    needs_account = True

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return values by `vault/item/field`; `/password` at the end is left out."""
        # A service account has exactly one account, and `op` refuses the option beside its token.
        has_token = "OP_SERVICE_ACCOUNT_TOKEN" in programs.environ
        account = () if has_token else ("--account", wanted.account)
        session = {} if has_token else self._sign_in(wanted.account, programs)
        values: dict[str, str] = {}
        for (vault, item), fields in _items(wanted).items():
            labels = ",".join(f"label={field}" for field in fields)
            options = ("--vault", vault, "--format", "json", *account, *(("--fields", labels) if labels else ()))
            ran = programs.run(("op", "item", "get", item, *options), session)
            what = (
                f"Could not read {', '.join(fields) + ' ' if fields else ''}from {item} in the {vault} 1Password vault"
            )
            if not ran.ok:
                raise failed(what, ran)
            answer = parse_json(ran.stdout, what)
            values |= _values(answer.get("fields") if not fields and isinstance(answer, dict) else answer)
        return values

    def _sign_in(self, account: str, programs: Programs) -> dict[str, str]:
        if programs.run(("op", "account", "get", "--account", account)).ok:
            return {}
        ran = programs.run(("op", "signin", "--account", account, "--force"), errors="left")
        if not ran.ok:
            raise failed("Failed to login to 1Password", ran, next=f"op signin --account {account}")
        return dict(_SESSION.findall(ran.stdout.decode("utf-8", "replace")))


def _items(wanted: Wanted) -> dict[tuple[str, str], list[str]]:
    """Return the fields asked for by vault and item: `section.field`, `password` where none is named."""
    if not wanted.names:
        return {_vault_item(wanted.source): []}
    pairs = []
    for path in wanted.paths():
        fields = path.removeprefix("op://").split("/")[2:]
        pairs.append(("/".join(_vault_item(path)), ".".join(fields) or "password"))
    return {_vault_item(key): fields for key, fields in grouped(pairs).items()}


def _vault_item(path: str) -> tuple[str, str]:
    vault, _, rest = path.removeprefix("op://").partition("/")
    item = rest.partition("/")[0]
    if not vault or not item:
        raise failed(f"No vault and item in `{path}`", next="give them as `--from vault/item`")
    return vault, item


def _values(fields: object) -> dict[str, str]:
    return {
        field["reference"].removeprefix("op://").removesuffix("/password"): field["value"]
        for field in objects(fields)
        if isinstance(field.get("reference"), str) and isinstance(field.get("value"), str)
    }


_: type[Manager] = OnePassword
