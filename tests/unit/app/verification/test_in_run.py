"""Verification in a run: a simulated fleet is deployed to, and a real server answers for its proxy."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from shipway.adapters.git import Tree
from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import Context
from shipway.app.deploy import deploy_planner, sequel_of
from shipway.app.rollback import rollback_planner
from shipway.app.signals import Interruption
from shipway.app.wanted import Wanted
from shipway.config.load import load_config
from shipway.core.errors import Exit, StepFailed
from shipway.core.events import Event
from shipway.core.record import Record, parse_lines
from shipway.engine.world import Author
from shipway.verification.words import words_of
from tests.engine.client import assert_serves, installed
from tests.engine.sim_host import Fleet
from tests.engine.sim_runtime import sim_site
from tests.engine.sim_transport import SimClock, SimTransport

BARE = sim_site(["app-1", "app-2"], width=0)
CONFIG = """
service: shop
registry: none
builder: {{arch: amd64}}
transport: local
servers: {{web: [app-1, app-2]}}
proxy: {{host: shop.example, run: {{http_port: {port}}}}}
verify:
  {{retries: 0, timeout: 5, database: false, cache: false, email: false, storage: false, media: false, secure: false,
   workers: false, scheduler: false, restarts: false, logs: false}}
release: {{on_failure: {policy}}}
"""


class NoSecrets:
    def names(self) -> tuple[str, ...]:
        return ()

    def reveal(self, name: str) -> str:
        raise KeyError(name)


@dataclass
class Shop:
    """What the proxy of every host answers; `broken` are the releases that answer with 500."""

    fleet: Fleet
    broken: set[str] = field(default_factory=set)
    port: int = 0
    policy: str = "rollback"
    stops: bool = False
    answers: list[bool] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def run(self, verb: str = "deploy") -> Report:
        config = load_config({"deploy.yml": CONFIG.format(port=self.port, policy=self.policy)})
        tree = Tree("/repo", "", "c0ffee" * 7)
        service = SimpleNamespace(config=config, tree=tree, release_version=tree.version, secrets=NoSecrets())
        site = replace(BARE, verifies=words_of(config))
        interruption = Interruption(self.said.append)

        def listen(event: Event) -> None:
            self.events.append(event)
            if self.stops and event.kind == "stage.begin" and event.title.startswith("Verify"):
                interruption.on_signal(signal.SIGINT)

        caller = Caller(listen=listen, say=self.said.append, ask=self.ask if self.answers else None)

        async def main() -> Report:
            context = Context(
                Choice(), service, site, SimTransport(self.fleet), SimClock(self.fleet), Author("bo", "desk")
            )
            run = Run.new(context, caller, interruption)
            if verb == "deploy":
                return await change(run, deploy_planner(context, run.id), sequel=sequel_of(context, Wanted(), caller))
            planner = rollback_planner(context, run.id, "")
            return await change(run, planner, is_enough=lambda settled: settled.ending == "undone")

        return asyncio.run(main())

    def ask(self, question: str) -> bool:
        self.asked.append(question)
        return self.answers.pop(0)

    def fails(self, verb: str = "deploy") -> StepFailed:
        with pytest.raises(StepFailed) as caught:
            self.run(verb)
        return caught.value

    def serving(self) -> str:
        return next(iter(self.fleet.hosts["app-1"].live.values())).rpartition("-")[2]

    def verified(self) -> list[Record]:
        ledger = next(text for path, text in self.fleet.hosts["app-1"].files.items() if path.endswith("ledger.jsonl"))
        return [record for record in parse_lines(ledger) if record.kind == "run.verified"]


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop(installed(BARE, deploys=1))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            release = made.serving()
            self.send_response(500 if release in made.broken else 200)
            self.send_header("X-Release", release)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_a_good_release_is_verified_on_every_host_and_noted(shop: Shop) -> None:
    report = shop.run()
    assert report.outcome == "done"
    assert any(note.startswith("verified r2: ") for note in report.notes)
    hosts = {event.host for event in shop.events if event.kind == "check.passed"}
    assert hosts == {"app-1", "app-2"}
    (record,) = shop.verified()
    assert (record.detail["release"], record.detail["verified"]) == ("r2", "passed")
    assert_serves(BARE, shop.fleet, {"r2"})


def test_a_broken_release_is_turned_back_and_what_serves_then_is_verified(shop: Shop) -> None:
    shop.broken = {"r2"}
    error = shop.fails()
    assert error.exit_code is Exit.UNDONE
    assert error.code == "verify.pages"
    assert "answered 500" in error.what
    assert "r1 serves" in error.now
    assert "r1 was verified" in error.now
    assert [record.detail["verified"] for record in shop.verified()] == ["failed", "passed"]
    assert_serves(BARE, shop.fleet, {"r1"})


def test_what_fails_before_and_after_is_not_blamed_on_the_release(shop: Shop) -> None:
    shop.broken = {"r1", "r2"}
    assert "r2 is not the only cause" in shop.fails().now


def test_hold_leaves_both_and_the_next_deploy_takes_it_back(shop: Shop) -> None:
    shop.broken, shop.policy = {"r2"}, "hold"
    error = shop.fails()
    assert error.exit_code is Exit.MIXED
    assert "r1 still runs beside it" in error.now
    assert "--unverified" in error.next
    assert shop.serving() == "r2"
    report = shop.run()
    assert report.release == "r3"
    assert_serves(BARE, shop.fleet, {"r3"})


@pytest.mark.parametrize(("answers", "ended"), [([True], Exit.UNDONE), ([False], Exit.MIXED), ([], Exit.MIXED)])
def test_ask_asks_a_person_and_holds_without_one(shop: Shop, answers: list[bool], ended: Exit) -> None:
    shop.broken, shop.policy, shop.answers = {"r2"}, "ask", list(answers)
    assert shop.fails().exit_code is ended
    assert len(shop.asked) == len(answers)


def test_a_way_back_that_a_person_asked_for_is_told_and_stays(shop: Shop) -> None:
    shop.run()
    shop.broken = {"r1"}
    error = shop.fails("rollback")
    assert error.exit_code is Exit.MIXED
    assert_serves(BARE, shop.fleet, {"r1"})


def test_the_first_release_is_held_since_there_is_no_way_back(shop: Shop) -> None:
    shop.fleet = installed(BARE, deploys=0)
    shop.broken = {"r1"}
    error = shop.fails()
    assert "no release served before" in error.what
    assert shop.serving() == "r1"


def test_ctrl_c_ends_the_verification_and_takes_the_run_back(shop: Shop) -> None:
    shop.stops = True
    error = shop.fails()
    assert (error.exit_code, error.code) == (Exit.UNDONE, "run.interrupted")
    assert shop.verified() == []
    assert_serves(BARE, shop.fleet, {"r1"})
