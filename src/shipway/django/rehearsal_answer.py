"""The answers of the acts of a rehearsal: output in, what was seen out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from shipway.core.errors import Refused
from shipway.core.rehearsal import Actions, Rehearsed, Scratch
from shipway.django.answer import parse_fault, read_marked, whole
from shipway.django.strict import Node, as_texts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made:
    """The scratch databases by alias, what earlier rehearsals left ((alias, name, when)), and users by alias."""

    scratch: Mapping[str, Scratch]
    leftovers: tuple[tuple[str, ...], ...]
    users: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the old release did first, by alias; `known` goes back to the later acts as it is."""

    seen: Mapping[str, Rehearsed]
    known: Mapping[str, object]


def parse_act(output: bytes, token: str, act: str, make: Callable[[Node], T], said: str = "") -> T:
    """Return what `make` makes of the answer of an act. Raises as `parse_answer`, and Refused `rehearse.failed`."""

    def read(root: Node) -> T:
        if f"{act}.error" in root:
            fault = parse_fault(root.raw(f"{act}.error"), f"{act}.error")
            raise Refused(
                "rehearse.failed",
                f"the rehearsal came to an end while it was at `{act}`",
                where=f"{fault.file}:{fault.line}" if fault.file else "",
                said="\n".join(fault.lines),
            )
        return make(root.node(act))

    return read_marked(output, token, whole(read), said=said)


def made(node: Node) -> Made:
    """Return the answer of `make`."""
    scratch = {alias: _scratch(Node(value, alias)) for alias, value in node.items("made")}
    return Made(scratch, node.each("leftovers", as_texts), node.mapping("users"))


def _scratch(node: Node) -> Scratch:
    error = parse_fault(node.raw("error"), "error").message if node.node("error").text("type") else ""
    return Scratch(
        node.text("name"),
        node.text("by"),
        node.number("rows"),
        node.texts("notes"),
        error or node.node("error").text("message"),
        node.text("twin"),
    )


def dropped(node: Node) -> dict[str, str]:
    """Return the answer of `drop`: by alias, why a scratch database is still there."""
    return {alias: parse_fault(value, alias).message for alias, value in node.items("failed")}


def seeded(node: Node) -> Seeded:
    """Return the answer of `seed`."""
    seen, known = {}, {}
    for alias, body in node.entries():
        one = Node(body, alias)
        known[alias] = one.raw("known")
        seen[alias] = Rehearsed(
            prepared=one.texts("prepared"),
            unseeded=one.mapping("failed"),
            baseline=_actions(one, "actions"),
            meets=_actions(one, "meets"),
        )
    return Seeded(seen, known)


def applied(node: Node) -> dict[str, Rehearsed]:
    """Return the answer of `apply`."""
    return {
        alias: Rehearsed(
            applied=one.texts("applied"),
            failed=one.text("failed"),
            error=one.text("error"),
            new_before=_actions(one, "before"),
            new_after=_actions(one, "actions"),
        )
        for alias, one in ((alias, Node(body, alias)) for alias, body in node.entries())
    }


def tried(node: Node) -> dict[str, Rehearsed]:
    """Return the answer of `try`."""
    return {
        alias: Rehearsed(after=_actions(one, "actions"), changed=_actions(one, "changed"), meets=_actions(one, "meets"))
        for alias, one in ((alias, Node(body, alias)) for alias, body in node.entries())
    }


def _actions(node: Node, name: str) -> Actions:
    inside = node.node(name)
    return {model: inside.mapping(model) for model, _ in inside.entries()}
