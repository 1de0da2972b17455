"""What a release answered when its services were tried from inside: values, and the reader of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.django.answer import cut_short, parse_fault, read_marked
from shipway.django.report import Fault
from shipway.django.strict import Malformed, Node, as_texts

ABOUT = "what it works with"
SERVICES = ("database", "cache", "email", "storage", "media", "media_gone")


@dataclass(frozen=True, slots=True)
class Tried:
    """One database, cache, mail server or storage, by its `name` in the settings.

    `fault` is why it failed, `skipped` why it was not tried. Databases: `vendor`, the `table` that was read, whether a
    row was written (`wrote`), and how long that took. Others: the class of the `backend`, whether it gave back what it
    got (`is_same`) and forgot it when told to (`is_gone`). Storage: `location` on disk, whether that goes with the
    container (`is_lost`), and the `fields` of models that keep files there; `file` and `url` of one that was kept.
    """

    name: str
    fault: Fault | None = None
    skipped: str = ""
    vendor: str = ""
    table: str = ""
    wrote: bool = False
    read_ms: int = 0
    write_ms: int = 0
    backend: str = ""
    server: str = ""
    is_same: bool = True
    is_gone: bool = True
    location: str = ""
    is_lost: bool = False
    fields: tuple[str, ...] = ()
    file: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class SecurePage:
    """The `path` whose refusal of a POST tells whether Django saw HTTPS; `why` there is none.

    `trusts`: the header by which it is told, `redirects`: it sends those who come without HTTPS there.
    """

    path: str = ""
    why: str = ""
    trusts: str = ""
    redirects: bool = False


@dataclass(frozen=True, slots=True)
class WorkerNode:
    """A worker as its framework knows it.

    `answers` counts the processes that answered under this name. `queues` are those it takes from, `lacks` the tasks of
    the release that it does not know (the first of `lacking`), `shared` how many it knows.
    """

    name: str
    answers: int = 0
    pid: int = 0
    machine: str = ""
    concurrency: int = 0
    active: int = 0
    queues: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    lacking: int = 0
    shared: int = -1


@dataclass(frozen=True, slots=True)
class Probed:
    """A task that was sent to a queue. `state`: done, taken, sent (nobody took it), failed, or unknown (no such task).

    `busy`: every worker of the queue had its hands full.
    """

    queue: str
    task: str
    state: str
    took_ms: int = 0
    busy: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class FrameworkFacts:
    """What one framework told about its workers. `fault`: why it did not; `mute`: why it cannot.

    `waiting` and `waiting_after` are tasks ready by queue, before and after the rest was asked; `oldest_s` is for how
    long the first has been due, `running` how many were being done, where that is known (-1).
    """

    fault: Fault | None = None
    mute: str = ""
    eager: bool = False
    nodes: tuple[WorkerNode, ...] = ()
    probes: tuple[Probed, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    waiting_after: Mapping[str, int] = field(default_factory=dict)
    oldest_s: int = -1
    running: int = -1


@dataclass(frozen=True, slots=True)
class Inside:
    """The whole answer. `faults` are sections that failed as such, `cut` is why there is nothing after a point."""

    services: Mapping[str, tuple[Tried, ...]] = field(default_factory=dict)
    secure: SecurePage | None = None
    workers: Mapping[str, FrameworkFacts] | None = None
    faults: Mapping[str, Fault] = field(default_factory=dict)
    cut: str = ""


def parse_inside(output: bytes, token: str, *, said: str = "") -> Inside:
    """Return what stands between the markers of `token`.

    Raises Refused `probe.no_answer`, `probe.garbled`; ConfigError `project.settings`, `project.django`.
    """
    return read_marked(output, token, _inside, said=said, about=ABOUT)


def _inside(root: Node) -> Inside:
    cut = cut_short(root, ABOUT)
    names = (*SERVICES, "secure", "workers")
    return Inside(
        services={name: root.each(name, _tried) for name in SERVICES if name in root},
        secure=_secure(root.node("secure")) if "secure" in root else None,
        workers=_workers(root) if "workers" in root else None,
        faults={n: parse_fault(root.raw(f"{n}.error"), f"{n}.error") for n in names if f"{n}.error" in root},
        cut=f"{cut.what}, {cut.where}" if cut else "",
    )


def _tried(value: object, path: str) -> Tried:
    node = Node(value, path)
    return Tried(
        name=node.text("name"),
        fault=_fault(node),
        skipped=node.text("skipped"),
        vendor=node.text("vendor"),
        table=node.text("table"),
        wrote=node.flag("wrote"),
        read_ms=node.number("read_ms"),
        write_ms=node.number("write_ms"),
        backend=node.text("backend"),
        server=node.text("server"),
        is_same=node.flag("is_same", default=True),
        is_gone=node.flag("is_gone", default=True),
        location=node.text("location"),
        is_lost=node.flag("is_lost"),
        fields=node.texts("fields"),
        file=node.text("file"),
        url=node.text("url"),
    )


def _fault(node: Node) -> Fault | None:
    return parse_fault(node.raw("error"), f"{node.path}.error") if "error" in node else None


def _secure(node: Node) -> SecurePage:
    return SecurePage(node.text("path"), node.text("why"), node.text("trusts"), node.flag("redirects"))


def _workers(root: Node) -> dict[str, FrameworkFacts]:
    return {name: _framework(Node(value, f"workers.{name}")) for name, value in root.items("workers")}


def _framework(node: Node) -> FrameworkFacts:
    waiting = _counts(node, "waiting")
    return FrameworkFacts(
        fault=_fault(node),
        mute=node.text("mute"),
        eager=node.flag("eager"),
        nodes=tuple(_node(name, Node(value, f"{node.path}.{name}")) for name, value in node.items("nodes")),
        probes=node.each("probes", _probed),
        waiting=waiting,
        waiting_after=_counts(node, "waiting_after") if "waiting_after" in node else waiting,
        oldest_s=node.number("oldest_s", -1),
        running=node.number("running_after", -1),
    )


def _node(name: str, node: Node) -> WorkerNode:
    return WorkerNode(
        name=name,
        answers=node.number("answers"),
        pid=node.number("pid"),
        machine=node.text("machine") or name.rpartition("@")[2],
        concurrency=node.number("concurrency"),
        active=node.number("active"),
        queues=tuple(queue for queue, value in node.items("queues") if as_texts(value, node.path) is not None),
        lacks=node.texts("lacks"),
        lacking=node.number("lacking"),
        shared=node.number("shared", -1),
    )


def _probed(value: object, path: str) -> Probed:
    node = Node(value, path)
    state = node.choice("state", ("done", "taken", "sent", "failed", "unknown"), "sent")
    return Probed(
        node.text("queue"), node.text("task"), state, node.number("took_ms"), node.flag("busy"), node.text("said")
    )


def _counts(node: Node, name: str) -> dict[str, int]:
    counts = {}
    for queue, value in node.items(name):
        if isinstance(value, bool) or not isinstance(value, int):
            raise Malformed(f"{node.path}.{name}.{queue} is no integer")
        counts[queue] = value
    return counts
