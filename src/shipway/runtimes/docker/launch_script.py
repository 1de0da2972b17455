"""Makes the containers of a release on its host. Python 3.9, standard library; it stands in the release's directory.

    launch.py fetch IMAGE SOURCE SERVICE   pulls SOURCE ("": it is there), names it IMAGE and checks it; credentials are
                                           read from standard input, as Docker's configuration has them
    launch.py start NAME [ENVFILE WORD…]   starts the container NAME; where there is none, WORD… makes it
    launch.py once ENVFILE WORD…           runs a command of its own container to its end
    launch.py assets IMAGE PATH HERE ALL   bridges the assets at PATH in IMAGE: HERE gets them, and those of the others
                                           in ALL, which get them too

WORD… begins with `docker run`. `${NAME}` in a word is the host's variable, `$$` is a dollar. A value of the environment
is never an argument: Docker reads it from a file that has no name, or from its own environment where it has several
lines. Exits with the status of Docker, 1 for what is wrong.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence

PIECE = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|([^\s'\"]+)", re.DOTALL)
ASSIGNMENT = re.compile(r"([^\s='\"]+)=((?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|[^\s'\"]+)*)\n", re.DOTALL)
EXPANSION = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?)-([^{}]*))?\})")
MAX_LINE_BYTES = 60_000  # bufio.Scanner of Docker's client gives up at 65,536
ENGINE_LIMIT_S = 600
SAME_CODE = {"386": "amd64", "arm": "arm64"}  # an engine of the second runs images of the first


def say(text: str) -> None:
    """Tell the person who reads the report."""
    sys.stderr.write(text.rstrip("\n") + "\n")


def expanded(word: str) -> str:
    """Return a word with the host's variables in it."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        found = os.environ.get(match[2])
        is_missing = found is None or (match[3] == ":" and not found)
        return (match[4] or "") if is_missing else str(found)

    return EXPANSION.sub(value, word)


def read_environment(path: str) -> dict[str, str]:
    """Return the variables of a file of shell assignments; within double quotes the host's variables are expanded."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    found: dict[str, str] = {}
    for name, value in ASSIGNMENT.findall(text):
        pieces = []
        for single, double, bare in PIECE.findall(value):
            pieces.append(single or bare or expanded(re.sub(r"\\(.)", r"\1", double)))
        found[name] = "".join(pieces)
    return found


def is_plain(value: str) -> bool:
    """Return whether a value can stand on a line of an environment file of Docker."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return False
    return size < MAX_LINE_BYTES and not any(ord(letter) < ord(" ") for letter in value)


def with_environment(words: Sequence[str], path: str) -> tuple[list[str], dict[str, str], int]:
    """Return `docker run` with the environment of `path`: words, the client's own environment, a file to pass on."""
    values = read_environment(path)
    plain = {name: value for name, value in values.items() if is_plain(value)}
    odd = {name: value for name, value in values.items() if name not in plain}
    number = nameless_file("".join(f"{name}={value}\n" for name, value in plain.items()).encode())
    given = ["--env-file", f"/dev/fd/{number}"]
    for name in odd:
        given += ["--env", name]
    client = {**os.environ, **odd}
    return [*words[:2], *given, *(expanded(word) for word in words[2:])], client, number


def nameless_file(body: bytes) -> int:
    """Return a descriptor of a file with `body` that stands in no directory."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("environment", 0)
    else:
        with tempfile.TemporaryFile() as file:
            number = os.dup(file.fileno())
    os.set_inheritable(number, True)
    while body:
        body = body[os.write(number, body) :]
    os.lseek(number, 0, os.SEEK_SET)
    return number


def docker(*words: str, limit_s: float = ENGINE_LIMIT_S) -> subprocess.CompletedProcess[str]:
    """Return what Docker answered."""
    return subprocess.run(
        ["docker", *words], capture_output=True, text=True, errors="replace", check=False, timeout=limit_s
    )


def inspected(kind: str, name: str) -> dict[str, object]:
    """Return what Docker knows of an image or container; nothing when there is none. Exits when Docker fails."""
    done = docker(kind, "inspect", name)
    try:
        found = json.loads(done.stdout or "[]")
    except ValueError:
        found = []
    if done.returncode and "no such" not in done.stderr.lower():
        say(done.stderr)
        sys.exit(1)
    return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}


def part(of: dict[str, object], name: str) -> dict[str, object]:
    """Return a part of an answer, empty where it is missing."""
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def fetch(image: str, source: str, service: str) -> int:
    """Bring the image of a release to this host, and refuse one that cannot run here."""
    credentials = sys.stdin.read()
    if source:
        with tempfile.TemporaryDirectory() as place:
            words = []
            if credentials:
                path = os.path.join(place, "config.json")
                with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                    file.write(credentials)
                words = ["--config", place]
            done = docker(*words, "pull", "--quiet", source)
        if done.returncode:
            return not_pulled(done.stderr, source)
        if source != image and docker("tag", source, image).returncode:
            say(f"could not name {source} {image}")
            return 1
        if source != image:
            docker("rmi", source)  # the name with a port of this run; the image stays
    return checked(image, service)


def refuse(code: str, what: str) -> int:
    """Tell what is wrong, with its code (docs/reference/codes.md); return the exit status."""
    say(f"error[{code}]: {what}")
    return 1


# What the engine says, in small letters; the first that fits counts. `{0}` is the registry, `{1}` the image.
PULL_TROUBLES = (
    (("no space left",), "image.disk_full", "the disk of this host is full: `shipway prune` removes old releases"),
    (
        ("unauthorized", "incorrect username", "authentication required", "no basic auth"),
        "registry.refused",
        "{0} did not accept the login: look at `registry:` and its secrets",
    ),
    (
        ("manifest unknown", "not found"),
        "image.missing",
        "{0} has no {1}: `shipway build push` builds and pushes it",
    ),
    (("denied",), "registry.refused", "{0} does not let this user pull {1}, or there is none"),
    (("certificate",), "registry.certificate", "the certificate of {0} is not valid for this host"),
    (
        ("dial tcp", "connection refused", "timeout", "no such host", "deadline exceeded"),
        "registry.unreachable",
        "this host cannot reach {0}",
    ),
    (("",), "image.not_pulled", "could not pull {1}"),
)


def not_pulled(said: str, source: str) -> int:
    """Tell why an image could not be pulled."""
    registry, words = source.partition("/")[0] if "/" in source else "Docker Hub", said.lower()
    say(said)
    found = next((code, text) for parts, code, text in PULL_TROUBLES if any(part in words for part in parts))
    return refuse(found[0], found[1].format(registry, source))


def checked(image: str, service: str) -> int:
    """Return 0 for an image of this service and this machine's architecture."""
    found = inspected("image", image)
    if not found:
        return refuse("image.missing", f"there is no {image} on this host: `shipway deploy` builds and brings it")
    labels = part(part(found, "Config"), "Labels")
    if labels.get("service") != service:
        other = f" (it says `{labels['service']}`)" if labels.get("service") else ""
        return refuse(
            "image.label", f"Image {image} is missing the 'service' label{other}: add LABEL service={service}"
        )
    built, engine = str(found.get("Architecture") or ""), docker("version", "--format", "{{.Server.Arch}}").stdout
    if engine.strip() and built and engine.strip() not in (built, SAME_CODE.get(built)):
        place = f"{image} was built for {built} and this host is {engine.strip()}"
        return refuse("arch.mismatch", f"{place}: write `arch: {engine.strip()}`, or a list of both, under `builder:`")
    return 0


def start(name: str, rest: Sequence[str]) -> int:
    """Start a container, made anew where there is none; nothing happens to one that runs."""
    found = inspected("container", name)
    status = str(part(found, "State").get("Status") or "")
    if status in ("running", "restarting"):
        return 0
    if found:
        done = docker("start", name)
        if done.returncode == 0:
            return 0
        if not rest:
            say(done.stderr)
            return done.returncode
        # A kept container whose network or files are gone is made again, from what its release kept.
        docker("rm", "--force", name)
    if not rest:
        say(f"there is no container {name} (any more), and nothing to make it from")
        return 1
    words, client, number = with_environment(rest[1:], rest[0])
    done = subprocess.run(
        words, env=client, pass_fds=(number,), capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        say(done.stderr)
    # Docker's own statuses (125 to 127): the container is there and never ran. Whoever proves it tells the reason.
    return 0 if done.returncode in (126, 127) and inspected("container", name) else done.returncode


def once(path: str, words: Sequence[str]) -> int:
    """Run a command in a container of its own; the container goes when we are asked to."""
    given, client, number = with_environment(words, path)
    name = f"shipway-once-{os.getpid()}-{os.urandom(4).hex()}"
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    given[2:2] = ["--name", name, *terminal]
    child = subprocess.Popen(given, env=client, pass_fds=(number,))

    def end(number: int, _frame: object) -> None:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False, timeout=60)
        sys.exit(128 + number)

    for asked in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(asked, end)
    return child.wait()


def assets(image: str, path: str, here: str, everything: str) -> int:
    """Copy the assets of an image beside those of the other releases, and theirs beside its own."""
    own, shown = os.path.join(here, "extracted"), os.path.join(here, "volume")
    shutil.rmtree(own, ignore_errors=True)
    os.makedirs(own)
    os.makedirs(shown, exist_ok=True)
    made = docker("create", image, "true")
    if made.returncode:
        say(made.stderr)
        return 1
    copied = docker("cp", "--follow-link", f"{made.stdout.strip()}:{path.rstrip('/')}/.", own)
    docker("rm", "--force", made.stdout.strip())
    if copied.returncode:
        say(f"{copied.stderr}\nthe assets at {path} could not be copied out of {image}")
        return 1
    bridge(own, shown)
    for other in others(here, everything):
        bridge(own, os.path.join(other, "volume"))
        bridge(os.path.join(other, "extracted"), shown)
    return 0


def others(here: str, everything: str) -> Iterator[str]:
    """Yield the directories with the same role's assets in other releases."""
    role = os.path.basename(here)
    for release in sorted(os.listdir(everything)):
        place = os.path.join(everything, release, "assets", role)
        if os.path.isdir(os.path.join(place, "extracted")) and not os.path.samefile(place, here):
            yield place


def bridge(source: str, target: str) -> None:
    """Copy files that `target` does not have."""
    for place, _, names in os.walk(source):
        there = os.path.join(target, os.path.relpath(place, source))
        os.makedirs(there, exist_ok=True)
        for name in names:
            to = os.path.join(there, name)
            if not os.path.lexists(to):
                shutil.copy2(os.path.join(place, name), f"{to}.shipway-new", follow_symlinks=False)
                os.replace(f"{to}.shipway-new", to)


VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "fetch": lambda words: fetch(*words),
    "start": lambda words: start(words[0], words[1:]),
    "once": lambda words: once(words[0], words[1:]),
    "assets": lambda words: assets(*words),
}


def main(verb: str, words: Sequence[str]) -> int:
    """Do what a verb says; return the exit status."""
    try:
        return VERBS[verb](words)
    except FileNotFoundError as error:
        say(f"there is no {error.filename}" + (": run `shipway setup`" if error.filename == "docker" else ""))
    except subprocess.TimeoutExpired as error:
        say(f"Docker did not answer in {error.timeout:g} s: {' '.join(error.cmd)[:200]}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
