"""The files of a project as another commit has them, in a directory of their own; the repository is not touched."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipway.core.errors import UsageError

_LIMIT_S = 120.0


def find_commit(directory: Path, ref: str) -> str:
    """Return the commit that `ref` names in the repository of `directory`, "" when it names none there."""
    if ref.startswith("-"):
        return ""
    found = _git(directory, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    return found.stdout.decode().strip() if found.returncode == 0 else ""


@contextmanager
def checked_out(directory: Path, commit: str) -> Iterator[Path]:
    """Give a temporary directory that holds what `directory` holds at `commit`, and remove it in the end.

    A `.env` file beside manage.py, which is in no repository, is linked into it. Raises UsageError
    `migrations.base_files` when git cannot tell the files.
    """
    with tempfile.TemporaryDirectory(prefix="shipway-base-") as place:
        archive = Path(place, "tree.tar")
        written = _git(directory, "archive", "--format=tar", "-o", str(archive), commit, ".")
        if written.returncode != 0:
            raise UsageError(
                "migrations.base_files",
                f"git could not give the files of {commit[:12]}",
                where=str(directory),
                next=f"git archive {commit[:12]} .",
            )
        tree = Path(place, "tree")
        with tarfile.open(archive) as tar:
            tar.extractall(tree, filter="data")
        _link_environment(directory, tree)
        yield tree


def _link_environment(directory: Path, tree: Path) -> None:
    for name in (".env", "local_settings.py"):
        if (directory / name).is_file() and not (tree / name).exists():
            (tree / name).symlink_to((directory / name).resolve())


def _git(directory: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ("git", "-C", str(directory), *words),
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 1, b"", str(error).encode())
