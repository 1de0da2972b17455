"""Finds and reads the configuration files of a project. What is in them is the matter of `shipway.config`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shipway.core.errors import ConfigError

DEFAULT_FILES = ("config/deploy.yml", "deploy.yml")
MAX_BYTES = 4_000_000
"""More is no configuration; `load_config` has its own, lower limit, in characters."""


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """The texts by path as the user writes it, the main file first, and the destinations that exist beside it."""

    texts: dict[str, str]
    destinations: tuple[str, ...] = ()


def read_config_files(directory: Path, *, file: str | None = None, destination: str | None = None) -> ConfigFiles:
    """Return the main file (`file`, else the first of `DEFAULT_FILES`) and the one of `destination`.

    Raises ConfigError `config.missing`, `config.no_destination` or `config.unreadable`.
    """
    main = _main_file(directory, file)
    stem = main.removesuffix(Path(main).suffix)
    destinations = _destinations(directory, stem)
    texts = {main: _read(directory, main)}
    if destination is not None:
        sibling = f"{stem}.{destination}.yml"
        if destination not in destinations:
            known = f"destinations here: {', '.join(destinations)}" if destinations else f"no {stem}.*.yml exists here"
            what = f"Configuration file not found in {directory / sibling}, for the destination `{destination}`"
            raise ConfigError("config.no_destination", what, where=sibling, next=known)
        texts[sibling] = _read(directory, sibling)
    return ConfigFiles(texts, destinations)


def _main_file(directory: Path, file: str | None) -> str:
    for name in (file,) if file is not None else DEFAULT_FILES:
        if _stands(directory / name):
            return name
    if file is not None:
        what = f"Configuration file not found in {directory / file}"
        raise ConfigError("config.missing", what, where=file, next="give -c the path of an existing file")
    what = f"Configuration file not found in {directory}: neither {' nor '.join(DEFAULT_FILES)} exists"
    raise ConfigError("config.missing", what, where=str(directory), next="shipway init")


def _stands(path: Path) -> bool:
    """Whether anything stands at `path`. What may not be looked at stands: reading it tells why it cannot be read."""
    try:
        return path.exists()
    except OSError:
        return True


def _destinations(directory: Path, stem: str) -> tuple[str, ...]:
    place = directory / stem
    try:
        names: Sequence[str] = [path.name for path in place.parent.iterdir() if path.suffix == ".yml"]
    except OSError:
        return ()
    beginning = f"{place.name}."
    return tuple(
        sorted(n[len(beginning) : -4] for n in names if n.startswith(beginning) and len(n) > len(beginning) + 4)
    )


def _read(directory: Path, name: str) -> str:
    path = directory / name
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES)
    except OSError as error:
        what = f"could not read {name}: {error.strerror or error}"
        raise ConfigError("config.unreadable", what, where=name, next=f"ls -l {path}") from error
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        what = f"{name} is not UTF-8 text"
        raise ConfigError("config.unreadable", what, where=f"{name}:{line}", next="save it as UTF-8") from error
