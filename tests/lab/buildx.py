"""buildx for the operator's side, where the machine has none: the plugin of a newer Debian, which needs only libc."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.lab.base import MIRROR
from tests.lab.places import Places
from tests.lab.shell import LabError, ask, run, say

_SUITE = "trixie"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_IN_PACKAGE = "usr/libexec/docker/cli-plugins/docker-buildx"


def ensure(places: Places) -> None:
    """Put the plugin into the lab's client configuration; without it BuildKit is used by DOCKER_BUILDKIT=1."""
    plugin = places.docker_config / "cli-plugins" / "docker-buildx"
    if plugin.exists() or not shutil.which("apt-get"):
        return
    say("Getting the buildx plugin")
    try:
        _get(places, plugin)
    except LabError as problem:
        say(f"buildx was not to be had, and the lab works without it: {problem}")


def _get(places: Places, plugin: Path) -> None:
    with tempfile.TemporaryDirectory(dir=places.root, prefix="buildx-") as name:
        place = Path(name)
        for each in ("lists/partial", "cache/archives/partial", "unpacked"):
            (place / each).mkdir(parents=True)
        (place / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {MIRROR} {_SUITE} main\n")
        (place / "status").touch()
        options = {
            "Dir::Etc::sourcelist": place / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::State::lists": place / "lists",
            "Dir::State::status": place / "status",
            "Dir::Cache": place / "cache",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "root",
        }
        apt = ("apt-get", *(f"-o{key}={value}" for key, value in options.items()))
        run((*apt, "update", "-qq"), "the package list was not had", limit_s=120)
        answer = ask(
            ("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", place, *apt, "download", "-qq", "docker-buildx"),
            limit_s=120,
        )
        package = next(place.glob("docker-buildx_*.deb"), None)
        if package is None:
            raise LabError(f"the package was not had: {answer.err.strip()}", "apt-get update")
        run(("dpkg-deb", "-x", package, place / "unpacked"), "the package was not unpacked")
        plugin.parent.mkdir(parents=True, exist_ok=True)
        draft = plugin.with_name(".docker-buildx.new")
        shutil.copy(place / "unpacked" / _IN_PACKAGE, draft)
        draft.chmod(0o755)
        draft.replace(plugin)
