"""Who is told of a deploy: real receivers on this machine, good ones and bad ones."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shipway.adapters.clock import SystemClock
from shipway.adapters.redact import Redactor
from shipway.app.notice import Around, Notice
from shipway.app.spans import endpoint, headers
from shipway.config.notify import Grafana, Notify, Sentry
from shipway.config.registry import Inline
from shipway.core.action import Command
from shipway.core.errors import ConfigError, Refused
from shipway.core.events import Event
from shipway.core.secret import SecretRef
from shipway.core.step import Plan, Stage, Step
from shipway.engine.outcome import Outcome
from shipway.engine.run_state import RunState

TOKEN = "tok-s3cret-of-the-team"
PLAN = Plan(
    "20260101-000000-abcd", "deploy", "shop", "r2", "c0ffee00c0ffee", "r1", "a",
    (Stage("Put", ((Step("a/one", "send r2", "a", (Command(("x",)),)),),)),),
)  # fmt: skip


@dataclass
class Receiver:
    url: str = ""
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    def of(self, path: str) -> list[Any]:
        return [body for where, _, body in self.asked if where == path]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.asked.append((self.path, self.headers.get("Authorization", ""), json.loads(body)))
            if self.path == "/hangs":
                found.release.wait(30)
            moved = self.path == "/moved"
            self.send_response(302 if moved else 500 if self.path == "/broken" else 200)
            if moved:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_port}"
        yield found
        found.release.set()
        server.shutdown()
        thread.join(30)


class OneSecret:
    def reveal(self, name: str) -> str:
        if name != "TOKEN":
            raise ConfigError("secrets.missing", name)
        return TOKEN

    def names(self) -> tuple[str, ...]:
        return ("TOKEN",)


def run(
    *targets: Notify, fails: bool = False, environ: dict[str, str] | None = None, limit_s: float = 120.0
) -> list[str]:
    """Tell `targets` of a whole run; return what was said about it."""
    redactor = Redactor({"TOKEN": TOKEN})
    around = Around("shop", "production", "ann", lambda text: redactor.clean(text.encode()).decode(), environ or {})
    said: list[str] = []

    async def main() -> None:
        notice = Notice(targets, OneSecret(), around, SystemClock())
        notice.about(PLAN)
        for kind in ("run.begin", "step.begin", "step.failed" if fails else "step.done"):
            notice.listen(Event(kind, PLAN.run, time.monotonic(), "Put", "a/one", "a", "send r2"))  # type: ignore[arg-type]
        error = Refused("x.failed", f"it said {TOKEN}") if fails else None
        notice.ended(Outcome(PLAN, "undone" if fails else "done", RunState(), (), took_s=3.0), error)
        await notice.close(said.append, limit_s)

    asyncio.run(main())
    return said


def inline(url: str) -> Inline:
    return Inline(url, "notify/0/webhook")


def test_a_webhook_is_told_of_the_beginning_and_the_end(receiver: Receiver):
    assert run(Notify(webhook=inline(f"{receiver.url}/hook"))) == []
    started, done = receiver.of("/hook")
    assert (started["event"], started["who"], started["release"]) == ("started", "ann", "r2")
    assert (done["event"], done["text"]) == ("done", "shop r2 (c0ffee00c0ff) serves: deploy by ann, 3.0 s")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of apprise
def test_secrets_are_taken_out_of_every_message(receiver: Receiver):
    targets = (Notify(webhook=inline(f"{receiver.url}/hook")), Notify(apprise=inline(f"json://{receiver.url[7:]}/app")))
    assert run(*targets, fails=True, environ={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}) == []
    assert "failed" in receiver.of("/hook")[-1]["text"]
    assert receiver.of("/app")
    assert TOKEN not in json.dumps(receiver.asked)


def test_one_is_told_what_it_asked_for_in_words_of_its_own(receiver: Receiver):
    target = Notify(
        webhook=inline(f"{receiver.url}/hook"), events=("done",), templates={"done": "{release} by {who}!{x}"}
    )
    run(target)
    assert [body["text"] for body in receiver.of("/hook")] == ["r2 by ann!"]


def test_sentry_and_grafana_get_their_marks(receiver: Receiver):
    sentry = Sentry(organization="acme", projects=("shop",), token=SecretRef("TOKEN"), url=receiver.url)
    grafana = Grafana(url=receiver.url, token=SecretRef("TOKEN"), tags=("eu",))
    assert run(Notify(sentry=sentry), Notify(grafana=grafana)) == []
    place = "/api/0/organizations/acme/releases/"
    assert receiver.of(place) == [{"version": "c0ffee00c0ffee", "projects": ["shop"]}]
    (deploy,) = receiver.of(f"{place}c0ffee00c0ffee/deploys/")
    assert (deploy["environment"], deploy["name"]) == ("production", "r2")
    (mark,) = receiver.of("/api/annotations")
    assert mark["tags"] == ["shipway", "shop", "done", "eu"]
    assert 0 < mark["time"] <= mark["timeEnd"]
    assert {bearer for _, bearer, _ in receiver.asked} == {f"Bearer {TOKEN}"}


def test_steps_are_spans(receiver: Receiver):
    assert run(fails=True, environ={"OTEL_EXPORTER_OTLP_ENDPOINT": f"{receiver.url}/"}) == []
    (body,) = receiver.of("/v1/traces")
    root, step = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (root["name"], step["name"], step["parentSpanId"]) == ("deploy r2", "send r2", root["spanId"])
    assert (len(root["traceId"]), len(step["spanId"]), step["status"]["code"]) == (32, 16, 2)
    assert int(root["startTimeUnixNano"]) <= int(step["startTimeUnixNano"]) <= int(step["endTimeUnixNano"])


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"}, "http://t/x"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, ""),
    ],
)
def test_where_traces_go_is_told_by_the_usual_variables(environ: dict[str, str], url: str):
    assert endpoint(environ) == url
    assert headers({"OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b, x=1,bad"}) == {"api-key": "a b", "x": "1"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of apprise
def test_receivers_that_fail_are_named_without_their_addresses(receiver: Receiver):
    bad = [f"{receiver.url}/broken", f"{receiver.url}/moved", "http://127.0.0.1:1/closed", "http://no.invalid/x"]
    targets = [Notify(webhook=inline(url)) for url in bad]
    said = run(*targets, Notify(webhook=SecretRef("GONE")), Notify(apprise=inline("nonsense")))
    assert len(said) == 6
    assert [f"notify/{number} " in line for number, line in enumerate(sorted(said))] == [True] * 6
    assert not [line for line in said if any(url in line for url in bad)]
    assert not receiver.of("/elsewhere")


def test_one_that_hangs_keeps_nobody_waiting(receiver: Receiver):
    good, hangs = (Notify(webhook=inline(f"{receiver.url}/{path}"), timeout=20) for path in ("hook", "hangs"))
    said = run(hangs, good, limit_s=0.5)
    assert not receiver.release.is_set(), "it still hangs"
    assert len(said) == 1
    assert "notify/0" in said[0]
    assert len(receiver.of("/hook")) == 2


def test_nobody_to_tell_is_nothing_to_do():
    assert run() == []
