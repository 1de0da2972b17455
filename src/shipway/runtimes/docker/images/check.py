"""Looks at a built image before it travels: what should not be in it. The docker client's answers come in."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipway.core.errors import Finding, Level

FindSecrets = Callable[[str], Sequence[str]]
"""Returns the names of the secrets whose values stand in a text."""

INSPECT = ("docker", "image", "inspect")
HISTORY = ("docker", "history", "--no-trunc", "--format", "{{json .}}")
IN_REGISTRY = ("docker", "buildx", "imagetools", "inspect", "--format", "{{json .Image}}")
"""For an image that a builder of its own has pushed and that is not in the engine."""

HEAD_BYTES = 65_536
"""So much of a suspicious file is read."""

MAX_PLACES = 8
_COPIES = re.compile(r"(?:COPY|ADD)\s+(.*)")
_MAKES_LAYER = re.compile(r"\b(?:RUN|COPY|ADD)\s")
_MULTI_COPY = re.compile(r"(?:file|multi|dir):[0-9a-f]+\s+in\s+(\S+)")  # how the classic builder writes it
_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/sbin", "/sys", "/usr", "/var/lib")
_KEY_FILE = re.compile(r"(?:^|/)(?:id_(?:rsa|dsa|ecdsa|ed25519)|[^/]+\.(?:key|pem))$")
_LOGIN_FILE = re.compile(r"(?:^|/)(?:\.netrc|\.pgpass|\.aws/credentials|\.docker/config\.json|\.kamal/secrets[^/]*)$")
_ENV_FILE = re.compile(r"(?:^|/)\.env(?:\.(?!example$|sample$|template$|dist$)[^/]*)?$")
_PACKAGES = re.compile(r"(?:^|/)(?:site-packages|dist-packages|node_modules)/")
_PRIVATE = b"PRIVATE KEY-----"


_NEVER_BUILD = (
    "use `RUN --mount=type=secret,id=NAME` with `builder: {secrets: [NAME]}`, and give the secret a new value"
)
_HINTS = {
    "image.secret_in_file": "keep it out with .dockerignore, or remove it from the commit",
    "image.secret_in_env": "give it when the container starts: `env: {secret: [NAME]}`",
    "image.secret_in_history": _NEVER_BUILD,
    "image.secret_in_label": _NEVER_BUILD,
}
_KINDS = {
    "git": ("image.git_directory", "the repository with its whole history is in the image"),
    "env": ("image.env_file", "a file of variables is in the image"),
    "login": ("image.credentials_file", "a file of credentials is in the image"),
    "key": ("image.private_key", "a private key is in the image"),
}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image says about itself. `places` are directories of it that the project's files may be in.

    `history` has the newest line first, `layers` (digests) the newest last.
    """

    id: str = ""
    user: str = ""
    env: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    history: tuple[str, ...] = ()
    directory: str = ""
    layers: tuple[str, ...] = ()

    def origin(self, place: str) -> str:
        """Return what changes when something else is copied into `place`; "" where that is not known.

        Every RUN, COPY and ADD makes a layer, and other lines may: the n-th of them from the end is at most the n-th
        layer from the end. A digest of all layers up to there is the same only if that line and all before it are.
        What a later RUN writes there is not in it, so the working directory has none.
        """
        if place == posixpath.normpath(self.directory or "/") or not self.layers:
            return ""
        makers = [line for line in self.history if _MAKES_LAYER.search(line)]
        newest = next((n for n, line in enumerate(makers) if any(_is_below(t, place) for t in self._into(line))), None)
        if newest is None or newest >= len(self.layers):
            return ""
        return hashlib.sha256(" ".join(self.layers[: len(self.layers) - newest]).encode()).hexdigest()

    def _into(self, line: str) -> Iterator[str]:
        return _targets(line, self.directory)

    @property
    def places(self) -> tuple[str, ...]:
        """The working directory, what was copied into, and root's home; none of the system's own."""
        found = [self.directory, *(place for line in self.history for place in _targets(line, self.directory))]
        clean = {posixpath.normpath(place) for place in found if place.startswith("/")} | {"/root"}
        clean = {place for place in clean if place != "/" and not place.startswith(_SYSTEM)}
        outer = [p for p in sorted(clean) if not any(p.startswith(f"{other}/") for other in clean)]
        return tuple(outer[:MAX_PLACES])


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file or directory of the image whose name is suspicious, with the beginning of its content."""

    path: str
    head: bytes = b""


def is_suspicious(path: str) -> bool:
    """Whether a file (or directory, with `/` at its end) is worth a look, by its name alone."""
    if _PACKAGES.search(path):
        return False
    if path.endswith("/"):
        return path.endswith("/.git/")
    return any(pattern.search(path) for pattern in (_ENV_FILE, _KEY_FILE, _LOGIN_FILE))


def read_image(inspected: str, history: str) -> ImageFacts:
    """Return the facts from `docker image inspect` and `docker history`; what is malformed is left out."""
    image = _first(_json(inspected))
    config = _dict(image.get("Config"))
    lines = [_dict(_json(line)).get("CreatedBy") for line in history.splitlines()[:1000]]
    layers = [str(layer)[:100] for layer in _list(_dict(image.get("RootFS")).get("Layers"))]
    return replace(
        _facts(str(image.get("Id") or "")[:100], config, [str(line) for line in lines if line]), layers=tuple(layers)
    )


def read_pushed(answer: str) -> ImageFacts:
    """Return the facts from `docker buildx imagetools inspect`; of several architectures, the first."""
    image = _dict(_json(answer))
    if "config" not in image:
        image = next((part for part in image.values() if isinstance(part, dict)), {})
    lines = [_dict(entry).get("created_by") for entry in _list(image.get("history"))]
    return _facts("", _dict(image.get("config")), [str(line) for line in lines if line])


def check_image(name: str, facts: ImageFacts, files: Sequence[SeenFile], find: FindSecrets) -> tuple[Finding, ...]:
    """Return what is wrong with the image `name`; an error is a secret's value in it. No value stands in a finding."""
    return (*_values(name, facts, files, find), *_files(name, files), *_user(name, facts))


def _values(name: str, facts: ImageFacts, files: Sequence[SeenFile], find: FindSecrets) -> Iterator[Finding]:
    places = [
        *(("image.secret_in_env", f"its environment ({entry.partition('=')[0]})", entry) for entry in facts.env),
        *(("image.secret_in_label", f"its label {label}", f"{label}={value}") for label, value in facts.labels),
        *(("image.secret_in_history", f"its history ({_word(line)})", line) for line in facts.history),
        *(("image.secret_in_file", f"its file {file.path}", file.head.decode("utf-8", "replace")) for file in files),
    ]
    for code, place, text in places:
        for secret in find(text):
            what = f"the value of {secret} stands in {place}"
            yield Finding(code, what, where=name, next=_HINTS[code])


def _files(name: str, files: Sequence[SeenFile]) -> Iterator[Finding]:
    for file in files:
        kind = _kind(file)
        if kind is not None:
            code, what = kind
            base = posixpath.basename(file.path.rstrip("/"))
            yield _warning(code, f"{what}: {file.path}", name, f"echo '{base}' >>.dockerignore")


def _kind(file: SeenFile) -> tuple[str, str] | None:
    if file.path.endswith("/.git/"):
        return _KINDS["git"]
    if _ENV_FILE.search(file.path):
        return _KINDS["env"]
    if _LOGIN_FILE.search(file.path):
        return _KINDS["login"]
    if _KEY_FILE.search(file.path) and _PRIVATE in file.head:
        return _KINDS["key"]
    return None


def _user(name: str, facts: ImageFacts) -> Iterator[Finding]:
    if facts.user.partition(":")[0] in ("", "0", "root"):
        what = "it runs as root: whoever breaks out of the application is root in the container"
        yield _warning("image.runs_as_root", what, name, "add `USER app` to the Dockerfile, after a `RUN useradd app`")


def _warning(code: str, what: str, where: str, hint: str, level: Level = "warning") -> Finding:
    return Finding(code, what, where=where, next=hint, level=level)


def _facts(image: str, config: dict[str, Any], history: list[str]) -> ImageFacts:
    labels = _dict(config.get("Labels"))
    return ImageFacts(
        id=image,
        user=str(config.get("User") or ""),
        env=tuple(str(entry) for entry in _list(config.get("Env"))),
        labels=tuple((str(key), str(value)) for key, value in labels.items()),
        history=tuple(history),
        directory=str(config.get("WorkingDir") or ""),
    )


def _targets(line: str, directory: str) -> Iterator[str]:
    classic = _MULTI_COPY.search(line)
    if classic:
        yield posixpath.join(directory or "/", classic[1])
    elif found := _COPIES.search(line):
        words = found[1].replace(" # buildkit", "").split()
        if words:
            yield posixpath.join(directory or "/", words[-1].strip('"[],'))


def _is_below(target: str, place: str) -> bool:
    return f"{posixpath.normpath(target)}/".startswith(f"{place}/")


def _word(line: str) -> str:
    """Return the instruction of a line of history, for a person: its first word in capitals."""
    return next((word for word in line.split() if word.isupper() and word.isalpha()), "RUN")


def _json(text: str) -> object:
    try:
        found: object = json.loads(text or "null")
    except ValueError:
        return None
    return found


def _first(value: object) -> dict[str, Any]:
    return _dict(value[0]) if isinstance(value, list) and value else _dict(value)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
