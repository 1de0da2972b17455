"""What somebody wants to see of a log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogsAsked:
    """What is wanted of a log: its last `lines`, and what comes (`follows`).

    `since`: only what is younger (`10m`, or a time). `has_times`: each line with its time, where the runtime knows it.
    `container`: the log of this container of the host instead.
    """

    lines: int = 100
    follows: bool = False
    since: str = ""
    has_times: bool = False
    container: str = ""
