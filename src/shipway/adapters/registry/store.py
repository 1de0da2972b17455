"""Blobs of images on this machine, each in a file that is named by its digest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MAX_MANIFEST_BYTES = 4 << 20
"""The limit of registries for a manifest (distribution's specification recommends to take at least so much)."""
CACHE_BYTES = 5 << 30


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image as a registry describes it: the document itself, its type, and the blobs that it names."""

    body: bytes
    media_type: str
    blobs: frozenset[str]

    @property
    def digest(self) -> str:
        """The digest of the document."""
        return f"sha256:{hashlib.sha256(self.body).hexdigest()}"


class BadManifest(Exception):
    """A document that is no manifest of one image."""


def read_manifest(body: bytes, media_type: str) -> Manifest:
    """Return what a manifest says. Raises BadManifest."""
    try:
        found = json.loads(body)
        parts = [found["config"], *found["layers"]]
        blobs = frozenset(str(part["digest"]) for part in parts)
    except (ValueError, KeyError, TypeError):
        raise BadManifest("it is not the manifest of one image") from None
    if not all(DIGEST.fullmatch(digest) for digest in blobs):
        raise BadManifest("it names something that is no digest")
    return Manifest(body, str(found.get("mediaType") or media_type), blobs)


class BlobStore:
    """A directory of blobs, private to its user. What was not used for the longest time goes first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.chmod(0o700)

    def word(self) -> str:
        """Return a word that only this user knows and that is always the same here.

        The engine remembers by the name of a repository which layers it has pushed, so the name has to stay.
        """
        path = self._directory / "word"
        with suppress(OSError):
            found = path.read_text("ascii")
            if re.fullmatch(r"[0-9a-f]{32}", found):
                return found
        word = secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(word)
        return word

    def path(self, digest: str) -> Path:
        """Return where a blob is kept. Raises ValueError for what is no digest."""
        if not DIGEST.fullmatch(digest):
            raise ValueError(digest)
        return self._directory / digest.removeprefix("sha256:")

    def size(self, digest: str) -> int:
        """Return the size of a blob in bytes, -1 where there is none."""
        try:
            return self.path(digest).stat().st_size
        except (OSError, ValueError):
            return -1

    def has(self, digest: str) -> bool:
        """Whether a blob is there."""
        return self.size(digest) >= 0

    def begin(self) -> Upload:
        """Return a new blob to be written."""
        return Upload(self)

    def temporary(self) -> IO[bytes]:
        """Return an open file in the directory that has a name of its own."""
        return tempfile.NamedTemporaryFile(dir=self._directory, prefix="new-", delete=False)

    def use(self, digests: frozenset[str]) -> None:
        """Note that blobs are needed."""
        for digest in digests:
            with suppress(OSError, ValueError):
                os.utime(self.path(digest))

    def clean(self, keep: frozenset[str] = frozenset(), limit_bytes: int = CACHE_BYTES) -> None:
        """Remove what was not used for the longest time, until no more than `limit_bytes` are left."""
        kept = {self.path(digest).name for digest in keep}
        total = 0
        for path, size in self._by_use():
            total += size
            if total > limit_bytes and path.name not in kept:
                path.unlink(missing_ok=True)

    def _by_use(self) -> Iterator[tuple[Path, int]]:
        found = []
        for path in self._directory.iterdir():
            with suppress(OSError):
                if path.name != "word":
                    stat = path.stat()
                    found.append((stat.st_mtime, path, stat.st_size))
        for _, path, size in sorted(found, reverse=True):
            yield path, size


class Upload:
    """A blob while it is written. It stands in the store when its digest was right."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._file = store.temporary()
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises OSError where the disk is full."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    @property
    def digest(self) -> str:
        """The digest of what was written so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def finish(self, digest: str = "") -> bool:
        """Keep the blob if it is `digest` ("": whatever it is). Return whether it was kept."""
        self._file.close()
        if digest and digest != self.digest:
            self.drop()
            return False
        Path(self._file.name).replace(self._store.path(self.digest))
        return True

    def drop(self) -> None:
        """Forget it."""
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)
