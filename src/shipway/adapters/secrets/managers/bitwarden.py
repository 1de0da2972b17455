"""Bitwarden's password manager, by `bw`.

Arguments: https://bitwarden.com/help/cli/ (`status`, `login`, `unlock --raw`, `sync`, `get item`). The session key
goes on in BW_SESSION, which that page offers beside `--session`; an argument could be read by other users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipway.adapters.secrets.managers.base import (
    Manager,
    Wanted,
    failed,
    grouped,
    objects,
    parse_json,
    require_names,
)
from shipway.adapters.secrets.programs import Programs


class Bitwarden:
    """Names are `item` or `item/field`; `--from` is put in front."""

    title = "Bitwarden"
    program = "bw"
    needs_account = True

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return passwords by `item`, fields by `item/field`; an item without password and field gives all fields."""
        require_names(wanted)
        session = self._unlock(wanted.account, programs)
        values: dict[str, str] = {}
        split = ([*path.split("/"), ""][:2] for path in wanted.paths())
        for item, fields in grouped((name, field) for name, field in split).items():
            ran = programs.run(("bw", "get", "item", item), session)
            what = f"Could not read {item} from Bitwarden"
            if not ran.ok:
                raise failed(what, ran)
            found = objects(parse_json(ran.stdout, what))
            values |= _values(item, fields, found[0] if found else {})
        return values

    def _unlock(self, account: str, programs: Programs) -> dict[str, str]:
        session: dict[str, str] = {}
        status = self._status(programs, session)
        if status == "unauthenticated":
            programs.run(("bw", "login", account), errors="left")
            status = self._status(programs, session)
        if status == "locked":
            key = programs.run(("bw", "unlock", "--raw"), errors="left").stdout.decode("utf-8", "replace").strip()
            session = {"BW_SESSION": key} if key else {}
            status = self._status(programs, session)
        if status != "unlocked":
            raise failed("Failed to login to and unlock Bitwarden", next='export BW_SESSION="$(bw unlock --raw)"')
        synced = programs.run(("bw", "sync"), session)
        if not synced.ok:
            raise failed("Failed to sync Bitwarden", synced, next="bw sync")
        return session

    def _status(self, programs: Programs, session: Mapping[str, str]) -> str:
        ran = programs.run(("bw", "status"), session)
        answer = parse_json(ran.stdout, "Failed to login to and unlock Bitwarden")
        return str(answer.get("status", "")) if isinstance(answer, dict) else ""


def _values(item: str, fields: Sequence[str], body: Mapping[str, Any]) -> dict[str, str]:
    login = body.get("login")
    password = login.get("password") if isinstance(login, dict) else None
    held = {field.get("name"): field.get("value") for field in objects(body.get("fields"))}
    values: dict[str, str] = {}
    for field in fields:
        if field:
            values |= _field(item, field, held)
        elif isinstance(password, str):
            values[item] = password
        elif held:
            for name in held:
                values |= _field(item, str(name), held)
        else:
            raise failed(f"Item {item} is not a login type item and no fields were specified")
    return values


def _field(item: str, name: str, held: Mapping[Any, Any]) -> dict[str, str]:
    if name not in held:
        raise failed(f"Could not find field {name} in item {item} in Bitwarden", next=f"bw get item {item}")
    return {f"{item}/{name}": str(held[name] or "")}


_: type[Manager] = Bitwarden
