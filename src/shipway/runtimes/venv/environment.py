"""The environment of a unit's processes, as a file that the launcher reads; and the unit's own file beside it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from shipway.core.secret import SecretRef, Text
from shipway.core.unit import Unit
from shipway.runtimes.venv.settings import VenvSettings

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OURS = re.compile(r"SHIPWAY_|_shipway_")


def env_file(unit: Unit, settings: VenvSettings, venv: str, socket: str) -> Text:
    """Return the environment of `unit` as assignments in POSIX shell, one a line; secrets are references.

    Defaults come first, then what the user set, then what is always ours. A web unit is told where to listen by
    `SHIPWAY_SOCKET` (a path), `SHIPWAY_BIND` (`unix:` and the path) and `GUNICORN_CMD_ARGS`; there is no `PORT`.
    Raises ValueError for a name that no environment can have, that is Shipway's own, or for a NUL in a value.
    """
    ours = {
        "SHIPWAY_SERVICE": unit.service,
        "SHIPWAY_ROLE": unit.role,
        "SHIPWAY_RELEASE": unit.release,
        "SHIPWAY_VERSION": unit.version,
        "VIRTUAL_ENV": venv,
    }
    defaults = {"PYTHONUNBUFFERED": "1"}
    if settings.settings_module:
        defaults["DJANGO_SETTINGS_MODULE"] = settings.settings_module
    if socket:
        ours |= {"SHIPWAY_SOCKET": socket, "SHIPWAY_BIND": f"unix:{socket}"}
    parts: list[str | SecretRef] = [f"{name}={shlex.quote(value)}\n" for name, value in defaults.items()]
    for name, value in unit.env:
        _refuse_name(name)
        parts += [f"{name}=", *_words(name, value), "\n"]
    parts += [f"{name}={shlex.quote(value)}\n" for name, value in ours.items()]
    if socket:
        bind = shlex.quote(shlex.join(("--bind", f"unix:{socket}")))
        parts.append(f'GUNICORN_CMD_ARGS="${{GUNICORN_CMD_ARGS-}} "{bind}\n')
    parts.append(f'PATH={shlex.quote(venv + "/bin")}:"$PATH"\n')
    return tuple(parts)


def unit_file(values: Mapping[str, str]) -> Text:
    """Return the values that the launcher needs for one unit as shell assignments; `_shipway_` is put before each."""
    return ("".join(f"_shipway_{name}={shlex.quote(value)}\n" for name, value in values.items()),)


def _refuse_name(name: str) -> None:
    if not _NAME.match(name):
        raise ValueError(f"`{name}` cannot be the name of an environment variable")
    if _OURS.match(name):
        raise ValueError(f"`{name}` is set by Shipway itself: choose a name that does not begin with SHIPWAY_")


def _words(name: str, value: Text) -> list[str | SecretRef]:
    """Return `value` as one shell word: quoted pieces standing together."""
    words: list[str | SecretRef] = []
    for part in value:
        if isinstance(part, SecretRef):
            words.append(SecretRef(part.name, "shell"))
        elif "\0" in part:
            raise ValueError(f"the value of `{name}` holds a NUL")
        else:
            words.append(shlex.quote(part))
    return words
