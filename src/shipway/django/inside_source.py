"""What tries the services of a release from inside, as one program for the standard input of `python -` in it.

It is sent and answers as the probe does (`probe_source.py`): the token of the markers is known to the supervising
process only, where no code of the project runs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from shipway.django.probe import (
    common,
    inside,
    inside_celery,
    inside_database,
    inside_queues,
    inside_secure,
    inside_services,
    inside_waiting,
    project,
    queued,
    queued_redis,
    tasks,
)
from shipway.django.probe_source import supervised

_PARTS = (
    common,
    project,
    tasks,
    queued_redis,
    queued,
    inside_waiting,
    inside_celery,
    inside_queues,
    inside_database,
    inside_services,
    inside_secure,
    inside,
)
_BEGIN_S = 45.0
_MARGIN_S = 2.0


@dataclass(frozen=True, slots=True)
class InsideOptions:
    """What is tried. `want` names sections: database, cache, email, storage, media, media_gone, secure, workers.

    `mark` is a word of 16 to 64 hex digits, new for each call, by which what is written is known. Empty `databases`,
    `caches` and `queues` stand for all. `write`: the databases are written to. `file`: the file that `media` kept and
    `media_gone` deletes. `paths` are asked first for `secure`. `frameworks` are those whose workers should run, `units`
    how many of them, `machines` the host names that they have and `pids` their processes, where these are known.
    `tasks` are names that they must know, and `probe` is a task of the project that is sent instead of a harmless one.
    `ask_s` bounds one question, `probe_s` the time in which the task must be done.
    """

    mark: str
    manage: str = "manage.py"
    want: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    write: bool = True
    caches: tuple[str, ...] = ()
    file: str = ""
    paths: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    units: int = 1
    machines: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    tasks: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    probe: str = ""
    ask_s: float = 10.0
    probe_s: float = 10.0
    limit_bytes: int = 1_000_000
    packed: bool = True

    @property
    def work_s(self) -> float:
        """How long the workers of one framework may be asked: a ping, some questions, a task for each of few queues."""
        return self.ask_s * 2 + self.probe_s * 4

    @property
    def limit_s(self) -> float:
        """How long the whole may take, with Python's start and the project's loading."""
        return _BEGIN_S + sum(self.work_s if name == "workers" else self.ask_s * 3 for name in self.want)


def inside_source(token: str, options: InsideOptions) -> str:
    """Return the program. `token` is 16 to 64 random hex digits, new for each call. Raises ValueError for another."""
    told = asdict(options) | {"work_s": options.work_s, "limit_s": options.limit_s}
    told["section_s"] = max(_BEGIN_S, options.work_s * 2) + _MARGIN_S
    return supervised(token, told, _PARTS, "look_inside")
