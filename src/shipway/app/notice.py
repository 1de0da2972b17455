"""Who is told of a deploy, and what: in the background, without secrets, and without a deploy that could fail by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal
from urllib.parse import quote

from shipway.adapters.courier import Courier, NotTold, Post, load_apprise, post, tell_apprise
from shipway.app.spans import Spans, endpoint, headers
from shipway.config.notify import Grafana, Notify, Sentry, fill
from shipway.config.registry import Credential, Inline
from shipway.core.errors import ConfigError, ShipwayError
from shipway.core.events import Event
from shipway.core.ports import Clock, Secrets
from shipway.core.step import Plan
from shipway.engine.outcome import Outcome

What = Literal["started", "needs_approval", "done", "failed", "rolled_back"]
CLOSE_S = 3.0
"""How long the end of a command waits for receivers that do not answer."""
_TEXTS: Mapping[What, str] = {
    "started": "{who} began: {verb} of {service} {release} ({commit})",
    "needs_approval": "{service}: {what} waits for an approval, asked for by {who}. {next}",
    "done": "{service} {release} ({commit}) serves: {verb} by {who}, {took}",
    "failed": "{service}: {verb} of {release} ({commit}) by {who} failed: {error}. Now: {now}",
    "rolled_back": "{service} went back from {base} to {release} ({commit}): {verb} by {who}, {took}",
}
_ENDS: tuple[What, ...] = ("done", "failed", "rolled_back")
_DEFAULTS: Mapping[str, tuple[What, ...]] = {"sentry": ("done", "rolled_back"), "grafana": _ENDS}
_TELLING = frozenset({"setup", "deploy", "redeploy", "rollback"})
_COMMIT_CHARS = 12


def _clean(text: str) -> str:
    return text


def _name(number: int, target: Notify) -> str:
    return f"notify/{number} ({target.kind})"


@dataclass(frozen=True, slots=True)
class Around:
    """What a message says besides the run: where it happens, and how secrets are taken out of a text."""

    service: str = ""
    destination: str = ""
    who: str = ""
    clean: Callable[[str], str] = _clean
    environ: Mapping[str, str] = field(default_factory=dict)


class Notice:
    """Tells `targets` about the runs of one command. Nothing of it raises, and only `close` waits."""

    def __init__(
        self,
        targets: Sequence[Notify] = (),
        secrets: Secrets | None = None,
        around: Around | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._targets, self._secrets, self._around, self._clock = tuple(targets), secrets, around or Around(), clock
        self._courier = Courier()
        self._plan: Plan | None = None
        self._begun_ms = 0
        self._spans = Spans(clock.now().timestamp() - clock.monotonic()) if clock is not None else None

    def about(self, plan: Plan) -> None:
        """Note which run begins."""
        self._plan = plan

    def listen(self, event: Event) -> None:
        """Take in an event of a run: its beginning is told."""
        if self._spans is not None and endpoint(self._around.environ):
            self._spans.listen(event)
        if event.kind == "run.begin" and self._plan is not None and self._plan.verb in _TELLING:
            self._begun_ms = self._now_ms()
            for number, target in enumerate(self._targets):
                if target.apprise is not None:  # so that it is loaded when the run ends
                    self._courier.send(_name(number, target), load_apprise)
            self._tell("started", self._words(self._plan))

    def wants(self, what: str, command: str) -> None:
        """Tell that `what` waits for an approval, which `command` gives."""
        plan = self._plan
        words = self._words(plan) if plan is not None else self._base_words()
        self._tell("needs_approval", {**words, "what": what, "next": command})

    def ended(self, outcome: Outcome, error: ShipwayError | None) -> None:
        """Tell how a run ended."""
        plan = outcome.plan
        if plan.verb not in _TELLING or outcome.ending == "interrupted":
            return
        words = {**self._words(plan), "took": f"{outcome.took_s:.1f} s"}
        if error is not None:
            words |= {"error": f"{error.what} ({error.code})", "now": error.now or outcome.now(), "next": error.next}
        event: What = "failed" if error is not None else "rolled_back" if plan.verb == "rollback" else "done"
        self._tell(event, words)
        self._trace(plan, outcome)

    async def close(self, say: Callable[[str], None], limit_s: float = CLOSE_S) -> None:
        """Wait for what is on its way, `limit_s` at most, and say who could not be told."""
        for problem in await asyncio.to_thread(self._courier.close, limit_s):
            say(f"warning: {problem}")

    def _tell(self, event: What, words: Mapping[str, str]) -> None:
        clean = {name: self._around.clean(text) for name, text in {**words, "event": event}.items()}
        for number, target in enumerate(self._targets):
            wanted = target.events or _DEFAULTS.get(target.kind, tuple(_TEXTS))
            if event in wanted:
                text = fill(target.templates.get(event, _TEXTS[event]), clean)
                job = partial(self._deliver, target, event, text, clean)
                self._courier.send(_name(number, target), job)

    def _deliver(self, target: Notify, event: What, text: str, words: Mapping[str, str]) -> None:
        limit_s = float(target.timeout)
        if target.apprise is not None:
            tell_apprise(self._reveal(target.apprise), f"{words['service']}: {event}", text)
        elif target.webhook is not None:
            body = json.dumps({"text": text, **words}).encode()
            post(Post(self._reveal(target.webhook), body, limit_s=limit_s))
        elif target.sentry is not None:
            for one in self._sentry(target.sentry, words):
                post(replace(one, limit_s=limit_s))
        elif target.grafana is not None:
            post(replace(self._grafana(target.grafana, event, text, words), limit_s=limit_s))

    def _sentry(self, sentry: Sentry, words: Mapping[str, str]) -> tuple[Post, Post]:
        """Return the release, which Sentry makes where it is new, and the deploy of it."""
        place = f"{sentry.url.rstrip('/')}/api/0/organizations/{quote(sentry.organization or '', safe='')}/releases/"
        version, projects = words["version"] or words["release"], list(sentry.projects)
        bearer = self._bearer(sentry.token)
        release = {"version": version, "projects": projects}
        deploy = {"environment": words["destination"] or "production", "name": words["release"], "projects": projects}
        return (
            Post(place, json.dumps(release).encode(), bearer),
            Post(f"{place}{quote(version, safe='')}/deploys/", json.dumps(deploy).encode(), bearer),
        )

    def _grafana(self, grafana: Grafana, event: What, text: str, words: Mapping[str, str]) -> Post:
        now_ms = self._now_ms()
        tags = ["shipway", words["service"], event, *grafana.tags]
        body = {"time": self._begun_ms or now_ms, "timeEnd": now_ms, "tags": tags, "text": text}
        url = f"{(grafana.url or '').rstrip('/')}/api/annotations"
        return Post(url, json.dumps(body).encode(), self._bearer(grafana.token))

    def _trace(self, plan: Plan, outcome: Outcome) -> None:
        environ = self._around.environ
        if self._spans is None or not (url := endpoint(environ)):
            return
        told = {"shipway.run": plan.run, "shipway.outcome": outcome.ending, "shipway.version": plan.version}
        body = self._around.clean(self._spans.document(plan, outcome.ending, told).decode()).encode()
        self._courier.send("OpenTelemetry", partial(post, Post(url, body, headers(environ))))

    def _words(self, plan: Plan) -> dict[str, str]:
        return self._base_words() | {
            "verb": plan.verb,
            "release": plan.release,
            "version": plan.version,
            "commit": plan.version[:_COMMIT_CHARS],
            "base": plan.base or "nothing",
            "run": plan.run,
            "hosts": ", ".join(plan.hosts()),
        }

    def _base_words(self) -> dict[str, str]:
        around = self._around
        names = ("verb", "release", "version", "commit", "base", "run", "took", "hosts", "what", "error", "now", "next")
        return dict.fromkeys(names, "") | {
            "service": around.service,
            "destination": around.destination,
            "who": around.who,
        }

    def _reveal(self, part: Credential) -> str:
        if isinstance(part, Inline):
            return part.value
        try:
            return self._secrets.reveal(part.name) if self._secrets is not None else ""
        except ConfigError:
            raise NotTold(f"its secret {part.name} has no value") from None

    def _bearer(self, token: Credential | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._reveal(token)}"} if token is not None else {}

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000) if self._clock is not None else 0
