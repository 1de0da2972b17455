"""What this machine knows of a service before any host is asked: configuration, secrets, git tree, project."""

from __future__ import annotations

import hashlib
import os
import secrets as entropy
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from shipway.adapters.error_pages import read_pages
from shipway.adapters.git import Tree, git_facts, list_files, read_file, read_tree, tree_at
from shipway.adapters.secrets.files import FileSecrets
from shipway.adapters.secrets.programs import Programs
from shipway.app.call import Choice
from shipway.app.configuration import load_config
from shipway.config.hooks import check_hook_files
from shipway.config.model import Config
from shipway.config.summary import inline_secrets, needed_secrets
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
        if self.config.runtime == "venv" or self.version:
            return self.tree.version
        has_context = self.config.builder is not None and self.config.builder.context is not None
        git = git_facts(self.directory)
        return version_of(self.version, os.environ, git, has_context=has_context, suffix=entropy.token_hex(8))

    @cached_property
    def tree(self) -> Tree:
        """The git tree that would be deployed; raises ConfigError where there is none.

        An image may have a version that is no commit here: then its tree is known by that name alone.
        """
        tree = read_tree(str(Path(self.directory, self.config.project)))
        if not self.version:
            return tree
        try:
            return tree_at(tree, self.version)
        except ConfigError:
            if self.config.runtime == "venv":
                raise
            return Tree(tree.repository, tree.project, self.version, is_chosen=True)

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
        found = (*self.config.warnings, *self.secrets.source.findings())
        return tuple(finding for finding in found if finding.level == "warning")


@dataclass(frozen=True, slots=True)
class NeededSecrets:
    """The secrets that the configuration names, and no others: nothing is asked of a password manager in vain.

    `inline` has the values that stand in the configuration itself, by the names that plans have for them.
    """

    source: FileSecrets
    wanted: tuple[str, ...]
    inline: Mapping[str, str] = field(default_factory=dict, repr=False)

    def names(self) -> Sequence[str]:
        """Return the names of the secrets that the configuration refers to or holds."""
        return (*self.wanted, *self.inline)

    def reveal(self, name: str) -> str:
        """Return the value of `name`; raises ConfigError."""
        return self.inline[name] if name in self.inline else self.source.reveal(name)

    def known_values(self, *, except_for: Collection[str] = ()) -> dict[str, str]:
        """Return the values of those that have one, without the names of `except_for`."""
        values = dict(self.inline)
        for name in self.wanted:
            if name not in except_for:
                with suppress(ConfigError):
                    values[name] = self.source.reveal(name)
        return values

    def check(self, names: Iterable[str] | None = None) -> None:
        """Raise one ConfigError for all secrets (of `names`, if given) that are missing or cannot be read."""
        wanted = self.wanted if names is None else names
        self.source.resolve(name for name in wanted if name not in self.inline)


def load_service(choice: Choice) -> Service:
    """Return the service that a choice means. Raises ConfigError."""
    config, directory = load_config(choice)
    _refuse_old_hooks(directory, config.hooks.path)
    programs = Programs(Path(directory), dict(os.environ))
    source = FileSecrets(programs, config.secrets_path, choice.destination or "")
    wanted = {*needed_secrets(config), *(source.names() if config.hooks.gives_all else ())}
    needed = NeededSecrets(source, tuple(sorted(wanted)), inline_secrets(config))
    return Service(config, directory, needed, choice.version)


def _refuse_old_hooks(directory: str, path: str) -> None:
    folder = Path(directory, path)
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    for finding in check_hook_files(names, path):
        raise ConfigError(finding.code, finding.what, where=finding.where, next=finding.next)
