"""Why a container does not work, in words. Pure; sent to hosts beside `prove_script.py`. Python 3.9, standard library.

Told is what Docker knows of the container (`Seen`), the end of its log, and its last answer to the health check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

LOG_LINES = 50
LINE_CHARS = 300
KILLED, SEGFAULT, NOT_EXECUTABLE, NOT_FOUND = 137, 139, 126, 127
SERVER_ERROR = 500
CRASHES = 2  # restarts after which a container is in a crash loop


class Seen(NamedTuple):
    """A container as Docker sees it. `age_s`: since its last start. `health`: of the image's HEALTHCHECK, "" for none.

    `address` is "" where it shares its host's network. `error` is what Docker says about its start.
    """

    status: str = ""
    exit_code: int = 0
    is_oom: bool = False
    restarts: int = 0
    age_s: float = 0.0
    started_at: str = ""
    health: str = ""
    health_log: str = ""
    error: str = ""
    address: str = ""
    hostname: str = ""

    @property
    def is_up(self) -> bool:
        """Whether its process runs."""
        return self.status == "running"

    @property
    def is_lost(self) -> bool:
        """Whether waiting cannot help: it ended for good, never started, or starts again and again."""
        return self.status in ("exited", "dead", "created", "removing", "") or self.restarts >= CRASHES


class Answer(NamedTuple):
    """What the container said to the health check. `cause`: what `health_script.py` makes of it."""

    status: int = 0
    body: str = ""
    location: str = ""
    error: str = ""
    cause: str = ""
    is_https: bool = False
    listens: Sequence[str] = ()


Sentence = Callable[["re.Match[str]"], str]


def missing_variable(match: re.Match[str]) -> str:
    """Return the sentence for a variable that the code asks for and the environment does not have."""
    return f"the environment variable {match[1]} is missing: add it under `env:` (`secret:` for one that is secret)"


def unreachable(what: str) -> Sentence:
    """Return the sentence for a service that cannot be reached; the match may name it."""

    def sentence(match: re.Match[str]) -> str:
        where = " ".join(group for group in match.groups() if group)
        return f"it cannot reach {what}{f' ({where})' if where else ''}: is it up, and is the address right?"

    return sentence


def fixed(text: str) -> Sentence:
    """Return a sentence with the groups of the match in it."""
    return lambda match: text.format(*(group or "" for group in match.groups()))


# Newest lines are looked at first; within a line the first pattern counts.
LOG_CAUSES: Sequence[tuple[str, Sentence]] = (
    (r"exec format error", fixed("the image was built for another architecture than this host's (exec format error)")),
    (r"KeyError: ['\"]([A-Z][A-Z0-9_]{2,})['\"]", missing_variable),
    (r"ImproperlyConfigured: Set the (\S+) environment variable", missing_variable),
    (r"UndefinedValueError: (\S+) not found", missing_variable),
    (r"environment variable ['\"]?([A-Z][A-Z0-9_]+)['\"]? (?:is )?(?:not set|missing|required)", missing_variable),
    (r"The (SECRET_KEY) setting must not be empty", missing_variable),
    (r"password authentication failed for user \"?([^\"\s]+)", fixed("the database refused the password of {0}")),
    (r"Access denied for user ('[^']*'@'[^']*')", fixed("the database refused {0}")),
    (r"database \"([^\"]+)\" does not exist", fixed("the database server has no database {0}")),
    (
        r"(?:connection to server at|could not connect to server)[^\"]*\"([^\"]+)\"(?:[^,]*, (port \d+))?.*failed",
        unreachable("the database"),
    ),
    (r"could not translate host name \"([^\"]+)\"", unreachable("the database")),
    (r"Can't connect to (?:local )?(?:MySQL )?server on '([^']+)'", unreachable("the database")),
    (r"(?:could not connect to server|OperationalError: .*unable to open database file)", unreachable("the database")),
    (r"Error (?:111|113|110|-2|-3|-5) connecting to ([^\s.]\S*?)\. ", unreachable("Redis")),
    (r"Cannot connect to ((?:redis|rediss|amqps?|sentinel|sqs)://\S+?):? ", unreachable("the broker")),
    (r"kombu\.exceptions\.OperationalError: (.{0,120})", unreachable("the broker")),
    (r"(?:relation|table) \"?([\w.]+)\"? does(?:n't| not) exist|no such table: (\S+)", fixed(
        "the database has no table {0}{1}: migrations are not applied"
    )),
    (r"ModuleNotFoundError: No module named '([^']+)'", fixed("the image has no Python module {0}")),
    (r"ImproperlyConfigured: (.{3,200})", fixed("Django is not configured: {0}")),
    (r"[Aa]ddress already in use", fixed("its port is taken: another process of the container listens there")),
    (r"PermissionError: \[Errno 13\] [^:]*: '([^']+)'", fixed("it may not use {0}: whose is it?")),
    (r"No space left on device", fixed("the disk of this host is full: `shipway prune` removes old releases")),
    (r"^MemoryError|Cannot allocate memory|OutOfMemory", fixed("it ran out of memory")),
    (r"Unable to load celery application|Error: Invalid value for '-A'", fixed("`celery -A` names no application")),
)  # fmt: skip

ENGINE_CAUSES: Sequence[tuple[str, Sentence]] = (
    (r"exec format error", fixed("the image was built for another architecture than this host's (exec format error)")),
    (
        r"exec: \"([^\"]+)\".*(?:not found|no such file)",
        fixed("`cmd` begins with {0}, and the image has no such program"),
    ),
    (r"exec: \"([^\"]+)\".*permission denied", fixed("{0} in the image is not executable")),
    (r"Bind for (\S+) failed: port is already allocated", fixed("{0} is taken on this host by another container")),
    (r"address already in use", fixed("a published port is taken on this host")),
    (r"(?:network|Network) (\S+) not found", fixed("there is no Docker network {0}: `shipway setup` makes it")),
    (r"[Nn]o space left on device", fixed("the disk of this host is full: `shipway prune` removes old releases")),
)

STATUS_CAUSES = {
    KILLED: "it was killed (exit code 137): by the kernel for want of memory, or because it did not end when asked",
    SEGFAULT: "it crashed in native code (exit code 139)",
    NOT_EXECUTABLE: "its command is not executable (exit code 126)",
    NOT_FOUND: "its command was not found in the image (exit code 127)",
}


def matched(causes: Sequence[tuple[str, Sentence]], lines: Sequence[str]) -> str:
    """Return the sentence of the first pattern that a line has, newest line first; "" for none."""
    for line in reversed(lines):
        for pattern, sentence in causes:
            match = re.search(pattern, line)
            if match:
                return sentence(match)
    return ""


def port_cause(answer: Answer, port: int) -> str:
    """Return the sentence for a process that listens elsewhere than where it is asked; "" where nothing is known."""
    places = [(place.rpartition(":")[0], place.rpartition(":")[2]) for place in answer.listens]
    if answer.status or not answer.error.startswith("refused") or not places:
        return ""
    if any(number == str(port) for _, number in places):
        return f"it listens on 127.0.0.1:{port} only, where the proxy cannot reach it: bind to 0.0.0.0:{port}"
    names = ", ".join(sorted({number for _, number in places}))
    return f"it listens on port {names}, and `proxy.app_port` is {port}: make them the same"


def https_cause(answer: Answer) -> str:
    """Return the sentence for a redirection to HTTPS, with what to set."""
    if answer.status // 100 != 3 or not answer.location.startswith("https:"):  # noqa: PLR2004  redirections
        return ""
    header = 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")'
    if answer.is_https:
        return f"redirected to {answer.location}: SECURE_SSL_REDIRECT is on and the proxy is not trusted: set {header}"
    return (
        f"redirected to {answer.location}: SECURE_SSL_REDIRECT is on, and this site has no HTTPS here:"
        f" set `proxy: {{ssl: true}}`, with {header} in the settings"
    )


def likely_cause(seen: Seen, lines: Sequence[str], answer: Answer, port: int = 0) -> str:
    """Return one sentence on why a container does not work, "" when nothing tells."""
    oom = "it used more memory than it may and was killed: raise `memory` under the role's `options:`"
    says_no = answer.cause if answer.status and answer.status < SERVER_ERROR else ""
    causes = (
        oom if seen.is_oom else "",
        matched(ENGINE_CAUSES, [seen.error]),
        https_cause(answer) or says_no,  # it works well enough to say no
        matched(LOG_CAUSES, lines),
        port_cause(answer, port),
        f"the image's own HEALTHCHECK fails: {seen.health_log.strip()[-200:]}" if seen.health == "unhealthy" else "",
        "" if seen.is_up else STATUS_CAUSES.get(seen.exit_code, ""),
        "the process does not stay up: its last log lines say why" if not seen.is_up or seen.restarts else "",
        answer.cause,
    )
    return next(filter(None, causes), "")


def told(seen: Seen, lines: Sequence[str], answer: Answer, why: str, port: int = 0) -> str:
    """Return a failure in plain words. The cause stands last: of a failure the end is shown."""
    said = ["last log lines:", *(line[:LINE_CHARS] for line in lines[-LOG_LINES:])] if lines else ["it logged nothing"]
    facts = [f"status {seen.status or 'gone'}", f"exit code {seen.exit_code}", f"restarts {seen.restarts}"]
    facts += [f"OOMKilled {'yes' if seen.is_oom else 'no'}"]
    said.append("container: " + ", ".join(facts) + (f", {seen.error}" if seen.error else ""))
    if answer.status or answer.error:
        about = [str(answer.status or ""), answer.location and f"to {answer.location}", answer.error, answer.body]
        said.append("health: " + " ".join(" ".join(part.split()) for part in about if part))
    cause = likely_cause(seen, lines, answer, port)
    return "\n".join([*said, f"{why}: {cause}" if cause else why])
