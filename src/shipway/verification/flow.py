"""A flow: what is asked next, and what the page that came back means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from shipway.config.verify import FlowStep
from shipway.verification.judge import explains_csrf, text_problem
from shipway.verification.markup import filled, find_form, forms_of
from shipway.verification.outcome import Answer, failed
from shipway.verification.page import Page
from shipway.verification.place import Place

_OK, _FORBIDDEN = 200, 403


@dataclass(frozen=True, slots=True)
class Turn:
    """The request of one step. `body` is form data ("" for a GET), `problem` why there is none."""

    url: str = ""
    method: str = "GET"
    body: str = ""
    problem: str = ""


def next_turn(step: FlowStep, before: Page | None, secrets: Mapping[str, str], place: Place) -> Turn:
    """Return what a visitor asks for in `step`, on the page `before`. `secrets` has values by their names."""
    if step.open is not None:
        return Turn(place.url(step.open))
    if before is None:
        return Turn(problem="there is no page yet: begin a flow with `open`")
    fields = {name: _word(value) for name, value in (step.fields or {}).items()}
    fields |= {field: secrets[name] for field, name in (step.secret or {}).items()}
    form = find_form(forms_of(before.text, before.url), step.submit or "true", fields)
    if form is None:
        wanted = f"`{step.submit}`" if step.submit != "true" else f"with {', '.join(fields) or 'anything'}"
        return Turn(problem=f"{before.url} has no form {wanted}")
    data = filled(form, fields)
    if not place.is_ours(form.action):
        return Turn(problem=f"the form on {before.url} goes to {urlsplit(form.action).netloc}, which is not this site")
    if form.method == "get":
        return Turn(form.action.partition("?")[0] + (f"?{data}" if data else ""))
    return Turn(form.action, "POST", data)


def _word(value: object) -> str:
    return {True: "on", False: ""}.get(value, str(value)) if isinstance(value, bool) else str(value)


def judge_step(step: FlowStep, number: int, page: Page) -> Answer | None:
    """Return the failure of a step (`number` from 1), None when the flow may go on."""
    if page.trouble:
        return failed(f"step {number}: {page.url} could not be opened: {page.trouble}")
    wanted = step.status or _OK
    said = (page.describe(), f"it says: {page.excerpt()}")
    if page.status != wanted:
        if explains_csrf(page) or (page.status == _FORBIDDEN and step.submit is not None):
            return failed(
                f"step {number}: {page.url} refused the form: CSRF verification failed",
                *said,
                next="add the site's address to CSRF_TRUSTED_ORIGINS, and look at SECURE_PROXY_SSL_HEADER",
            )
        return failed(f"step {number}: {page.url} answered {page.status}, and not {wanted}", *said)
    if step.path is not None and urlsplit(page.url).path != step.path.partition("?")[0]:
        return failed(f"step {number} ended on {page.url}, and not on {step.path}", *said)
    if problem := text_problem(page, step.text, step.without):
        return failed(f"step {number}: {problem}", *said)
    return None
