"""What is asked before files are written: only what no file says, and five questions at most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from shipway.scaffold.accessories import wants_accessories
from shipway.scaffold.health import offer_health
from shipway.scaffold.subject import Subject, Wishes

Name = Literal["server", "site", "settings", "accessories", "health"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question; `default` is what an empty answer means: a text, or yes or no."""

    name: Name
    text: str
    default: str | bool


def open_questions(subject: Subject) -> tuple[Question, ...]:
    """Return the questions that neither the project nor the user has answered."""
    wishes, found = subject.wishes, []
    if not wishes.server:
        found.append(Question("server", "Name or address of the server (empty: later)", ""))
    if not wishes.site:
        found.append(Question("site", "Name of the site, such as shop.example.org (empty: none yet)", ""))
    fact = subject.fact("settings")
    if not wishes.settings and (fact.confidence in ("low", "none") or fact.conflicts):
        found.append(Question("settings", "Settings module for production", subject.settings))
    if wishes.accessories is None and wishes.runtime == "docker" and wants_accessories(subject):
        text = "Run the database server and Redis that the project needs as containers on the server"
        found.append(Question("accessories", text, default=True))
    view = offer_health(subject)
    if not wishes.health and view is not None and view.urls is not None:
        text = f"No health view was found. Write {view.path}, and a route into {view.urls_path}"
        found.append(Question("health", text, default=True))
    return tuple(found)


def answered(wishes: Wishes, name: Name, answer: str | bool) -> Wishes:  # noqa: FBT001  yes or no is what was answered
    """Return `wishes` with the answer to a question."""
    match name, answer:
        case "server", str(text):
            return replace(wishes, server=text)
        case "site", str(text):
            return replace(wishes, site=text)
        case "settings", str(text):
            return replace(wishes, settings=text)
        case "accessories", bool(is_wanted):
            return replace(wishes, accessories=is_wanted)
        case "health", bool(is_wanted):
            return replace(wishes, health=is_wanted)
        case _:
            raise TypeError(f"{name} is not answered by {answer!r}")
