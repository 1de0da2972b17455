"""`hooks_path`, `hooks_output`, `hooks`: programs of the user that run around a deploy."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from shipway.config.keys import ListOf, MapOf, OneOf, key
from shipway.config.kinds import Boolean, Integer, Kind, Text
from shipway.config.report import Report
from shipway.core.errors import Finding

HookOutput = Literal["quiet", "verbose"]
LEVELS = ("quiet", "verbose")
DEFAULT_PATH = ".kamal/hooks"
LIMIT_S = 900
"""A hook may run a test suite or wait for a pipeline; one that hangs must not hold the lock for ever."""

_LEVEL = Text(words="a string or a symbol")
HOOKS_OUTPUT: Kind = OneOf((MapOf(_LEVEL), _LEVEL), said="a string or a symbol")


@dataclass(frozen=True, slots=True, kw_only=True)
class HooksSection:
    """What hooks get."""

    secrets: bool | tuple[str, ...] | None = key(
        OneOf((Boolean(), ListOf(Text()))),
        "The secrets in the environment of hooks: `true` for all of them, or a list of names. Kamal gives all of them "
        "to pre-connect, pre-deploy and post-deploy; here a hook sees a secret only if this key says so.",
        default="none",
    )
    timeout: int | None = key(
        Integer(least=1, unit="s"),
        "Seconds that a hook may take before it is ended and counts as failed.",
        default="900",
    )


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where hooks stand, what they get, and how much of their output is shown: of all of them, or of each by name.

    `secrets` are the names that hooks see; with `gives_all` they see every secret of the project.
    """

    path: str = DEFAULT_PATH
    output: HookOutput | None = None
    outputs: Mapping[str, HookOutput] | None = None
    secrets: tuple[str, ...] = ()
    gives_all: bool = False
    limit_s: float = LIMIT_S

    def output_of(self, hook: str) -> HookOutput | None:
        """Return how the output of `hook` is shown; None follows the command line."""
        return self.output or (self.outputs or {}).get(hook)


def resolve_hooks(
    path: str | None, output: str | Mapping[str, str] | None, section: HooksSection, report: Report
) -> Hooks:
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
    return Hooks(
        path or DEFAULT_PATH,
        output=None if isinstance(output, Mapping) else good.get(""),
        outputs=good if isinstance(output, Mapping) else None,
        secrets=section.secrets if isinstance(section.secrets, tuple) else (),
        gives_all=section.secrets is True,
        limit_s=float(section.timeout or LIMIT_S),
    )


def check_hook_files(names: Collection[str], hooks_path: str) -> tuple[Finding, ...]:
    """Return a finding where `names`, the files in the hooks directory, have hooks of Kamal 1 that never run."""
    old = [name for name in ("pre-traefik-reboot", "post-traefik-reboot") if name in names]
    if not old:
        return ()
    what = f"Found {', '.join(old)}, these should be renamed to (pre|post)-proxy-reboot"
    next_ = "; ".join(f"mv {hooks_path}/{name} {hooks_path}/{name.replace('traefik', 'proxy')}" for name in old)
    return (Finding("config.value", what, where=hooks_path, next=next_),)
