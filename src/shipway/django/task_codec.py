"""Tasks of a manifest, and the queues of a probe, as values. Both were written elsewhere: they are parsed strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from shipway.core.task import Known, Message, MessageState, Queued, Registry, Signature
from shipway.django.report import Json
from shipway.django.strict import Malformed, Node

FRAMEWORKS = ("celery", "rq", "dramatiq", "huey", "tasks")
_FORM = 7
"""name, queue, state, arguments, keywords, count, seconds until it is due"""


def parse_known(tasks: Mapping[str, Json]) -> Known:
    """Return the tasks of a release from the `tasks` of its report or manifest. Raises Malformed."""
    root = Node(dict(tasks), "tasks")
    found = {name: _registry(root.node(name), "tasks") for name in FRAMEWORKS if name in root}
    beat = root.node("celery").each("beat", _beat)
    limit = root.node("celery").raw("time_limit_s")
    return Known(found, beat, float(limit) if isinstance(limit, (int, float)) else 0.0)


def _registry(node: Node, name: str) -> Registry:
    return dict(node.each(name, _task))


def _task(value: object, path: str) -> tuple[str, Signature]:
    node = Node(value, path)
    return node.text("name"), Signature(
        node.texts("required"),
        node.texts("optional"),
        dict(node.each("keyword", _keyword)),
        node.flag("varargs"),
        node.flag("varkw"),
    )


def _keyword(value: object, path: str) -> tuple[str, bool]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004  a pair
        raise Malformed(f"{path} is no pair")
    name, is_required = value
    return str(name), bool(is_required)


def _beat(value: object, path: str) -> str:
    if not isinstance(value, list) or len(value) != 3:  # noqa: PLR2004  entry, task, schedule
        raise Malformed(f"{path} is no entry of a schedule")
    return str(value[1])


def parse_queued(queued: Mapping[str, Json]) -> Queued:
    """Return what waits, from the section `queued` of a report. Raises Malformed."""
    root = Node(dict(queued), "queued")
    messages: list[Message] = []
    unread: dict[str, str] = {}
    also: dict[str, Registry] = {}
    for name in FRAMEWORKS:
        if name not in root:
            continue
        node = root.node(name)
        messages += [_message(name, row, path) for row, path in node.each("messages", lambda part, path: (part, path))]
        also[name] = _registry(node, "also")
        if why := node.text("unread"):
            unread[name] = why
    return Queued(tuple(messages), unread, also)


def _message(framework: str, row: object, path: str) -> Message:
    if not isinstance(row, list) or len(row) != _FORM:
        raise Malformed(f"{path} is no form of a message")
    named = Node(dict(zip(("name", "queue", "state", "args", "keywords", "count", "due"), row, strict=True)), path)
    return Message(
        framework,
        named.text("name"),
        named.text("queue"),
        cast("MessageState", named.choice("state", get_args(MessageState), "ready")),
        named.number("args", -1),
        named.texts("keywords"),
        named.number("count", 1),
        named.number("due"),
    )
