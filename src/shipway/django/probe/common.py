"""What the other parts of the worker stand on: the answer, limits of time, and words about errors."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
import traceback
from collections.abc import Iterator
from typing import Any

SECRET_NAME = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|DSN|_URL$|_KEY$", re.IGNORECASE)
MAX_TEXT = 4_000


class TooSlow(BaseException):
    """A section took longer than it may. No `Exception`, so that `except Exception` of a project cannot hide it."""


class Answer:
    """The way back to the supervisor: one line of JSON for each section.

    The pipe that was standard output is taken aside first, so that whatever the project prints goes to standard error.
    """

    def __init__(self) -> None:
        self._fd = os.dup(1)
        os.dup2(2, 1)
        self.secrets: list[str] = []

    def begin(self, section: str) -> None:
        """Say which section is being worked on, so that the supervisor can name it if it must end us."""
        self._line({"at": section})

    def give(self, section: str, data: Any) -> None:
        """Hand over the data of a section."""
        self._line({"section": section, "data": data})

    def _line(self, body: Any) -> None:
        data = (json.dumps(body, ensure_ascii=True, default=str) + "\n").encode("ascii")
        while data:
            data = data[os.write(self._fd, data) :]

    def clean(self, text: Any) -> str:
        """Return free text, bounded, with every secret value that is known taken out."""
        found = str(text)[: MAX_TEXT * 4]
        for value in self.secrets:
            found = found.replace(value, "[secret]")
        return found[:MAX_TEXT]

    def learn_secrets(self, values: Any) -> None:
        """Remember the strings among `values` (mappings by the names of their keys) as secret."""
        if not isinstance(values, dict):
            return
        for name, value in values.items():
            if isinstance(value, dict):
                self.learn_secrets(value)
            elif isinstance(value, str) and len(value) >= 4 and SECRET_NAME.search(str(name)):
                self.secrets.append(value)
            if isinstance(value, str):
                password = re.match(r"^[\w+.-]+://[^/@:]*:([^@]+)@", value)
                if password:
                    self.secrets.append(password.group(1))
        self.secrets.sort(key=len, reverse=True)


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the body after `seconds`, where Python code or a system call is what takes the time.

    One within another leaves the outer one in force.
    """

    def ring(*_: Any) -> None:
        raise TooSlow(f"no end after {seconds:g} s")

    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - began)))


def section(answer: Answer, name: str, options: dict[str, Any], look: Any) -> bool:
    """Give the answer of one section, or the reason why there is none. Returns whether it succeeded."""
    answer.begin(name)
    try:
        with limit(options["section_s"]):
            answer.give(name, look())
    except BaseException as error:  # a project may raise anything, SystemExit included
        answer.give(name + ".error", explain(error, answer))
        return False
    return True


def explain(error: BaseException, answer: Answer) -> dict[str, Any]:
    """Return what an error of the project says: its own last lines, the project's file and line, a missing variable."""
    frames = traceback.extract_tb(error.__traceback__)
    here = os.getcwd() + os.sep
    ours = [f for f in frames if is_ours(f.filename, here)]
    last = ours[-1] if ours else None
    lines = traceback.format_exception_only(type(error), error)
    return {
        "type": type(error).__name__,
        "message": answer.clean(str(error) or type(error).__name__),
        "lines": [answer.clean(line.rstrip("\n")) for line in lines[-5:]],
        "file": os.path.relpath(last.filename) if last else "",
        "line": last.lineno if last else 0,
        "variable": missing_variable(error, frames),
    }


def is_ours(path: str, here: str) -> bool:
    """Return whether a file of a traceback belongs to the project in `here`: no library, no `<frozen os>`."""
    return not path.startswith("<") and os.path.abspath(path).startswith(here) and "site-packages" not in path


def missing_variable(error: BaseException, frames: Any) -> str:
    """Return the name of the environment variable whose absence raised `error`, or ""."""
    if isinstance(error, KeyError) and frames and os.path.basename(frames[-1].filename) in ("os.py", "<frozen os>"):
        return str(error.args[0])
    told = re.search(r"[Ss]et the (\w+) environment variable|(\w+) not found\. Declare it", str(error))
    return (told.group(1) or told.group(2)) if told else ""
