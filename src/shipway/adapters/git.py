"""What is about to be deployed, as the git repository on this machine tells it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from shipway.config.version import GitFacts
from shipway.core.errors import ConfigError

# Without these git may write to the index (`status` refreshes it) or answer in the user's language.
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
_LIMIT_S = 30.0
MAX_COMMITS = 200
"""How many commits between two releases are listed."""
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_NO_FILE = ("does not exist in", "exists on disk, but not in")  # git 2.39, object-name.c


@dataclass(frozen=True, slots=True)
class Tree:
    """A directory in a git repository.

    `repository` is the root of the work tree, `project` the path of the directory below it ("" for the root itself),
    `version` the commit at HEAD (40 hex digits), `uncommitted` the number of changed or untracked paths in the
    directory: they are not deployed. `is_chosen`: `version` is not HEAD, but what somebody asked for.
    """

    repository: str
    project: str
    version: str
    uncommitted: int = 0
    is_chosen: bool = False

    @property
    def directory(self) -> str:
        """The directory of the project on this machine."""
        return f"{self.repository}/{self.project}" if self.project else self.repository

    @property
    def sentence(self) -> str:
        """What is said before the tree is deployed: the commit, and what is not in it."""
        if self.is_chosen:
            return f"the version is {self.short}"
        if not self.uncommitted:
            return f"HEAD is {self.short}; nothing is uncommitted"
        files, are = ("file", "is") if self.uncommitted == 1 else ("files", "are")
        return f"{self.uncommitted} uncommitted {files} {are} not deployed; HEAD {self.short} is"

    @property
    def short(self) -> str:
        """The commit as people write it."""
        return self.version[:7]


def read_tree(directory: str) -> Tree:
    """Return the tree that holds `directory`.

    Raises ConfigError `git.missing` without a git program, `git.no_repository` outside a repository,
    `git.no_commits` before the first commit, `git.failed` for whatever else git refuses.
    """
    place = _git(directory, "rev-parse", "--show-toplevel", "--show-prefix")
    if place.returncode != 0:
        raise _no_repository(directory, place.stderr)
    root, prefix = place.stdout.split("\n")[:2]
    head = _git(directory, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head.returncode != 0:
        raise ConfigError(
            "git.no_commits",
            "the git repository has no commit yet, so there is no version to deploy",
            where=root,
            next="git add . && git commit -m 'Begin'",
        )
    status = _git(directory, "status", "--porcelain", "--no-renames", "-z", "--", ".")
    if status.returncode != 0:
        raise _failed(directory, status.stderr)
    changed = sum(1 for entry in status.stdout.split("\0") if entry)
    return Tree(root, prefix.rstrip("/"), head.stdout.strip(), changed)


def tree_at(tree: Tree, version: str) -> Tree:
    """Return the same project at another commit. Raises ConfigError `git.no_version` when there is no such commit."""
    found = _git(tree.directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{version}^{{commit}}")
    if found.returncode != 0:
        raise ConfigError(
            "git.no_version",
            f"there is no commit `{version}` in the repository",
            where=tree.repository,
            next="git fetch --all; `shipway releases` lists the versions that were deployed",
        )
    return Tree(tree.repository, tree.project, found.stdout.strip(), is_chosen=True)


def git_facts(directory: str) -> GitFacts:
    """Return the commit of `directory` and whether anything differs from it; nothing where there is no repository."""
    try:
        tree = read_tree(directory)
    except ConfigError:
        return GitFacts()
    return GitFacts(tree.version, tree.uncommitted > 0)


def list_files(tree: Tree) -> tuple[str, ...]:
    """Return the paths of all files of the project at the commit, relative to the project. Raises ConfigError."""
    found = _git(tree.directory, "ls-tree", "-r", "-z", "--name-only", tree.version, ".")
    if found.returncode != 0:
        raise _failed(tree.directory, found.stderr)
    return tuple(path for path in found.stdout.split("\0") if path)


def read_file(tree: Tree, path: str) -> str:
    """Return the text of a file of the project at the commit. Raises ConfigError `git.no_file` when there is none."""
    found = _git(tree.directory, "cat-file", "blob", f"{tree.version}:./{path}")
    if any(words in found.stderr for words in _NO_FILE):
        raise ConfigError(
            "git.no_file",
            f"`{path}` was not found in the commit {tree.short}; only what is committed is deployed",
            where=tree.directory,
            next=f"git add {shlex.quote(path)} && git commit",
        )
    if found.returncode != 0:
        raise _failed(f"{tree.directory}/{path}", found.stderr)
    return found.stdout


def how_git_sees(directory: str, paths: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which of `paths` (files of `directory`) git has, and which it neither has nor ignores.

    Nothing where there is no repository or no git.
    """
    if not paths:
        return (), ()
    try:
        tracked = _git(directory, "ls-files", "-z", "--", *paths)
        others = _git(directory, "ls-files", "-z", "--others", "--exclude-standard", "--", *paths)
    except ConfigError:
        return (), ()
    if tracked.returncode or others.returncode:
        return (), ()
    known, unknown = (set(one.stdout.split("\0")) for one in (tracked, others))
    return tuple(path for path in paths if path in known), tuple(path for path in paths if path in unknown)


def user_email(directory: str) -> str:
    """Return the address that git would write into a commit here, "" where there is none or no git."""
    try:
        return _git(directory, "config", "user.email").stdout.strip()
    except ConfigError:
        return ""


def _git(directory: str, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ("git", "-C", directory, *words),
            env={**os.environ, **_QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_LIMIT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise ConfigError(
            "git.missing",
            "git is not installed here; Shipway deploys commits",
            next="apt install git",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise _failed(directory, f"no answer in {_LIMIT_S:g} s") from error


def _no_repository(directory: str, said: str) -> ConfigError:
    if "not a git repository" not in said:
        return _failed(directory, said)
    return ConfigError(
        "git.no_repository",
        "the project is in no git repository; Shipway deploys commits",
        where=directory,
        next="git init && git add . && git commit -m 'Begin'",
    )


def _failed(directory: str, said: str) -> ConfigError:
    error = ConfigError("git.failed", "git could not read the repository", where=directory, next="git status")
    error.said = said.strip()
    return error


def commits_between(directory: str, before: str, after: str) -> tuple[tuple[str, ...], str]:
    """Return the commits that `after` has and `before` has not, newest first, and why that is not known ("").

    Each is a line: short name, author, subject. At most `MAX_COMMITS` are returned.
    """
    for version in (before, after):
        if not _COMMIT.fullmatch(version):
            return (), f"`{version}` is no commit"
        if _git(directory, "cat-file", "-e", f"{version}^{{commit}}").returncode != 0:
            return (), f"this repository has no commit {version[:12]}: `git fetch` may bring it"
    words = ("log", f"--max-count={MAX_COMMITS}", "--format=%h %an: %s", f"{before}..{after}")
    found = _git(directory, *words)
    return (tuple(found.stdout.splitlines()), "") if found.returncode == 0 else ((), found.stderr.strip())
