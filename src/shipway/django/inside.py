"""The answer of a release whose services were tried from inside: output in, values out. Parsed strictly."""

from __future__ import annotations

from shipway.core.inside import FrameworkFacts, Inside, Probed, SecurePage, Tried, WorkerNode
from shipway.django.answer import cut_short, parse_fault, read_marked
from shipway.django.strict import Malformed, Node, as_texts

ABOUT = "what it works with"
_MOST_CHARS = 500
SERVICES = ("database", "cache", "email", "storage", "media", "media_gone")


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
        faults={name: _fault(root, f"{name}.error") for name in names if f"{name}.error" in root},
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


def _fault(node: Node, name: str = "error") -> str:
    """Return an error of the project in a sentence, "" where there is none."""
    if name not in node:
        return ""
    fault = parse_fault(node.raw(name), f"{node.path}.{name}")
    place = f" ({fault.file}:{fault.line})" if fault.file else ""
    return f"{fault.type}: {' '.join(fault.message.split())[:_MOST_CHARS]}{place}"


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
    took_ms, by = node.number("took_ms"), node.text("by")
    return Probed(node.text("queue"), node.text("task"), state, took_ms, by, node.flag("busy"), node.text("said"))


def _counts(node: Node, name: str) -> dict[str, int]:
    counts = {}
    for queue, value in node.items(name):
        if isinstance(value, bool) or not isinstance(value, int):
            raise Malformed(f"{node.path}.{name}.{queue} is no integer")
        counts[queue] = value
    return counts
