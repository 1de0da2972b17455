"""The aliases of the project in this directory: one's own names for commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shipway.adapters.config_files import read_config_files
from shipway.app.call import Choice
from shipway.core.errors import ConfigError


def aliases_of(choice: Choice, name: str = "") -> Mapping[str, str]:
    """Return the aliases that a choice means, at least the one called `name`; none where no configuration is readable.

    The files are searched for the words first: reading YAML costs more than most calls that have no alias.
    """
    try:
        files = read_config_files(Path.cwd(), file=choice.config_file, destination=choice.destination)
    except ConfigError:
        return {}
    texts = "".join(files.texts.values())
    if "aliases:" not in texts or name not in texts:
        return {}
    from shipway.app.configuration import erb_facts
    from shipway.config.load import read_aliases

    return read_aliases(files.texts, facts=erb_facts(files))
