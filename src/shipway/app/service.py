"""What this machine knows of a service before any host is asked: configuration, secrets, git tree, project."""

from __future__ import annotations

import hashlib
import os
import secrets as entropy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shipway.adapters.error_pages import read_pages
from shipway.adapters.git import Tree, git_facts, list_files, read_file, read_tree
from shipway.adapters.secrets.files import FileSecrets
from shipway.adapters.secrets.programs import Programs
from shipway.app.call import Choice
from shipway.app.configuration import load_config
from shipway.config.model import Config
from shipway.config.summary import needed_secrets
from shipway.config.version import version_of
from shipway.core.errors import ConfigError, Finding
from shipway.django.project import Project, read_project


@dataclass(frozen=True)
class Service:
    """One service in one destination. `directory` is the project's directory on this machine.

    `version` is the version that is meant, "" for HEAD.
    """

    config: Config
    directory: str
    secrets: NeededSecrets
    version: str = ""

    @cached_property
    def release_version(self) -> str:
        """The version that a release of today has: always the same in the life of this object. Raises ConfigError."""
        if self.config.runtime == "venv":
            return self.tree.version
        has_context = self.config.builder is not None and self.config.builder.context is not None
        git = git_facts(self.directory)
        return version_of(self.version, os.environ, git, has_context=has_context, suffix=entropy.token_hex(8))

    @cached_property
    def tree(self) -> Tree:
        """The git tree that would be deployed; raises ConfigError where there is none."""
        return read_tree(str(Path(self.directory, self.config.project)))

    @cached_property
    def project(self) -> Project:
        """What the project's files at the commit tell; nothing where there is no git tree."""
        try:
            tree = self.tree
            return read_project(list_files(tree), lambda path: read_file(tree, path))
        except ConfigError:
            return Project()

    def read(self, path: str) -> str:
        """Return the text of a file of the project on this machine, as it stands. Raises ConfigError."""
        try:
            return Path(self.directory, path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError("config.unreadable", f"could not read `{path}`: {error}", where=path) from error

    def digest(self, path: str) -> str:
        """Return what changes with the content of a file at the commit. Raises ConfigError when there is none."""
        return hashlib.sha256(read_file(self.tree, path).encode("utf-8", "surrogateescape")).hexdigest()[:16]

    @cached_property
    def error_pages(self) -> tuple[tuple[str, str], ...]:
        """The project's own error pages as (name, HTML)."""
        path = self.config.error_pages_path
        return read_pages(str(Path(self.directory, path))) if path else ()

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is worth telling about the configuration and the secrets files."""
        found = (*self.config.warnings, *self._hooks_not_run(), *self.secrets.source.findings())
        return tuple(finding for finding in found if finding.level == "warning")

    def _hooks_not_run(self) -> tuple[Finding, ...]:
        path = self.config.hooks.path
        folder = Path(self.directory, path)
        names = sorted(p.name for p in folder.iterdir() if os.access(p, os.X_OK)) if folder.is_dir() else []
        if not names:
            return ()
        what = f"hooks are not run by this version: {', '.join(names)}"
        return (Finding("config.hooks_ignored", what, where=path, level="warning"),)


@dataclass(frozen=True, slots=True)
class NeededSecrets:
    """The secrets that the configuration names, and no others: nothing is asked of a password manager in vain."""

    source: FileSecrets
    wanted: tuple[str, ...]

    def names(self) -> Sequence[str]:
        """Return the names of the secrets that the configuration refers to."""
        return self.wanted

    def reveal(self, name: str) -> str:
        """Return the value of `name`; raises ConfigError."""
        return self.source.reveal(name)

    def check(self) -> None:
        """Raise one ConfigError for all secrets that are missing or cannot be read."""
        self.source.resolve(self.wanted)


def load_service(choice: Choice) -> Service:
    """Return the service that a choice means. Raises ConfigError."""
    config, directory = load_config(choice)
    programs = Programs(Path(directory), dict(os.environ))
    source = FileSecrets(programs, config.secrets_path, choice.destination or "")
    return Service(config, directory, NeededSecrets(source, needed_secrets(config)), choice.version)
