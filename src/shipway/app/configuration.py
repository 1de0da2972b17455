"""The configuration of a choice, read from this machine. Kept light: `shipway config` needs nothing else."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from shipway.adapters.config_files import ConfigFiles, read_config_files
from shipway.app.call import Choice
from shipway.config.erb_expression import ErbFacts
from shipway.config.load import load_config as parse_config
from shipway.config.model import Config
from shipway.core.errors import ConfigError


def load_config(choice: Choice) -> tuple[Config, str]:
    """Return the configuration of a choice and the project's directory. Raises ConfigError with all findings."""
    files = read_config_files(Path.cwd(), file=choice.config_file, destination=choice.destination)
    directory = _directory(files)
    facts = erb_facts(files)
    texts, places = files.texts, files.destinations
    return parse_config(texts, destination=choice.destination, facts=facts, destinations=places), directory


def erb_facts(files: ConfigFiles) -> ErbFacts:
    """Return what ERB may ask for; git is asked only where there is ERB."""
    has_erb = any("<%" in text for text in files.texts.values())
    arch = "arm64" if platform.machine() in ("aarch64", "arm64") else "amd64"
    return ErbFacts(dict(os.environ), arch, _commit(_directory(files)) if has_erb else "")


def _directory(files: ConfigFiles) -> str:
    return str(_home(Path(next(iter(files.texts)))))


def _home(file: Path) -> Path:
    """Return the project's directory: the one with `config/` in it, or else that of the file."""
    place = file.absolute().parent
    return (place.parent if place.name == "config" else place).resolve()


def _commit(directory: str) -> str:
    from shipway.adapters.git import read_tree

    try:
        return read_tree(directory).version
    except ConfigError:
        return ""
