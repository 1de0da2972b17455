"""The files of a project on this machine: its configuration, and pages for errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from shipway.core.errors import ConfigError

NAMES = ("config/deploy.yml", "deploy.yml")
"""Where the configuration is looked for, first found first; the first is Kamal's place."""
_MAX_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """The text of each configuration file by the path that messages show; the main one first.

    `directory` is the project's directory (absolute): paths in the configuration are relative to it. `destinations`
    are the names for which there is a file.
    """

    directory: str
    texts: Mapping[str, str]
    destinations: tuple[str, ...] = ()


def read_config_files(config_file: str | None, destination: str | None) -> ConfigFiles:
    """Return the configuration's files, from the current directory.

    Raises ConfigError `config.not_found`, `config.unreadable`, or `config.unknown_destination` with the nearest one.
    """
    main = _main_file(config_file)
    destinations = tuple(sorted(path.name.split(".")[-2] for path in main.parent.glob(f"{main.stem}.*{main.suffix}")))
    texts = {str(main): _read(main)}
    if destination is not None:
        over = main.with_name(f"{main.stem}.{destination}{main.suffix}")
        if destination not in destinations:
            raise _unknown_destination(destination, destinations, over)
        texts[str(over)] = _read(over)
    home = main.parent.parent if main.parent.name == "config" else main.parent
    return ConfigFiles(str(Path(home).absolute().resolve()), texts, destinations)


def read_pages(directory: str) -> tuple[tuple[str, str], ...]:
    """Return the error pages of a directory as (name, HTML). Raises ConfigError when it cannot be read."""
    place = Path(directory)
    if not place.is_dir():
        raise ConfigError("config.not_found", f"there is no directory `{directory}` of error pages", where=directory)
    return tuple((page.name, _read(page)) for page in sorted(place.glob("[45]??.html")))


def _main_file(config_file: str | None) -> Path:
    candidates = (config_file,) if config_file else NAMES
    for name in candidates:
        if Path(name).exists():
            return Path(name)
    raise ConfigError(
        "config.not_found",
        f"there is no configuration at {' or '.join(f'`{name}`' for name in candidates)}",
        where=str(Path.cwd()),
        next="go to the project's directory, or name the file with `-c FILE`",
    )


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError("config.unreadable", f"`{path}` is too large for a configuration", where=str(path))
        return path.read_text(encoding="utf-8")
    except OSError as error:
        what = f"could not read `{path}`: {error.strerror}"
        raise ConfigError("config.unreadable", what, where=str(path), next=f"ls -l {path}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        what = f"could not read `{path}`: it is no UTF-8 text"
        raise ConfigError("config.unreadable", what, where=f"{path}:{line}", next="save it as UTF-8") from error


def _unknown_destination(destination: str, known: tuple[str, ...], path: Path) -> ConfigError:
    near = get_close_matches(destination, known, n=1)
    listed = f"the destinations are: {', '.join(known)}" if known else f"create `{path}`, or leave `-d` out"
    return ConfigError(
        "config.unknown_destination",
        f"there is no destination `{destination}`",
        where=str(path),
        next=f"did you mean `-d {near[0]}`?" if near else listed,
    )
