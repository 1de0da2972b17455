"""A run as JSON lines on standard output: an object per event, the report as the last."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Self, TextIO

from shipway.cli.render.text import harmless
from shipway.core.events import Event


class JsonLines:
    """A display that writes each event as one line of JSON. Fields that are empty are left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.flush()

    def aside(self) -> AbstractContextManager[None]:
        """Leave the stream to a question: nothing here is in its way."""
        return nullcontext()

    def listen(self, event: Event) -> None:
        """Write `event`."""
        body = {key: value for key, value in asdict(event).items() if value not in ("", 0.0) or key == "at_s"}
        if event.detail:
            body["detail"] = harmless(event.detail)
        self._stream.write(json.dumps({"event": body.pop("kind"), **body}, ensure_ascii=False) + "\n")
        self._stream.flush()
