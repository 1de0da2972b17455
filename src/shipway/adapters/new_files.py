"""Writes files that are not there yet, all of them or none: under temporary names first, in their places at the end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shipway.core.errors import ConfigError

NO_TEXT = "\0"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be written, relative to the directory. `replaces` is the text that must be there; None: nothing may."""

    path: str
    text: str
    mode: int = 0o644
    replaces: str | None = None


def read_exactly(directory: Path, path: str) -> str | None:
    """Return the text of a file as it stands; None when nothing is there. What is no UTF-8 text reads as `NO_TEXT`."""
    place = directory / path
    if not place.is_symlink() and not place.exists():
        return None
    try:
        return place.read_bytes().decode("utf-8") if place.is_file() and not place.is_symlink() else NO_TEXT
    except (OSError, UnicodeDecodeError):
        return NO_TEXT


def write_files(directory: Path, files: Sequence[NewFile]) -> None:
    """Write `files` below `directory`. When anything fails, or the user interrupts, all is as it was before.

    A file that appeared meanwhile, or changed, is left alone. Raises ConfigError `init.in_the_way` or
    `init.unwritable`.
    """
    made: list[Path] = []
    waiting: list[tuple[Path, NewFile]] = []
    placed: list[NewFile] = []
    try:
        for file in files:
            _make_directories(directory, file, made)
            waiting.append((_temporary(directory, file), file))
        # What replaces comes last: after it nothing can fail but another of its kind.
        for temporary, file in sorted(waiting, key=lambda one: one[1].replaces is not None):
            placed.append(file)
            _place(temporary, directory / file.path, file)
    except BaseException as error:
        for file in reversed(placed):
            _take_back(directory, file)
        if isinstance(error, OSError):
            what = f"the files could not be written: {error.strerror or error}"
            raise ConfigError(
                "init.unwritable", what, where=str(error.filename or directory), next="ls -ld ."
            ) from error
        raise
    finally:
        for temporary, _ in waiting:
            with suppress(OSError):
                temporary.unlink()
        for place in reversed(made):
            with suppress(OSError):  # not empty: it is needed
                place.rmdir()


def _make_directories(directory: Path, file: NewFile, made: list[Path]) -> None:
    place = directory
    for part in Path(file.path).parts[:-1]:
        place /= part
        if not place.exists():
            made.append(place)
            place.mkdir(exist_ok=True)
    if not place.resolve().is_relative_to(directory.resolve()):
        raise ConfigError("init.in_the_way", f"{file.path} would stand outside of the project", where=str(place))


def _temporary(directory: Path, file: NewFile) -> Path:
    target = directory / file.path
    place = target.with_name(f".{target.name}.shipway-{os.getpid()}")
    mode = target.stat().st_mode & 0o777 if file.replaces is not None else file.mode
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(file.text.encode())
        os.fchmod(stream.fileno(), mode)
    return place


def _place(temporary: Path, target: Path, file: NewFile) -> None:
    if file.replaces is not None:
        if read_exactly(target.parent, target.name) != file.replaces:
            raise _in_the_way(file)
        temporary.replace(target)
        return
    try:
        os.link(temporary, target)  # never over a file that is there
    except FileExistsError as error:
        raise _in_the_way(file) from error
    except OSError:
        # A file system without hard links.
        if os.path.lexists(target):
            raise _in_the_way(file) from None
        temporary.rename(target)


def _in_the_way(file: NewFile) -> ConfigError:
    what = f"{file.path} was written by somebody else meanwhile"
    return ConfigError("init.in_the_way", what, where=file.path, next="shipway init --diff")


def _take_back(directory: Path, file: NewFile) -> None:
    """Undo one placing, also one that was cut off in the middle: only what is ours is touched."""
    with suppress(OSError):
        if read_exactly(directory, file.path) != file.text:
            return
        target = directory / file.path
        if file.replaces is None:
            target.unlink()
        else:
            target.write_bytes(file.replaces.encode())
