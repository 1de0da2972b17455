"""The program that is sent: starts the worker in a process of its own, and alone can write the answer's markers.

The worker never learns the token. Whatever the project prints, however often it exits and however long it hangs, what
stands between the markers was written here.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import zlib
from typing import Any

NOISE_BYTES = 8_000


def supervise(token: str, options: dict[str, Any], source: str) -> None:
    """Run `source` with `options` as the worker and print its answer between two markers that carry `token`."""
    child = subprocess.Popen(
        [sys.executable or "python3", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        lines, noise, why = listen(child, source.encode(), options)
    finally:
        end(child)
    result = gather(lines)
    result["end"] = {
        "whole": result.pop("end", False) is True,
        "why": why,
        "status": child.returncode,
        "said": noise.decode("utf-8", "replace")[-NOISE_BYTES:],
    }
    text = json.dumps(result, ensure_ascii=True)
    if options.get("packed"):
        text = base64.b64encode(zlib.compress(text.encode("ascii"))).decode("ascii")
    sys.stdout.write(f"\n-----BEGIN SHIPWAY PROBE {token}-----\n{text}\n-----END SHIPWAY PROBE {token}-----\n")
    sys.stdout.flush()


def listen(child: Any, source: bytes, options: dict[str, Any]) -> Any:
    """Feed the worker and read it until it ends, is too slow, or says too much. Returns (answer, noise, why)."""
    deadline = time.monotonic() + options["limit_s"]
    answer, noise = bytearray(), bytearray()
    watch = selectors.DefaultSelector()
    watch.register(child.stdout, selectors.EVENT_READ, answer)
    watch.register(child.stderr, selectors.EVENT_READ, noise)
    feed(child, source)
    # The answer's pipe closes with the worker; standard error may stay open in a process that the project started.
    while child.stdout in [key.fileobj for key in watch.get_map().values()]:
        left = deadline - time.monotonic()
        if left <= 0:
            return answer, noise, "too slow"
        for key, _ in watch.select(left):
            piece = os.read(key.fd, 1 << 16)
            if not piece:
                watch.unregister(key.fileobj)
            key.data.extend(piece)
        del noise[:-NOISE_BYTES]
        if len(answer) > options["limit_bytes"]:
            return answer, noise, "too big"
    return answer, noise, ""


def feed(child: Any, source: bytes) -> None:
    """Send the worker its program; Python reads all of it before it runs any."""
    try:
        child.stdin.write(source)
        child.stdin.close()
    except BrokenPipeError:
        pass


def end(child: Any) -> None:
    """End the worker and everything that it started."""
    try:
        child.wait(0.5)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except OSError:
        pass
    child.wait()


def gather(lines: bytes) -> dict[str, Any]:
    """Return the sections that came whole, and under "at" the last one that was begun."""
    result: dict[str, Any] = {}
    for line in bytes(lines).split(b"\n"):
        try:
            body = json.loads(line)
            if "at" in body:
                result["at"] = str(body["at"])
            else:
                result[str(body["section"])] = body["data"]
        except (ValueError, TypeError, KeyError):
            continue
    return result
