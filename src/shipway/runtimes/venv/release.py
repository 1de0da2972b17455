"""What a release is on disk: its directories, source, virtualenv, environment, static files, and the mark of the whole.

Everything of a release stands below one directory, so that undoing is removing. What outlives it (uploads, shared
files, published static files) stands beside it and is linked in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from shipway.core.action import Command, Pipe, Upload
from shipway.core.layout import Layout
from shipway.core.step import Step
from shipway.runtimes.base import Release
from shipway.runtimes.venv.resource import resource
from shipway.runtimes.venv.settings import VenvSettings

# `install -d` also sets the mode of a directory that the lock or the ledger had to make before, for the owner only.
DIRS_SCRIPT = 'mode=$1; shift; install -d -m "$mode" -- "$@"'
DIRS_DONE_SCRIPT = 'for d; do [ -d "$d" ] || exit 1; done'
# A stream that is cut between two files unpacks without an error: an archive is whole when it ends in its two empty
# blocks (POSIX.1-2017, pax, ustar). Only then is it unpacked.
UNPACK_SCRIPT = (
    'set -e; umask 022; rm -rf -- "$1"; mkdir -p -- "$1/src"; cat >"$1/src.tar";'
    ' if [ ! -s "$1/src.tar" ] || [ "$(tail -c 1024 "$1/src.tar" | tr -d "\\0" | wc -c)" -ne 0 ]; then'
    ' echo "the files of the project did not arrive whole" >&2; exit 1; fi;'
    ' tar -x -f "$1/src.tar" -C "$1/src"; rm -f -- "$1/src.tar"; printf %s "$2" >"$1/unpacked"'
)
HOLDS_SCRIPT = '[ "$(cat -- "$1" 2>/dev/null)" = "$2" ]'
MARK_SCRIPT = 'printf %s "$2" >"$1.new" && mv -f -- "$1.new" "$1"'
PACKAGES_LIMIT_S = 900.0
MANAGE_LIMIT_S = 300.0
UNPACK_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Builds the steps that put releases of one service on one host, and take them off again."""

    layout: Layout
    host: str
    settings: VenvSettings

    def home_step(self) -> Step:
        """Return the step that makes the directories of the service.

        A proxy of another user reads static files, uploads and sockets; releases, shared files and logs are closed.
        """
        layout = self.layout
        open_dirs = (layout.home, layout.public, layout.static, layout.media, layout.run_dir)
        closed_dirs = (layout.releases, layout.packages, layout.shared, layout.log, layout.cache)
        return Step(
            id=f"{self.host}/make-directories",
            title=f"make the directories of {layout.service}",
            host=self.host,
            do=(
                Command(("sh", "-c", DIRS_SCRIPT, "sh", "0755", *open_dirs)),
                Command(("sh", "-c", DIRS_SCRIPT, "sh", "0750", *closed_dirs)),
            ),
            done=Command(("sh", "-c", DIRS_DONE_SCRIPT, "sh", *open_dirs, *closed_dirs)),
            harmless=True,
        )

    def unpack_step(self, release: Release) -> Step:
        """Return the step that sends the project's files of one version; undo removes the whole release."""
        where = self.layout.release(release.release)
        tree = f"{release.version}:{release.project.strip('/')}" if release.project.strip("/") else release.version
        if release.version.startswith("-"):
            raise ValueError(f"`{release.version}` is no git commit")
        source = Command(("git", "-C", release.repository, "archive", "--format=tar", tree), limit_s=UNPACK_LIMIT_S)
        sink = Command(("sh", "-c", UNPACK_SCRIPT, "sh", where, release.version), limit_s=UNPACK_LIMIT_S)
        return Step(
            id=f"{self.host}/unpack-{release.release}",
            title=f"send {release.version[:12]} as {release.release}",
            host=self.host,
            do=(Pipe(source, sink),),
            done=self._holds(f"{where}/unpacked", release.version),
            undo=(Command(("rm", "-rf", "--", where), limit_s=UNPACK_LIMIT_S),),
        )

    def packages_id(self, release: str) -> str:
        """Return the id of the step that makes a release able to run."""
        return f"{self.host}/install-packages-{release}"

    def packages_step(self, release: Release) -> Step:
        """Return the step that builds the virtualenv. Its own mark is written last, so half of one is never used.

        The packages of an unchanged lock are those that stand already. Undo leaves them: they are whole or not there.
        """
        layout, settings = self.layout, self.settings
        venv = layout.venv(release.release)
        argv = (
            "sh", "-s", "--",
            venv, self._key(), settings.lock, settings.lock_file, layout.source(release.release),
            settings.python, layout.cache, layout.packages, layout.tools,
            f"{layout.release(release.release)}/packages.py",
        )  # fmt: skip
        return Step(
            id=self.packages_id(release.release),
            title=f"install the packages of {release.release}",
            host=self.host,
            do=(Command(argv, stdin=(resource("packages.sh"),), limit_s=PACKAGES_LIMIT_S),),
            done=self._holds(f"{venv}/.shipway-key", self._key()),
            undo=(Command(("rm", "-rf", "--", venv), limit_s=UNPACK_LIMIT_S),),
        )

    def link_command(self, release: str) -> Command | None:
        """Return the command that links what outlives releases into the project, or None when there is nothing.

        What the project brings in these places is copied there first, and never over something that stands.
        """
        source = self.layout.source(release)
        pairs = [(f"{source}/{path}", f"{self.layout.shared}/{path}") for path in self.settings.shared]
        if self.settings.media_root:
            pairs.append((f"{source}/{self.settings.media_root.rstrip('/')}/", self.layout.media))
        words = tuple(word for pair in pairs for word in pair)
        return Command(("/bin/sh", f"{self.layout.release(release)}/launch", "link", *words)) if words else None

    def publish_command(self, release: str, verb: str) -> Command:
        """Return the command that publishes collected files; `replace` also those whose name holds no hash."""
        python = f"{self.layout.venv(release)}/bin/python"
        collected = f"{self.layout.source(release)}/{self.settings.static_root.rstrip('/')}"
        where = self.layout.release(release)
        argv = (python, "-I", "-S", f"{where}/static.py", verb, collected, where, self.layout.static)
        return Command(argv, limit_s=MANAGE_LIMIT_S)

    def script_uploads(self, release: str) -> tuple[Upload, ...]:
        """Return the scripts that a release carries: it is always handled by those that it was made with."""
        scripts = (
            ("launch", "launch.sh", 0o755),
            ("packages.py", "packages_script.py", 0o644),
            ("static.py", "static_script.py", 0o644),
        )
        where = self.layout.release(release)
        return tuple(Upload(f"{where}/{name}", (resource(file),), mode) for name, file, mode in scripts)

    def complete_step(self, release: Release) -> Step:
        """Return the step that marks the release as whole."""
        mark = self.layout.complete(release.release)
        return Step(
            id=f"{self.host}/complete-{release.release}",
            title=f"mark {release.release} as whole",
            host=self.host,
            do=(Command(("sh", "-c", MARK_SCRIPT, "sh", mark, release.version)),),
            done=self._holds(mark, release.version),
            undo=(Command(("rm", "-f", "--", mark)),),
        )

    def remove_step(self, release: str, pidfiles: Sequence[str]) -> Step:
        """Return the step that removes a stopped release, its logs, packages and static files that only it had."""
        layout, where = self.layout, self.layout.release(release)
        kept = (layout.static, layout.packages)
        argv = ("sh", "-s", "remove", where, *kept, self.settings.python, layout.log, *pidfiles)
        return Step(
            id=f"{self.host}/remove-{release}",
            title=f"remove {release}",
            host=self.host,
            do=(Command(argv, stdin=(resource("launch.sh"),), limit_s=UNPACK_LIMIT_S),),
            done=Command(("test", "!", "-e", where)),
            harmless=True,
        )

    def _key(self) -> str:
        """Return what a virtualenv depends on, as one word."""
        settings = self.settings
        parts = json.dumps([settings.lock, settings.lock_file, settings.lock_digest, settings.python])
        return hashlib.sha256(parts.encode()).hexdigest()

    def _holds(self, path: str, content: str) -> Command:
        return Command(("sh", "-c", HOLDS_SCRIPT, "sh", path, content))
