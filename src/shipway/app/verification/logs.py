"""The logs of the release since it began, and of the one before for as long, read within bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shipway.app.verification.processes import LOOKS, begun_at, moment
from shipway.app.verification.run import Batch
from shipway.app.verification.subject import Subject
from shipway.config.verify_inside import LogsCheck
from shipway.core.action import Command
from shipway.core.errors import ConfigError
from shipway.core.facts import Facts
from shipway.core.logs import LogsAsked
from shipway.core.ports import Request
from shipway.core.unit import Unit
from shipway.planning.history import last_good, whole_everywhere
from shipway.verification.logs import Window, judge_logs, judge_storm
from shipway.verification.outcome import Answer, Check
from shipway.verification.table import LOGS, all_on, keys_of

LINES = 3000
BYTES = 400_000
"""How much of one log is read: its end."""
LONGEST_S = 600.0
"""Errors before that are no storm any more; and this much of the time before a release is compared with it."""
_LIMIT_S = 40.0
_TAIL_SCRIPT = 'n=$1; shift; "$@" 2>&1 | tail -c "$n"'


async def log_batches(subject: Subject) -> Sequence[Batch]:
    """Return the checks of logs, for each host: its units are read once for all of them."""
    on = all_on(subject.wanted, LOGS)
    if not on:
        return []
    keys = keys_of(on, LogsCheck)
    patterns = {name: _compiled(text, f"verify/logs/patterns/{name}") for name, text in keys.patterns.items()}
    allowed = tuple(_compiled(text, "verify/logs/allow") for text in keys.allow)
    facts = await subject.context.observe()
    site = subject.context.site
    if not subject.base:
        base = last_good(facts.primary.records, subject.release, whole_everywhere(facts))
        subject = replace(subject, base=base)

    def batch(host: str) -> Batch:
        checks = {one.at(host, "logs", one.limit_s + _LIMIT_S): one.kind for one in on}
        units = tuple(site.units(subject.release, subject.version, host=host))

        async def ask(asked: Sequence[Check]) -> Mapping[Check, Answer]:
            windows = [await _window(subject, facts, unit) for unit in units]
            return {
                check: judge_logs(windows, patterns, allowed)
                if checks[check] == "logs"
                else judge_storm(windows, allowed)
                for check in asked
            }

        return Batch(tuple(checks), ask)

    return [batch(target.host) for target in site.targets if any(site.units(subject.release, "", host=target.host))]


def _compiled(text: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ConfigError(
            "config.value", f"`{text}` is no regular expression: {error}", where=where, next="escape it with `\\`"
        ) from error


async def _window(subject: Subject, facts: Facts, unit: Unit) -> Window:
    """Return the errors' time of one unit: since its start, at most the last minutes; and the same before that."""
    context = subject.context
    skew_s = next((host.clock_skew_s for host in facts.hosts if host.host == unit.host), 0.0)
    now = context.clock.now().timestamp() + skew_s
    begun = moment(begun_at(facts, unit, "step.begin")) or now - LONGEST_S
    since = max(begun, now - LONGEST_S)
    text = await _read(subject, unit, since)
    window = Window(f"{unit.role} on {unit.host}", text, seconds=max(1.0, now - since))
    if not subject.base or subject.base == unit.release:
        return window
    before = await _read(subject, context.site.unit(unit.role, unit.host, subject.base), begun - LONGEST_S)
    return replace(window, before=before, before_s=LONGEST_S, has_before=True)


async def _read(subject: Subject, unit: Unit, since: float) -> str:
    """Return the end of a log since a moment; all that is left of it where its keeper knows no times."""
    context = subject.context
    runtime = context.site.target(unit.host).runtime
    at = datetime.fromtimestamp(int(since), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        command = runtime.log_command(unit, LogsAsked(LINES, since=at))
    except ValueError:
        command = runtime.log_command(unit, LogsAsked(LINES))
    words = ("sh", "-c", _TAIL_SCRIPT, "sh", str(BYTES), *command.words())
    asked = Command(words, command.stdin, limit_s=command.limit_s)
    (result,) = await context.transport.exchange(unit.host, [Request(asked, "never")], track=LOOKS)
    return result.text
