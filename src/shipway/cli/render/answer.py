"""Results on standard output: text for a person, or one JSON document."""

from __future__ import annotations

import json
import sys
from contextlib import suppress


def print_text(text: str) -> None:
    """Write `text` and a newline to standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def print_json(value: object) -> None:
    """Write `value` as one JSON document and a newline to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Write `text` and a newline to standard error: what is not the result. A closed terminal is no reason to fail."""
    with suppress(OSError):
        sys.stderr.write(text.rstrip("\n") + "\n")
        sys.stderr.flush()
