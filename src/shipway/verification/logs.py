"""Errors in logs: what kinds there are, which are new in a release, and whether they come in a storm."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shipway.verification.outcome import Answer, failed, passed

# The first word of these in a line is its level; not one in a path or an address.
_LEVEL = re.compile(r"(?<![\w/.?=&\"'-])(DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL|PANIC)(?![\w/-])")
_JSON_LEVEL = re.compile(r"\"(?:level|levelname|severity|log\.level)\"\s*:\s*\"(\w+)\"", re.IGNORECASE)
_BAD = frozenset({"ERROR", "CRITICAL", "FATAL", "PANIC"})
_HEAD = 200
_TRACEBACK = "Traceback (most recent call last)"
_RAISED = re.compile(
    r"([A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Interrupt|DoesNotExist|Timeout\w*|[A-Z]\w*))(?::|$)"
)
_CHANGING = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\b[0-9a-f]{12,}\b|\d+|'[^']*'|\"[^\"]*\"")
_STAMP = re.compile(r"^\W*\d{4}-\d\d-\d\d[T ][\d:.,+Z-]+\W*")
_KIND_CHARS = 160
_SHOWN = 5
STRANGERS = (re.compile(r"Invalid HTTP_HOST header"),)
"""What those cause who scan the internet: Django logs it as an error, and no release is to blame."""
STORM = 10
"""Errors below this number are no storm, whatever there was before."""
_TIMES = 5.0


@dataclass(frozen=True, slots=True)
class LogErrors:
    """The errors of a part of a log: how many of each kind, and the first line of each as it stands there."""

    counts: Mapping[str, int] = field(default_factory=dict)
    samples: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All errors together."""
        return sum(self.counts.values())


def errors_in(text: str, allowed: Sequence[re.Pattern[str]] = ()) -> LogErrors:
    """Return the errors of a log. A traceback is one error, told by the exception that it ends in."""
    reader = _Reader()
    patterns = (*STRANGERS, *allowed)
    for line in text.splitlines():
        if not any(pattern.search(line) for pattern in patterns):
            reader.take(line)
    reader.end()
    return LogErrors(dict(reader.counts), reader.samples)


@dataclass(slots=True)
class _Reader:
    """Goes through a log line by line. `pending` is an error's line that a traceback may follow, and counts with."""

    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    pending: str = ""
    is_inside: bool = False

    def take(self, line: str) -> None:
        """Read one line."""
        if _TRACEBACK in line:
            self.is_inside = True
        elif self.is_inside:
            if kind := _end_of_traceback(line):
                self.is_inside = False
                self._note(kind, self.pending or line)
        else:
            self.end()
            if level_of(line) in _BAD:
                self.pending = line

    def end(self) -> None:
        """Count what was not counted yet."""
        if self.is_inside or self.pending:
            self._note("Traceback" if self.is_inside else kind_of(self.pending), self.pending or _TRACEBACK)
        self.is_inside = False

    def _note(self, kind: str, line: str) -> None:
        self.counts[kind] += 1
        self.samples.setdefault(kind, line.strip()[:_HEAD])
        self.pending = ""


def level_of(line: str) -> str:
    """Return the level of a line of a log, "" for one without."""
    if line.lstrip().startswith("{"):
        found = _JSON_LEVEL.search(line)
        return found[1].upper() if found else ""
    found = _LEVEL.search(line[:_HEAD])
    return found[1] if found else ""


def kind_of(line: str) -> str:
    """Return an error's line without what differs from one time to the next: times, numbers, names in quotes."""
    return _CHANGING.sub("#", _STAMP.sub("", line.strip()))[:_KIND_CHARS]


def _end_of_traceback(line: str) -> str:
    """Return the kind of a traceback that ends with this line, "" where it goes on."""
    if line.startswith((" ", "\t", "|", "+")) or not line.strip():
        return ""
    found = _RAISED.match(line.strip())
    if found:
        return kind_of(line)
    return "Traceback" if level_of(line) else ""


@dataclass(frozen=True, slots=True)
class Window:
    """The log of one unit: since the release serves, for `seconds`, and of the release before, for `before_s`.

    `has_before`: there was a release before, so that what is new can be told from what was always there.
    """

    name: str
    now: str
    before: str = ""
    seconds: float = 60.0
    before_s: float = 0.0
    has_before: bool = False


def judge_logs(
    windows: Sequence[Window], patterns: Mapping[str, re.Pattern[str]], allowed: Sequence[re.Pattern[str]] = ()
) -> Answer:
    """Return whether a log has lines that it must not have, or kinds of errors that the release before had not."""
    problems: list[str] = []
    lines: list[str] = []
    for window in windows:
        for name, pattern in patterns.items():
            hits = [line for line in window.now.splitlines() if pattern.search(line)]
            if hits:
                problems.append(f"{len(hits)} lines of {window.name} match `{name}`")
                lines.append(f"{window.name}: {hits[0].strip()[:_HEAD]}")
        now, old = errors_in(window.now, allowed), errors_in(window.before, allowed)
        fresh = [kind for kind in now.counts if kind not in old.counts] if window.has_before else []
        if fresh:
            problems.append(f"{window.name} had {len(fresh)} kinds of errors that the release before did not have")
            lines += [f"{window.name}: {now.counts[kind]} x {now.samples[kind]}" for kind in fresh[:_SHOWN]]
    if problems:
        return failed(problems[0], *problems[1:], *lines)
    return passed(*(f"{one.name}: {_summary(errors_in(one.now, allowed))}" for one in windows))


def judge_storm(windows: Sequence[Window], allowed: Sequence[re.Pattern[str]] = ()) -> Answer:
    """Return whether errors come in a storm: many of them, and many more in the same time than before."""
    for window in windows:
        now, old = errors_in(window.now, allowed), errors_in(window.before, allowed)
        rate = now.total / max(window.seconds, 1.0)
        before = old.total / window.before_s if window.before_s > 0 else 0.0
        if now.total >= STORM and rate > before * _TIMES:
            most = sorted(now.counts, key=lambda kind: -now.counts[kind])[:_SHOWN]
            return failed(
                f"{window.name} logged {now.total} errors in {window.seconds:.0f} s,"
                f" where the release before had {before * window.seconds:.0f} in as long",
                *(f"{now.counts[kind]} x {now.samples[kind]}" for kind in most),
            )
    return passed(*(f"{one.name}: {_summary(errors_in(one.now, allowed))} in {one.seconds:.0f} s" for one in windows))


def _summary(found: LogErrors) -> str:
    return f"{found.total} errors" if found.total else "no errors"
