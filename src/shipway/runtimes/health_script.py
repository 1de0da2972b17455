"""Asks a unit whether it works, on the host, inside the release; waits, and answers once. Python 3.9, standard library.

Sent on standard input to the release's interpreter: `python -I -S - JSON < health_script.py`. The question is one JSON
object (see `health.py`). The answer is one line of JSON on standard output; a failure is also told in plain words, with
the end of the unit's log, on standard error. Exits 0 when the unit works, 1 when it did not within the time, 2 for a
question that cannot be read.
"""

from __future__ import annotations

import json
import sys

BODY_BYTES = 300
LOG_LINES = 20
LOG_BYTES = 8192
LOG_S = 10.0
MAX_STARTS = 3  # a unit that had to be started this often while we waited is in a crash loop
FIRST_PAUSE_S = 0.05
LOOK_EVERY_S = 0.15  # looking costs the unit nothing
CALM_AFTER_S, CALM_FOR_S, CALM_SHARE = 0.5, 0.25, 0.1  # a process that has stopped computing has done its imports
LISTENS = "0A"  # TCP_LISTEN of Linux, in /proc/net/tcp
DOCKER_DNS = "127.0.0.11:"  # the resolver that Docker puts into each container
# Settings decide answers of 3xx and 4xx, so waiting does not change them; a few seconds are for what loads late.
FINAL_AFTER_S, NOT_FINAL = 5.0, (408, 425, 429)
SUCCESS, REDIRECTION, CLIENT_ERROR, SERVER_ERROR = 2, 3, 4, 5  # the hundreds of RFC 9110, section 15


STATUS_CAUSES = {
    400: "Django answered 400: `{host}` is probably not in ALLOWED_HOSTS",
    401: "`{path}` asks for a login: name a path in `django.health` that is open",
    403: "`{path}` is forbidden: name a path in `django.health` that is open",
    404: "there is no `{path}` in the project's URLs: name one that exists in `django.health`",
    502: "the application answered 502, as if it were a proxy",
    503: "the application says that it is not available (503)",
}
ERROR_CAUSES = {
    "ended": "the process did not stay up: its last log lines say why",
    "timeout": "the process is up and did not answer in time: it hangs, or waits for a database or a service",
    "no_socket": "the process did not start to listen: it still starts, it ended, or its command binds elsewhere",
    "refused": "the process did not start to listen: it still starts, it ended, or its command binds elsewhere",
    "broken": "the answer could not be read as HTTP",
}


def likely_cause(answer: dict[str, object]) -> str:
    """Return one sentence on why a unit with this answer is not healthy, and what to look at."""
    status = answer.get("status")
    if not isinstance(status, int):
        return ERROR_CAUSES.get(str(answer.get("error") or "").partition(":")[0], "")
    if status in STATUS_CAUSES:
        words = {key: str(answer.get(key) or "")[:200] for key in ("host", "path")}
        return STATUS_CAUSES[status].format(**words)
    if status // 100 == REDIRECTION:
        location = str(answer.get("location") or "")[:300]
        if location.startswith("https:"):
            return f"redirected to {location}: SECURE_SSL_REDIRECT is on, and the check was not marked as HTTPS"
        return f"redirected to {location}: name a path in `django.health` that answers 200 by itself"
    if status // 100 == SERVER_ERROR:
        return (
            f"the application raised an exception while answering (status {status}); Django logs its traceback only"
            " where LOGGING has a handler for `django.request`"
        )
    return f"answered with status {status}, which is not from 200 to 299"


def ask(question: dict[str, object]) -> dict[str, object]:
    """Return what one request to the unit gave: status, body, location, or the kind of error and its text."""
    import socket
    from http.client import HTTPConnection, HTTPException

    timeout_s = float(str(question.get("timeout_s", 5.0)))
    unix, address = str(question.get("socket") or ""), str(question.get("address") or "")
    host, _, port = address.rpartition(":")
    connection = HTTPConnection(host.strip("[]") or "localhost", int(port or 80), timeout=timeout_s)
    try:
        if unix:
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.sock.settimeout(timeout_s)
            connection.sock.connect(unix)
        headers = {"Host": str(question.get("host") or "localhost"), "User-Agent": "shipway-health"}
        if question.get("https"):
            headers["X-Forwarded-Proto"] = "https"
        connection.request("GET", str(question.get("path") or "/"), headers=headers)
        response = connection.getresponse()
        body = response.read(BODY_BYTES).decode("utf-8", "replace")
        return {"status": response.status, "body": body, "location": (response.getheader("Location") or "")[:300]}
    except FileNotFoundError as error:
        return {"error": f"no_socket: {error.strerror}: {unix}"}
    except ConnectionRefusedError as error:
        return {"error": f"refused: {error.strerror}"}
    except socket.timeout:  # noqa: UP041  another class before Python 3.10
        return {"error": f"timeout: no answer in {timeout_s:g} s"}
    except (OSError, HTTPException, ValueError) as error:
        return {"error": f"broken: {type(error).__name__}: {error}"[:300]}
    finally:
        connection.close()


class Watch:
    """Notices starts and ends of the unit's process. Without a way to ask (`words` empty) it never knows better."""

    def __init__(self, words: list[str]) -> None:
        self.words, self.process, self.is_alive, self.starts, self.since_s = words, "", False, 0, 0.0
        self.used: list[tuple[float, float]] = []

    def look(self, now_s: float) -> None:
        """Ask once. The command prints which process was started last, and exits 0 while it lives."""
        import subprocess

        done = subprocess.run(
            self.words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False
        )
        process = done.stdout.decode("ascii", "replace").strip()
        if process and process != self.process:
            self.process, self.starts, self.since_s, self.used = process, self.starts + 1, now_s, []
        self.is_alive = done.returncode == 0
        self.used.append((now_s, processor_s(process)))

    def steady_s(self, now_s: float) -> float:
        """Return for how long the present process has been seen alive."""
        return now_s - self.since_s if self.is_alive else 0.0

    def is_calm(self, now_s: float) -> bool:
        """Return whether the process is past its start: it lives, and for a while it has hardly computed."""
        before = [(at_s, used_s) for at_s, used_s in self.used if at_s <= now_s - CALM_FOR_S and used_s >= 0]
        if not before or self.steady_s(now_s) < CALM_AFTER_S:
            return False
        at_s, used_s = before[-1]
        return 0 <= self.used[-1][1] - used_s <= CALM_SHARE * (now_s - at_s)


def processor_s(process: str) -> float:
    """Return the processor time that a process has used, from proc(5); -1 where there is no such thing."""
    import os

    try:
        with open(f"/proc/{int(process)}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime
    except (OSError, ValueError, IndexError):
        return -1.0


def listeners() -> list[str]:
    """Return where processes of this network namespace listen on TCP, as `address:port`; from proc(5)."""
    import socket

    found = []
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        try:
            with open(f"/proc/net/{name}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
            for row in rows:
                if row[3] == LISTENS:
                    address, _, port = row[1].partition(":")
                    words = [bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)]
                    found.append(f"{socket.inet_ntop(family, b''.join(words))}:{int(port, 16)}")
        except (OSError, ValueError, IndexError):
            continue
    return [place for place in found if not place.startswith(DOCKER_DNS)]


def is_asked(question: dict[str, object]) -> bool:
    """Return whether the unit listens somewhere and can be asked; others are only looked at."""
    return bool(question.get("socket") or question.get("address"))


def attempt(question: dict[str, object], watch: Watch, now_s: float) -> dict[str, object]:
    """Return the answer of one try, with `ok`."""
    if watch.words:
        watch.look(now_s)
    if watch.words and not watch.is_alive:
        return {"ok": False, "error": "ended: the process is not running"}
    if not is_asked(question):
        steady = watch.is_calm(now_s) or watch.steady_s(now_s) >= float(str(question.get("steady_s", 3.0)))
        return {"ok": steady, "error": "" if steady else "ended: the process was not up long enough"}
    answer = ask(question)
    status = answer.get("status")
    return {**answer, "ok": isinstance(status, int) and status // 100 == SUCCESS}


def wait(question: dict[str, object]) -> dict[str, object]:
    """Return the first good answer, or the last bad one when the time is over or the unit keeps ending."""
    import time

    begun = time.monotonic()
    limit_s, every_s = float(str(question.get("limit_s", 30.0))), float(str(question.get("interval_s", 1.0)))
    if not is_asked(question):
        every_s = min(every_s, LOOK_EVERY_S)
    words = question.get("alive")
    watch = Watch([str(word) for word in words] if isinstance(words, list) else [])
    pause_s, attempts = min(FIRST_PAUSE_S, every_s), 0
    status, since_s = 0, 0.0
    while True:
        answer = attempt(question, watch, time.monotonic())
        attempts += 1
        waited_s = time.monotonic() - begun
        if answer.get("status") != status:
            status, since_s = final_status(answer), waited_s
        if status and waited_s - since_s >= FINAL_AFTER_S:
            answer["final"] = True
        looping = watch.starts >= MAX_STARTS
        if looping and not answer["ok"]:
            answer["error"] = f"ended: started {watch.starts} times and ended each time"
        if answer["ok"] or answer.get("final") or looping or waited_s + pause_s > limit_s:
            answer.update(attempts=attempts, waited_s=round(waited_s, 3), starts=watch.starts)
            answer.update(host=question.get("host", ""), path=question.get("path", ""))
            if not answer["ok"]:
                if question.get("address") and str(answer.get("error") or "").startswith("refused"):
                    answer["listens"] = listeners()
                answer["cause"] = likely_cause(answer)
            return answer
        time.sleep(pause_s)
        # Nobody hears a question that is refused, so asking again at once takes nothing from what still starts.
        pause_s = min(pause_s * 1.5, min(every_s, LOOK_EVERY_S) if is_unheard(answer) else every_s)


def final_status(answer: dict[str, object]) -> int:
    """Return the status of an answer that will be the same in a minute, 0 for others."""
    status = answer.get("status")
    if not isinstance(status, int) or status in NOT_FINAL or status // 100 not in (REDIRECTION, CLIENT_ERROR):
        return 0
    return status


def is_unheard(answer: dict[str, object]) -> bool:
    """Return whether nothing listened."""
    return str(answer.get("error") or "").partition(":")[0] in ("refused", "no_socket")


def last_lines(words: list[str]) -> list[str]:
    """Return the last lines of what a command prints; none when it cannot be run."""
    import subprocess

    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=LOG_S,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout[-LOG_BYTES:].decode("utf-8", "replace").splitlines()[-LOG_LINES:]


def told(answer: dict[str, object], log: list[str]) -> str:
    """Return a failure in plain words, for standard error. The cause stands last: of a failure the end is shown."""
    tail = last_lines(log) if log else []
    lines = [f"last lines of {log[-1]}:", *tail] if tail else []
    facts = [(key, " ".join(str(answer.get(key) or "").split())) for key in ("status", "error", "location", "body")]
    lines += [f"{key}: {text}" for key, text in facts if text]
    lines.append(f"not healthy after {answer['attempts']} tries in {answer['waited_s']} s: {likely_cause(answer)}")
    return "\n".join(lines)


def main() -> int:
    """Run the check that the first argument asks for; return the exit status."""
    try:
        question = json.loads(sys.argv[1])
        answer = wait(question)
    except (IndexError, ValueError, TypeError) as error:
        sys.stderr.write(f"the health question cannot be read: {error}\n")
        return 2
    sys.stdout.write(json.dumps(answer) + "\n")
    if not answer["ok"]:
        log = question.get("log")
        sys.stderr.write(told(answer, [str(word) for word in log] if isinstance(log, list) else []) + "\n")
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
