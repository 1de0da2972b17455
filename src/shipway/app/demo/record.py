"""What became of every request: samples, and the recorder that all visitors share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from shipway.app.demo.http import Broken, KeepAlive, Request, Response

Kind = Literal["page", "visit", "form", "post", "upload", "slow", "asset", "old asset", "websocket"]
"""`page`: over a kept connection; `visit`: over a new one; `old asset`: a file that only earlier pages named."""

Outcome = Literal["ok", "retried", "failed"]
"""`retried`: a browser would have shown nothing, having sent the request again by itself. It is no success for us."""

_IDEMPOTENT = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. `phase` is the one in which it began; `status` 0: there was no answer; `release`: who answered."""

    phase: str
    kind: Kind
    outcome: Outcome
    status: int = 0
    release: str = ""
    latency_s: float = 0.0
    error: str = ""


Check = Callable[[Response], str]
"""Says what is wrong with an answer; "" when nothing is."""


@dataclass(slots=True)
class Recorder:
    """Collects samples. `clock` answers seconds and never goes back."""

    clock: Callable[[], float]
    phase: str = "start"
    samples: list[Sample] = field(default_factory=list)

    def add(self, sample: Sample) -> int:
        """Keep a sample and return its number."""
        self.samples.append(sample)
        return len(self.samples) - 1

    def fail(self, number: int, error: str) -> None:
        """Say afterwards that a request failed: its answer was good, and what it promised was not true."""
        self.samples[number] = replace(self.samples[number], outcome="failed", error=error)

    async def send(self, connection: KeepAlive, kind: Kind, request: Request, check: Check) -> tuple[int, Response]:
        """Send `request`, retry it only as a browser would, record it; return its number and answer.

        Raises Broken when there was no answer, after recording that.
        """
        phase, began, retried = self.phase, self.clock(), ""
        try:
            try:
                response = await connection.request(request)
            except Broken as broken:
                if not (broken.before_answer and request.method in _IDEMPOTENT):
                    raise
                retried = broken.why
                response = await connection.request(request)
        except Broken as broken:
            self.add(Sample(phase, kind, "failed", latency_s=self.clock() - began, error=broken.why))
            raise
        problem = check(response)
        outcome: Outcome = "failed" if problem else "retried" if retried else "ok"
        release = response.headers.get("x-release", "")
        took_s = self.clock() - began
        number = self.add(Sample(phase, kind, outcome, response.status, release, took_s, problem or retried))
        return number, response


def expect(status: int, *, release: bool = True, ending: bytes = b"") -> Check:
    """Return a check of the status, of a body that ends as it should, and that a release (not the proxy) answered."""

    def check(response: Response) -> str:
        if response.status != status:
            return f"status {response.status}"
        if release and not response.headers.get("x-release"):
            return "not answered by a release"
        return "" if response.body.rstrip().endswith(ending) else "the page is not whole"

    return check
