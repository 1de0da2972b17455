"""`hooks_path`, `hooks_output`: programs of the user that run around a deploy."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from shipway.config.keys import MapOf, OneOf
from shipway.config.kinds import Kind, Text
from shipway.config.report import Report
from shipway.core.errors import Finding

HookOutput = Literal["quiet", "verbose"]
LEVELS = ("quiet", "verbose")
DEFAULT_PATH = ".kamal/hooks"

_LEVEL = Text(words="a string or a symbol")
HOOKS_OUTPUT: Kind = OneOf((MapOf(_LEVEL), _LEVEL), said="a string or a symbol")


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where hooks stand, and how much of their output is shown: for all of them, or for each by name."""

    path: str = DEFAULT_PATH
    output: HookOutput | None = None
    outputs: Mapping[str, HookOutput] | None = None

    def output_of(self, hook: str) -> HookOutput | None:
        """Return how the output of `hook` is shown; None follows the command line."""
        return self.output or (self.outputs or {}).get(hook)


def resolve_hooks(path: str | None, output: str | Mapping[str, str] | None, report: Report) -> Hooks:
    """Return the hooks; a level that does not exist is reported."""
    levels = output if isinstance(output, Mapping) else {"": output} if output is not None else {}
    good: dict[str, HookOutput] = {}
    for hook, level in levels.items():
        if level in LEVELS:
            good[hook] = cast("HookOutput", level)
            continue
        about = f" for hook '{hook}'" if hook else ""
        what = f"Invalid hooks_output '{level}'{about}, must be one of: {', '.join(LEVELS)}"
        report.state("value", ("hooks_output", *filter(None, (hook,))), what, next="write quiet or verbose")
    if isinstance(output, Mapping):
        return Hooks(path or DEFAULT_PATH, outputs=good)
    return Hooks(path or DEFAULT_PATH, output=good.get(""))


def check_hook_files(names: Collection[str], hooks_path: str) -> tuple[Finding, ...]:
    """Return a finding where `names`, the files in the hooks directory, have hooks of Kamal 1 that never run."""
    old = [name for name in ("pre-traefik-reboot", "post-traefik-reboot") if name in names]
    if not old:
        return ()
    what = f"Found {', '.join(old)}, these should be renamed to (pre|post)-proxy-reboot"
    next_ = "; ".join(f"mv {hooks_path}/{name} {hooks_path}/{name.replace('traefik', 'proxy')}" for name in old)
    return (Finding("config.value", what, where=hooks_path, next=next_),)
