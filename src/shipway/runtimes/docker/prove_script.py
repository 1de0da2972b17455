"""Waits on the host until a container works, and tells why where it does not. Python 3.9, standard library.

`prove.py NAME JSON`, in a directory with `diagnosis.py` and `health.py`. JSON is the question: `limit_s`, `steady_s`,
`once` (look, do not wait), and what kind of proof there is: `health` (the question of `health.py`, with `:PORT` for an
address), `ready` (a pattern that a worker logs once it works), `ping` (the words that ask a Celery worker; `{hostname}`
is filled in). A container whose image has a HEALTHCHECK works when that says so. One that cannot be asked works when it
has run for `steady_s` on its own clock without a restart. Exits 0 when it works, 1 when it does not, 2 for a question
that cannot be read.
"""

from __future__ import annotations

import calendar
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time

try:
    from shipway.runtimes.docker.diagnosis_script import LOG_LINES, Answer, Seen, told
except ImportError:  # on a host, where the files stand side by side
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from diagnosis import LOG_LINES, Answer, Seen, told  # type: ignore[import-not-found,no-redef]

EVERY_S = 0.2
PING_AFTER_S = 8.0  # until then the worker's own log is cheaper than a process that imports the project again
PING_LIMIT_S = 20.0
LOG_BYTES = 200_000
ANSWER_BYTES = 8 << 20
FRAME_BYTES = 8
HTTP_OK = 200
DOCKER_SOCKET = "/var/run/docker.sock"
PYTHONS = (
    "python3",
    "python",
    "/usr/bin/python3",
    "/usr/local/bin/python3",
    "/app/.venv/bin/python",
    "/opt/venv/bin/python",
)
START_LIMIT_S = 10.0  # a container may have ended before it is looked at for the first time
CANNOT_RUN = (126, 127)


def run(*words: str, limit_s: float = 30.0, stdin: bytes = b"") -> tuple[int, str, str]:
    """Return the status and what a program said; a status of -1 for one that took too long."""
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, check=False, timeout=max(0.1, limit_s))
    except subprocess.TimeoutExpired:
        return -1, "", "no answer in time"
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


class Engine(http.client.HTTPConnection):
    """Docker's own interface, on its socket."""

    def connect(self) -> None:
        """Connect to the socket that the command `docker` has by default, or is told."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect((os.environ.get("DOCKER_HOST") or DOCKER_SOCKET).split("unix://")[-1])


def engine(path: str) -> bytes:
    """Return what Docker itself answers, nothing where it cannot be asked: then its command can (another context).

    Measured: 2 ms of a processor instead of 30, which in a start are taken from what starts.
    """
    connection = Engine("localhost", timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read(ANSWER_BYTES) if answer.status == HTTP_OK else b""
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def inspected(name: str) -> tuple[str, str]:
    """Return what Docker knows of a container, as JSON, and what it said where it failed."""
    if body := engine(f"/containers/{name}/json"):
        return body.decode("utf-8", "replace"), ""
    status, out, said = run("docker", "container", "inspect", "--format", "{{json .}}", name)
    return out, said.strip()[-300:] if status else ""


def look(name: str) -> Seen:
    """Return the container as Docker sees it."""
    out, said = inspected(name)
    try:
        found = json.loads(out)
        state, networks = found["State"], found["NetworkSettings"].get("Networks") or {}
        health = state.get("Health") or {}
        started = str(state.get("StartedAt") or "")
        return Seen(
            status=str(state.get("Status") or ""),
            exit_code=int(state.get("ExitCode") or 0),
            is_oom=state.get("OOMKilled") is True,
            restarts=int(found.get("RestartCount") or 0),
            age_s=age_s(started),
            started_at=started,
            health=str(health.get("Status") or "").replace("none", ""),
            health_log=str(((health.get("Log") or [{}])[-1] or {}).get("Output") or ""),
            error=str(state.get("Error") or ""),
            address=next((str(n["IPAddress"]) for n in networks.values() if n and n.get("IPAddress")), ""),
            hostname=str((found.get("Config") or {}).get("Hostname") or ""),
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return Seen(error=said or "Docker's answer could not be read")


def instant(started: str) -> str:
    """Return an instant as Docker writes it in seconds since 1970, with all its digits; nothing for another text."""
    try:
        whole = calendar.timegm(time.strptime(started[:19], "%Y-%m-%dT%H:%M:%S"))
        return f"{whole}{(re.search(r'[.][0-9]+', started) or [''])[0]}"
    except ValueError:
        return ""


def age_s(started: str) -> float:
    """Return how long ago an instant of Docker's clock, which is this machine's, was."""
    begun = instant(started)
    return max(0.0, time.time() - float(begun)) if begun else 0.0


def unframed(body: bytes) -> bytes:
    """Return a log without the frames around its pieces (Docker's API, "Stream format"); of a terminal it has none."""
    pieces = []
    while len(body) >= FRAME_BYTES and body[0] <= 2 and body[1:4] == b"\0\0\0":  # noqa: PLR2004  stderr
        size = FRAME_BYTES + int.from_bytes(body[4:FRAME_BYTES], "big")
        pieces.append(body[FRAME_BYTES:size])
        body = body[size:]
    return b"".join(pieces) or body


def log(name: str, since: str = "", lines: int = LOG_LINES) -> list[str]:
    """Return the last lines of the container's log."""
    asked = f"stdout=1&stderr=1&tail={lines}&since={instant(since) or 0}"
    if body := engine(f"/containers/{name}/logs?{asked}"):
        return unframed(body)[-LOG_BYTES:].decode("utf-8", "replace").splitlines()
    words = ["--since", since] if since else []
    done = subprocess.run(
        ["docker", "logs", "--tail", str(lines), *words, name],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=30,
    )  # fmt: skip
    return done.stdout[-LOG_BYTES:].decode("utf-8", "replace").splitlines() if done.returncode == 0 else []


def with_its_ends(seen: Seen, name: str, since: float) -> Seen:
    """Return a container as it ended last: one that was started again tells neither its exit code nor why."""
    words = ("--since", f"{since:.3f}", "--until", f"{time.time():.3f}", "--filter", f"container={name}")
    form = '{{.Action}} {{index .Actor.Attributes "exitCode"}}'
    _, out, _ = run("docker", "events", *words, "--format", form, limit_s=10.0)
    ends = re.findall(r"^die (\d+)$", out, re.MULTILINE)
    is_oom = seen.is_oom or re.search(r"^oom\b", out, re.MULTILINE) is not None
    return seen._replace(exit_code=int(ends[-1]) if ends else seen.exit_code, is_oom=is_oom)


class Proof:
    """One container, and what is asked of it until the time is over."""

    def __init__(self, name: str, question: dict[str, object]) -> None:
        self.name, self.question, self.answer = name, question, Answer()
        self.is_once = question.get("once") is True
        self.begun_s, self.began_at = time.monotonic(), time.time()
        self.limit_s = 0.0 if self.is_once else float(str(question.get("limit_s", 30.0)))
        self.steady_s = float(str(question.get("steady_s", 7.0)))
        self.health = question.get("health")
        self.port = 0
        self.why = ""
        self.can_ping = bool(question.get("ping"))

    def left_s(self) -> float:
        """Return how much time is left."""
        return self.limit_s - (time.monotonic() - self.begun_s)

    def works(self, seen: Seen) -> bool:
        """Return whether a container whose process runs does its work now."""
        if isinstance(self.health, dict):
            return self.answers(seen, self.health)
        if seen.health:
            self.why = f"its HEALTHCHECK says {seen.health}"
            return seen.health == "healthy" and seen.restarts == 0
        if seen.restarts:
            self.why = f"it was restarted {seen.restarts} times"
            return False
        if self.question.get("ready"):
            return self.is_ready(seen)
        self.why = f"it has not been up for {self.steady_s:g} s"
        return seen.age_s >= self.steady_s

    def answers(self, seen: Seen, health: dict[str, object]) -> bool:
        """Ask over HTTP, with the image's own Python where it has one, else with the host's."""
        self.port = int(str(health.get("address") or ":80").rpartition(":")[2])
        address = f"{seen.address or '127.0.0.1'}:{self.port}"
        asked = {**health, "address": address, "limit_s": max(0.0, self.left_s())}
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "health.py"), "rb") as file:
            script = file.read()
        words = ("-I", "-S", "-", json.dumps(asked))
        limit_s = self.limit_s + float(str(health.get("timeout_s", 5.0))) + 15
        inside = [("docker", "exec", "--interactive", self.name, python) for python in PYTHONS]
        status, out, said = 1, "", ""
        for program in (*inside, (sys.executable,)):
            status, out, said = run(*program, *words, limit_s=limit_s, stdin=script)
            if status not in CANNOT_RUN and "executable file not found" not in said:
                break
        self.hear(out, is_https=health.get("https") is True)
        self.why = "not healthy" if self.answer.status or self.answer.error else "it could not be asked"
        return status == 0

    def hear(self, out: str, *, is_https: bool) -> None:
        """Keep the last answer."""
        line = next((line for line in out.splitlines() if line.startswith("{")), "{}")
        try:
            found = json.loads(line)
        except ValueError:
            return
        if not found:
            return
        if found.get("final") is True:
            self.limit_s = 0.0
        listens = found.get("listens")
        self.answer = Answer(
            status=found["status"] if isinstance(found.get("status"), int) else 0,
            body=str(found.get("body") or "")[:300],
            location=str(found.get("location") or "")[:300],
            error=str(found.get("error") or "")[:300],
            cause=str(found.get("cause") or "")[:500],
            is_https=is_https,
            listens=[str(place) for place in listens][:20] if isinstance(listens, list) else [],
        )

    def is_ready(self, seen: Seen) -> bool:
        """Return whether a worker says that it is ready, by its log or when it is asked."""
        self.why = "it does not say that it is ready"
        pattern = re.compile(str(self.question["ready"]))
        if any(pattern.search(line) for line in log(self.name, seen.started_at, 400)):
            return seen.age_s >= float(str(self.question.get("settle_s", 0.0)))
        if not self.can_ping or (seen.age_s < PING_AFTER_S and not self.is_once):
            return not self.question.get("ping") and seen.age_s >= self.steady_s
        ping = self.question["ping"]
        words = [str(word).replace("{hostname}", seen.hostname) for word in ping] if isinstance(ping, list) else []
        limit_s = PING_LIMIT_S if self.is_once else max(5.0, min(PING_LIMIT_S, self.left_s()))
        status, out, said = run("docker", "exec", self.name, *words, limit_s=limit_s)
        if status in CANNOT_RUN:
            self.can_ping = False
            self.question["ping"] = None
        last = (said or out).strip().splitlines()[-1:] or [""]
        self.why = f"the worker does not answer `{' '.join(words)}` ({last[0][:200]}) and logged no `ready.`"
        return status == 0

    def wait(self) -> bool:
        """Return whether the container works, at last."""
        while True:
            seen = look(self.name)
            if seen.is_up and self.works(seen):
                after = look(self.name)
                if after.is_up and after.restarts == seen.restarts and after.started_at == seen.started_at:
                    return True
                seen = after
            if not seen.is_up:
                self.why = "it is not running"
            if seen.restarts >= 2:  # noqa: PLR2004  as `Seen.is_lost`
                self.why = f"it was started {seen.restarts + 1} times and ended each time"
            if seen.is_lost or seen.health == "unhealthy" or self.left_s() <= 0:
                return False
            time.sleep(min(EVERY_S, max(0.0, self.left_s())))

    def tell(self) -> str:
        """Return why the container does not work."""
        seen = with_its_ends(look(self.name), self.name, self.began_at - START_LIMIT_S)
        waited = f"{self.name} does not work after {time.monotonic() - self.begun_s:.1f} s, {self.why}"
        return told(seen, log(self.name), self.answer, waited, self.port)


def main() -> int:
    """Prove what the arguments ask for; return the exit status."""
    try:
        name, question = sys.argv[1], json.loads(sys.argv[2])
        proof = Proof(name, question)
    except (LookupError, ValueError, AttributeError) as error:
        sys.stderr.write(f"the question cannot be read: {error}\n")
        return 2
    if proof.wait():
        return 0
    if not proof.is_once:
        sys.stderr.write(proof.tell() + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
