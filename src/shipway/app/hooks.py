"""Hooks: what they are told in their environment, and what it means when one fails. They run on this machine."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipway.adapters.hook import HookEnd, HookRun, run_hook
from shipway.adapters.redact import Redactor
from shipway.app.call import Caller
from shipway.app.service import NeededSecrets
from shipway.config.hooks import Hooks as Settings
from shipway.config.version import short_version
from shipway.core.errors import Refused
from shipway.core.events import Event, EventKind
from shipway.engine.journal import last_words
from shipway.engine.world import StopRequest

KAMAL_NAMES = frozenset(
    {"RECORDED_AT", "PERFORMER", "DESTINATION", "VERSION", "SERVICE", "SERVICE_VERSION", "HOSTS", "ROLES", "LOCK"}
    | {"COMMAND", "SUBCOMMAND", "RUNTIME"}
)
"""What Kamal 2.12 tells hooks, each with `KAMAL_` before it; here also with `SHIPWAY_`."""
OUR_NAMES = frozenset({"RUN", "RELEASE", "BASE", "OUTCOME", "SERVES", "ERROR", "MESSAGE_FILE", "HOOK"})
_ONCE = frozenset({"pre-connect"})
"""Hooks that run once, however often a verb connects (`setup` does so three times)."""
_ESSENTIAL = frozenset({"PATH", "HOME", "PWD", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TMPDIR", "SSH_AUTH_SOCK"})
_EQUAL_CHARS, _WITHIN_CHARS = 4, 8
"""From these lengths on a variable that is, or holds, the value of a secret is one; shorter ones are words."""

Facts = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of one call of `shipway`. `facts` gives what every hook is told; it is asked only when one runs.

    Without a `folder` (skipped, or nothing is configured) there are none.
    """

    folder: Path | None = None
    directory: str = "."
    settings: Settings = field(default_factory=Settings)
    secrets: NeededSecrets | None = None
    redactor: Redactor = field(default_factory=lambda: Redactor({}))
    caller: Caller = field(default_factory=Caller)
    facts: Facts = dict
    environ: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether there is a hook of that name; one that is running further out does not run within itself."""
        is_over = name in _ONCE and name in self.caller.hooks_run
        return self.folder is not None and not is_over and name not in self._outer() and (self.folder / name).is_file()

    async def run(self, name: str, told: Mapping[str, str] | None = None, stop: StopRequest | None = None) -> bool:
        """Run the hook `name`, if there is one, with what it is `told` besides; return whether it ran.

        Raises Refused `hook.failed` when it fails, and nothing when `stop` ended it.
        """
        if self.folder is None or not self.has(name):
            return False
        path = self.folder / name
        if not os.access(path, os.X_OK):
            raise _failed(name, path, "it is not executable", next_=f"chmod +x {shlex.quote(str(path))}")
        self.caller.hooks_run.add(name)
        begun_s = time.monotonic()
        self._tell("hook.begin", name)
        hook = HookRun(str(path), self.directory, self.env(name, told or {}), self.settings.limit_s)
        is_shown = self._is_shown(name)
        end = await run_hook(
            hook,
            self.redactor,
            lambda line: self._tell("hook.output", name, line) if is_shown else None,
            lambda: stop is not None and stop.is_set,
        )
        self._tell("hook.done" if end.ok else "hook.failed", name, took_s=time.monotonic() - begun_s)
        if not end.ok and not (stop is not None and stop.is_set):
            raise _failed(name, path, _why(end), said="" if is_shown else end.said, next_=self._hint(path))
        return True

    def env(self, name: str, told: Mapping[str, str]) -> dict[str, str]:
        """Return the whole environment of a hook: ours without secret values, what it is told, what it may see."""
        facts = {**self.facts(), **told}
        facts["SERVICE_VERSION"] = f"{facts.get('SERVICE', '')}@{short_version(facts.get('VERSION', ''))}"
        known = {f"{tool}_{key}" for tool in ("KAMAL", "SHIPWAY") for key in KAMAL_NAMES | OUR_NAMES}
        given = self._given_secrets()
        kept = {key: value for key, value in self._without_secrets(given).items() if key not in known}
        variables = {f"SHIPWAY_{key}": value for key, value in facts.items()}
        variables |= {f"KAMAL_{key}": value for key, value in facts.items() if key in KAMAL_NAMES}
        variables["SHIPWAY_HOOK"] = ",".join((*self._outer(), name))
        return {**kept, **variables, **given}

    def clean(self, text: str) -> str:
        """Return `text` without secret values."""
        return self.redactor.clean(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def _outer(self) -> tuple[str, ...]:
        """Return the hooks that this process was started by, the outermost first."""
        return tuple(filter(None, self.environ.get("SHIPWAY_HOOK", "").split(",")))

    def _given_secrets(self) -> dict[str, str]:
        if self.secrets is None:
            return {}
        names = self.secrets.source.names() if self.settings.gives_all else self.settings.secrets
        return self.secrets.source.resolve(names)

    def _without_secrets(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return our environment without what holds a secret: in a pipeline secrets come to us as variables."""
        values = [] if self.secrets is None else list(self.secrets.known_values(except_for=given).values())

        def holds_one(value: str) -> bool:
            return any(
                (len(secret) >= _EQUAL_CHARS and value == secret) or (len(secret) >= _WITHIN_CHARS and secret in value)
                for secret in values
            )

        return {key: value for key, value in self.environ.items() if key in _ESSENTIAL or not holds_one(value)}

    def _is_shown(self, name: str) -> bool:
        wanted = self.settings.output_of(name)
        return self.caller.is_verbose if wanted is None else wanted == "verbose"

    def _hint(self, path: Path) -> str:
        by_hand = f"correct {shlex.quote(str(path))}, or leave hooks out with --skip-hooks"
        hides = self.secrets is not None and not self.settings.gives_all and len(self.secrets.source.names()) > 0
        if not hides:
            return by_hand
        return f"{by_hand}; a hook sees only the secrets that the key `hooks: {{secrets: [NAME]}}` gives it"

    def _tell(self, kind: EventKind, name: str, detail: str = "", *, took_s: float = 0.0) -> None:
        self.caller.listen(Event(kind, "", time.monotonic(), title=name, detail=detail, took_s=took_s))


def outer_run(environ: Mapping[str, str]) -> str:
    """Return the run whose hook started this process while it held the lock, "" for none."""
    is_held = "true" in (environ.get("SHIPWAY_LOCK"), environ.get("KAMAL_LOCK"))
    return environ.get("SHIPWAY_RUN", "") if is_held else ""


def _why(end: HookEnd) -> str:
    return end.why or f"exit status {end.status}"


def _failed(name: str, path: Path, why: str, *, said: str = "", next_: str = "") -> Refused:
    what = f"the hook {name} failed: {why}"
    return Refused("hook.failed", what, where=str(path), said=last_words(said), next=next_)
