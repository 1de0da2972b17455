"""The steps of a run as spans of OpenTelemetry: OTLP over HTTP in its JSON form, where an endpoint is set.

The variables are those of OpenTelemetry's specification; nothing but the standard library is needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from shipway.core.events import Event
from shipway.core.step import Plan

_NANO = 1_000_000_000
_INTERNAL = 1
_OK, _ERROR = 1, 2  # of Status.code in trace.proto
_ENDED = {"step.done": _OK, "step.skipped": _OK, "step.failed": _ERROR, "step.undone": _OK, "step.undo_failed": _ERROR}
_MAX_SPANS = 2_000


def endpoint(environ: Mapping[str, str]) -> str:
    """Return where traces go, "" where OpenTelemetry is not set up or is switched off."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER", "") == "none":
        return ""
    if own := environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""):
        return own
    base = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    return f"{base.rstrip('/')}/v1/traces" if base else ""


def headers(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that OpenTelemetry's variables ask for: `name=value,name=value`, percent-encoded."""
    text = environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    pairs = (part.partition("=") for part in text.split(","))
    return {name.strip(): unquote(value.strip()) for name, sign, value in pairs if sign and name.strip()}


@dataclass(frozen=True, slots=True)
class Span:
    """One step, or the run. Times are seconds of a monotonic clock."""

    name: str
    key: str
    from_s: float
    to_s: float
    status: int
    words: Mapping[str, str]


@dataclass(slots=True)
class Spans:
    """A listener that keeps what a run did. `zero_s` is what the wall clock says when the monotonic one says 0."""

    zero_s: float
    found: list[Span] = field(default_factory=list)
    _begun: dict[str, float] = field(default_factory=dict)
    _first_s: float | None = None
    _last_s: float = 0.0

    def listen(self, event: Event) -> None:
        """Take in `event`."""
        self._first_s = event.at_s if self._first_s is None else self._first_s
        self._last_s = event.at_s
        if event.kind in ("step.begin", "step.undoing"):
            self._begun[event.step] = event.at_s
        elif event.kind in _ENDED and len(self.found) < _MAX_SPANS:
            begun_s = self._begun.pop(event.step, event.at_s - event.took_s)
            words = {"host.name": event.host, "shipway.step": event.step, "shipway.stage": event.stage,
                     "shipway.state": event.kind.removeprefix("step.")}  # fmt: skip
            name = event.title or event.step
            self.found.append(Span(name, f"{event.kind} {event.step}", begun_s, event.at_s, _ENDED[event.kind], words))

    def document(self, plan: Plan, outcome: str, words: Mapping[str, str]) -> bytes:
        """Return the spans of the run of `plan` as one request of OTLP; `words` are those of the run."""
        trace = hashlib.sha256(plan.run.encode()).hexdigest()[:32]
        first_s = self._first_s if self._first_s is not None else self._last_s
        status = _OK if outcome == "done" else _ERROR
        root = Span(f"{plan.verb} {plan.release}".strip(), "run", first_s, self._last_s, status, words)
        spans = [self._span(root, trace, ""), *(self._span(one, trace, _id(trace, "run")) for one in self.found)]
        resource = {"attributes": _attributes({"service.name": "shipway", "shipway.service": plan.service})}
        body = {
            "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "shipway"}, "spans": spans}]}]
        }
        return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()

    def _span(self, span: Span, trace: str, parent: str) -> dict[str, object]:
        return {
            "traceId": trace,
            "spanId": _id(trace, span.key),
            "parentSpanId": parent,
            "name": span.name,
            "kind": _INTERNAL,
            "startTimeUnixNano": str(int((self.zero_s + span.from_s) * _NANO)),
            "endTimeUnixNano": str(int((self.zero_s + span.to_s) * _NANO)),
            "attributes": _attributes(span.words),
            "status": {"code": span.status},
        }


def _id(trace: str, key: str) -> str:
    return hashlib.sha256(f"{trace} {key}".encode()).hexdigest()[:16]


def _attributes(words: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in words.items() if value]
