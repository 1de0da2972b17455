"""Enpass, offline, by `enpass-cli` (also installed as `enpasscli`).

Arguments: https://github.com/hazcod/enpass-cli (`-json`, `-vault=PATH`, `show FILTER…`). A filter may match more items
than were asked for; only those are taken. The vault's password is asked on the terminal or comes from its environment.
"""

from __future__ import annotations

from shipway.adapters.secrets.managers.base import Manager, Wanted, failed, objects, parse_json, require_names
from shipway.adapters.secrets.programs import Programs


class Enpass:
    """Names are `Item` or `Item/Label` of the vault at the path `--from`."""

    title = "Enpass"
    program = "enpass-cli"
    needs_account = False

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return values by `Item/Label`, or `Item` for one without a label."""
        require_names(wanted)
        if not wanted.source:
            raise failed("Missing the vault's path from '--from=path' option", next="give `--from /path/to/vault`")
        titles = dict.fromkeys(name.rpartition("/")[0] or name for name in wanted.names)
        ran = programs.run(("enpass-cli", "-json", "-vault", wanted.source, "show", *titles), errors="left")
        what = f"Could not read {', '.join(titles)} from Enpass"
        if not ran.ok:
            raise failed(what, ran)
        values: dict[str, str] = {}
        for item in objects(parse_json(ran.stdout, what)):
            title, password = str(item.get("title") or ""), item.get("password")
            key = "/".join(part for part in (title, str(item.get("label") or "")) if part)
            if not title or not isinstance(password, str) or not password or not {title, key} & set(wanted.names):
                continue
            if key in values:
                raise failed(f"{key} is present more than once")
            values[key] = password
        return values


_: type[Manager] = Enpass
