"""Passbolt, by `passbolt` (go-passbolt-cli).

Arguments: https://github.com/passbolt/go-passbolt-cli/wiki/passbolt_list_resource and …/passbolt_list (`verify`,
`list folders`, `list resources`, `--filter` with an expression in CEL, `--column`, `--json`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shipway.adapters.secrets.managers.base import Manager, Wanted, failed, objects, parse_json, require_names
from shipway.adapters.secrets.programs import Programs

Path = tuple[str, ...]


class Passbolt:
    """Names are `folder/…/resource`; `--from` is put in front."""

    title = "Passbolt"
    program = "passbolt"
    needs_account = False

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return passwords by bare name."""
        verified = programs.run(("passbolt", "verify"))
        if not verified.ok:
            raise failed("Failed to login to Passbolt", verified, next="passbolt verify")
        require_names(wanted)
        paths: list[Path] = [tuple(path.split("/")) for path in wanted.paths()]
        ids = self._folder_ids([path[:-1] for path in paths if len(path) > 1], programs)
        what = f"Could not read {', '.join(wanted.paths())} from Passbolt"
        argv = ("list", "resources", "--filter", " || ".join(_condition(path, ids) for path in paths))
        items = self._ask((*argv, "--column", "name", "--column", "password"), what, programs)
        values: dict[str, str] = {}
        for item in items:
            name = str(item.get("name"))
            if name in values:
                raise failed(f"{name} is present more than once in Passbolt", next="fetch the folders one at a time")
            values[name] = str(item.get("password") or "")
        if missing := [path[-1] for path in paths if path[-1] not in values]:
            raise failed(f"Could not find the following secrets in Passbolt: {', '.join(missing)}")
        return values

    def _folder_ids(self, paths: Sequence[Path], programs: Programs) -> dict[Path, str]:
        """Return the id of each folder of `paths` and above, asked from the top down."""
        ids: dict[Path, str] = {}
        for path in paths:
            for depth in range(1, len(path) + 1):
                part = path[:depth]
                ids[part] = ids.get(part) or self._folder_id(part, ids.get(part[:-1], ""), programs)
        if missing := ["/".join(path) for path in paths if not ids[path]]:
            raise failed(f"Could not find the following folders in Passbolt: {', '.join(dict.fromkeys(missing))}")
        return ids

    def _folder_id(self, path: Path, parent: str, programs: Programs) -> str:
        if len(path) > 1 and not parent:
            return ""
        wanted = f"Name == {_text(path[-1])}" + (f" && FolderParentID == {_text(parent)}" if parent else "")
        found = self._ask(("list", "folders", "--filter", wanted), "Could not read folders from Passbolt", programs)
        # A name without a parent may also match a folder deeper down: the one at the top comes first.
        found = tuple(sorted(found, key=lambda folder: bool(folder.get("folder_parent_id")) and not parent))
        return str(found[0].get("id") or "") if found else ""

    def _ask(self, argv: Sequence[str], what: str, programs: Programs) -> tuple[Mapping[str, Any], ...]:
        ran = programs.run(("passbolt", *argv, "--json"))
        if not ran.ok:
            raise failed(what, ran)
        return objects(parse_json(ran.stdout.strip() or b"[]", what) or [])


def _condition(path: Path, ids: Mapping[Path, str]) -> str:
    if len(path) == 1:
        return f"Name == {_text(path[0])}"
    return f"(Name == {_text(path[-1])} && FolderParentID == {_text(ids[path[:-1]])})"


def _text(value: str) -> str:
    """Return `value` as a string of CEL, whose escapes include those of JSON."""
    return json.dumps(value, ensure_ascii=False)


_: type[Manager] = Passbolt
