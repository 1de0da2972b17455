"""Counts the requests of an access log before and since a moment. Sent to a host and run there by its Python.

Arguments: the file (JSON lines as Caddy writes them), how many seconds ago the moment was, how long before it the time
begins that is compared, how many seconds after it are left out, the word by which our own requests are known. Answers
with JSON: for `before` and `since` the numbers of requests and of errors (500 and above), and times in ms by powers.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

MOST_BYTES = 48 * 1024 * 1024  # some hundred thousand requests; a log is a file of 50 MB at most
FIRST, ERROR = 200, 500  # below are connections that were given up (0) and WebSockets (101)
BASE = 1.2  # times are kept by powers of this: as exact as 10%


def empty() -> dict[str, Any]:
    """Return the counts of no requests."""
    return {"requests": 0, "errors": 0, "times": {}}


def take(counts: dict[str, Any], row: dict[str, Any]) -> None:
    """Add one request to the counts."""
    status, took_s = row["status"], row["duration"]
    if status < FIRST:
        return
    counts["requests"] += 1
    counts["errors"] += status >= ERROR
    power = str(math.ceil(math.log(max(took_s * 1000, 1.0), BASE)))
    counts["times"][power] = counts["times"].get(power, 0) + 1


def lines(path: str) -> Iterator[bytes]:
    """Yield the lines of the end of the file."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MOST_BYTES))
        if size > MOST_BYTES:
            file.readline()
        yield from file


def main(path: str, ago_s: str, window_s: str, skip_s: str, own: str) -> None:
    """Print the counts."""
    moment = time.time() - float(ago_s)
    begun, skipped, word = moment - float(window_s), moment + float(skip_s), own.encode()
    found: dict[str, Any] = {"before": empty(), "since": empty()}
    try:
        for line in lines(path):
            row = None if word in line else parsed(line)
            if row is None or row["ts"] < begun:
                continue
            began = row["ts"] - row["duration"]
            if began < moment:
                take(found["before"], row)
            elif began >= skipped:
                take(found["since"], row)
    except OSError as error:
        found = {"trouble": str(error)}
    sys.stdout.write(json.dumps(found))


def parsed(line: bytes) -> dict[str, Any] | None:
    """Return a line with its time and its duration as numbers, None for what is no request."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    numbers = all(isinstance(row.get(name), (int, float)) for name in ("ts", "duration", "status"))
    return row if numbers else None


if __name__ == "__main__":
    main(*sys.argv[1:])
