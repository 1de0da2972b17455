"""`secrets fetch`, `extract` and `print`."""

from __future__ import annotations

import os
from pathlib import Path

from shipway.adapters.secrets.files import FileSecrets
from shipway.adapters.secrets.inline import extract, to_json
from shipway.adapters.secrets.managers import fetch
from shipway.adapters.secrets.managers.base import Wanted
from shipway.adapters.secrets.programs import Programs
from shipway.config.dotenv_shell import escape_word


def programs_here() -> Programs:
    """Return what runs programs in the current directory with this process's environment."""
    return Programs(Path.cwd(), dict(os.environ))


def fetch_secrets(adapter: str, wanted: Wanted, programs: Programs, *, inline: bool = False) -> str:
    """Return what a password manager holds as one line of JSON, or as one shell word when `inline`.

    Raises ConfigError as `managers.fetch` does.
    """
    text = to_json(fetch(adapter, wanted, programs))
    return escape_word(text) if inline else text


def extract_secret(name: str, text: str) -> str:
    """Return one secret of what `fetch_secrets` returned, shell word or JSON; raises ConfigError."""
    return extract(name, text)


def load_secrets(programs: Programs, path: str, destination: str = "") -> FileSecrets:
    """Return the project's secrets; nothing is run until a value is asked for. Raises ConfigError for bad files."""
    return FileSecrets(programs, path, destination)


def shown_secrets(secrets: FileSecrets) -> tuple[str, ...]:
    """Return `NAME=value` for every secret, values as they are; raises one ConfigError for all that fail."""
    return tuple(f"{name}={value}" for name, value in secrets.resolve(secrets.names()).items())
