"""The store of installed packages, killed before each of its changes; virtualenvs here are directories made by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shipway.runtimes.venv.packages_script import store_name
from shipway.runtimes.venv.resource import resource

NO_STORE, KILLED = 3, -9
# Kills itself before its Nth change of the file system (or never, when it makes fewer).
KILL_AT = """
import os, signal, sys
changes = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "shutil.copymode"}
left = int(sys.argv[1])
exec(sys.argv[2])
def hook(event, args):
    global left
    if event in changes or event == "open" and isinstance(args[1], str) and "w" in args[1]:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
script = sys.argv[3]
sys.argv = sys.argv[3:]
code = compile(open(script).read(), script, "exec")
sys.addaudithook(hook)
exec(code, {"__name__": "__main__"})
"""


class Home:
    """The directory of a service, with the script in it."""

    def __init__(self, root: Path) -> None:
        self.packages, self.releases, self.script = root / "packages", root / "releases", root / "packages.py"
        self.packages.mkdir(parents=True)
        self.script.write_text(resource("packages_script.py"))
        self.lock = root / "requirements.txt"

    def run(self, *words: str | Path, kill_at: int = 0, first: str = "") -> int:
        argv = [sys.executable, "-I", "-S", "-c", KILL_AT, str(kill_at), first, str(self.script), *map(str, words)]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=60, text=True)
        assert done.returncode in (0, NO_STORE, KILLED), done.stderr
        return done.returncode

    def use(self, release: str, kill_at: int = 0, first: str = "") -> int:
        return self.run("use", self.packages, "key", self.venv(release), self.lock, kill_at=kill_at, first=first)

    def keep(self, release: str, kill_at: int = 0) -> int:
        return self.run("keep", self.packages, "key", self.venv(release), self.lock, kill_at=kill_at)

    def sweep(self, release: str, kill_at: int = 0) -> int:
        return self.run("sweep", self.packages, self.releases / release, kill_at=kill_at)

    def venv(self, release: str) -> Path:
        return self.releases / release / "venv"

    def new_venv(self, release: str) -> Path:
        """Make what every virtualenv has, anew."""
        venv = self.venv(release)
        subprocess.run(["rm", "-rf", "--", venv], check=True)
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").symlink_to(sys.executable)
        (venv / "pyvenv.cfg").write_text(f"prompt = {release}\n")
        (venv / "lib" / "python3" / "site-packages").mkdir(parents=True)
        (venv / "lib64").symlink_to("lib")
        return venv

    def install(self, release: str, files: dict[str, str] | None = None) -> Path:
        """Fill a new virtualenv as an installer would."""
        venv = self.new_venv(release)
        for name, text in {
            "lib/python3/site-packages/tiny.py": "TINY = 1\n",
            "bin/tiny": f"#!{venv}/bin/python\n",
            "bin/tool": "\x7fELF, and never the path of a virtualenv\n",
            "share/tiny/data.txt": "data\n",
            **(files or {}),
        }.items():
            path = venv / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (venv / "bin" / "tiny").chmod(0o755)
        return venv

    def assert_whole(self, release: str) -> None:
        venv = self.venv(release)
        assert (venv / "lib/python3/site-packages/tiny.py").read_text() == "TINY = 1\n"
        assert (venv / "bin" / "tiny").read_text() == f"#!{venv}/bin/python\n"
        assert (venv / "bin" / "tiny").stat().st_mode & 0o777 == 0o755
        assert (venv / "bin" / "tool").read_text().startswith("\x7fELF")
        assert (venv / "share" / "tiny" / "data.txt").read_text() == "data\n"
        assert (venv / "pyvenv.cfg").read_text() == f"prompt = {release}\n"

    def stores(self) -> list[str]:
        return sorted(path.name for path in self.packages.iterdir())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "shop")


def kept(home: Home, *releases: str) -> None:
    """Make releases that share one store."""
    home.install(releases[0])
    assert home.keep(releases[0]) == 0
    for release in releases[1:]:
        home.new_venv(release)
        assert home.use(release) == 0


def test_releases_share_one_store_and_have_programs_of_their_own(home: Home) -> None:
    kept(home, "r1", "r2", "r10")
    assert len(home.stores()) == 1
    for release in ("r1", "r2", "r10"):
        home.assert_whole(release)
        assert (home.venv(release) / "lib/python3/site-packages").resolve().parent.parent == home.packages


def test_a_store_goes_with_the_last_release_that_points_to_it(home: Home) -> None:
    kept(home, "r1", "r2")
    for leaving, left in (("r1", 1), ("r2", 0)):
        assert home.sweep(leaving) == 0
        assert len(home.stores()) == left
        if left:
            home.assert_whole("r2")
        subprocess.run(["rm", "-rf", "--", home.releases / leaving], check=True)


def test_another_path_of_the_same_service_removes_nothing(home: Home, tmp_path: Path) -> None:
    kept(home, "r1", "r2")
    (tmp_path / "other").symlink_to(home.packages.parent)
    assert home.run("sweep", tmp_path / "other" / "packages", tmp_path / "other" / "releases" / "r1") == 0
    home.assert_whole("r2")


@pytest.mark.parametrize(
    "files",
    [
        {"lib/python3/site-packages/a.dist-info/direct_url.json": '{"dir_info": {}, "url": "file:///x"}'},
        {"lib/python3/site-packages/a.dist-info/direct_url.json": '{"archive_info": {}, "url": "file:///x/a.whl"}'},
        {"lib/python3/site-packages/_a.pth": "{release}/src\n"},
    ],
)
def test_what_is_from_the_projects_own_files_is_not_kept(home: Home, files: dict[str, str]) -> None:
    release = str(home.releases / "r1")
    home.install("r1", {name: text.replace("{release}", release) for name, text in files.items()})
    assert home.keep("r1") == 0
    assert home.stores() == []
    home.assert_whole("r1")


def test_a_store_without_packages_is_made_again(home: Home) -> None:
    kept(home, "r1")
    (store,) = home.packages.iterdir()
    subprocess.run(["rm", "-rf", "--", store / "site-packages"], check=True)
    home.new_venv("r2")
    assert home.use("r2") == NO_STORE
    kept(home, "r2", "r3")
    home.assert_whole("r1")
    home.assert_whole("r3")


@pytest.mark.parametrize(
    "other",
    [
        "sys.version_info = (3, 99, 0, 'final', 0)",
        "sys.base_prefix = '/opt/python'",
        "import importlib.machinery as m; m.EXTENSION_SUFFIXES = ['.cpython-399t-x86_64-linux-gnu.so']",
    ],
)
def test_another_python_has_another_store(home: Home, other: str) -> None:
    kept(home, "r1")
    home.new_venv("r2")
    assert home.use("r2", first=other) == NO_STORE
    assert home.use("r2") == 0


def killed_at(at: int) -> int:
    assert at < 200, "the number of changes is bounded"
    return at


def test_making_a_store_can_be_killed_anywhere(home: Home) -> None:
    at, status = 0, KILLED
    while status == KILLED:
        at = killed_at(at + 1)
        home.install("r1")
        status = home.keep("r1", kill_at=at)
        home.new_venv("r2")
        if home.use("r2") == 0:
            home.assert_whole("r2")
        subprocess.run(["rm", "-rf", "--", home.releases / "r1", home.releases / "r2"], check=True)
        (home.releases / "r3").mkdir(exist_ok=True)
        assert home.sweep("r3") == 0
        assert home.stores() == []
    assert at > 8


def test_using_a_store_can_be_killed_anywhere(home: Home) -> None:
    kept(home, "r1")
    at, status = 0, KILLED
    while status == KILLED:
        at = killed_at(at + 1)
        home.new_venv("r2")
        status = home.use("r2", kill_at=at)
        home.assert_whole("r1")
        home.new_venv("r2")
        assert home.use("r2") == 0
        home.assert_whole("r2")
    assert at > 4


def test_removing_a_store_can_be_killed_anywhere(home: Home) -> None:
    at, status = 0, KILLED
    while status == KILLED:
        at = killed_at(at + 1)
        kept(home, "r1")
        status = home.sweep("r1", kill_at=at)
        home.new_venv("r2")
        if home.use("r2") == 0:
            home.assert_whole("r2")
        subprocess.run(["rm", "-rf", "--", home.venv("r2")], check=True)
        assert home.sweep("r1") == 0
        assert home.stores() == []
    assert at > 4


def test_the_name_of_a_store_holds_all_that_decides(home: Home) -> None:
    (home.lock.parent / "more").mkdir()
    base, more = home.lock.parent / "base.txt", home.lock.parent / "more" / "pins.txt"
    home.lock.write_text("-r base.txt\ndjango==5.2\n")
    base.write_text("# one\n  --constraint=more/pins.txt # of ours\n-r requirements.txt\n")
    more.write_text("tiny==1\n")
    names = [store_name("key", [str(home.lock)]), store_name("other", [str(home.lock)])]
    for file in (more, base, home.lock):
        file.write_text(file.read_text() + "\n")
        names.append(store_name("key", [str(home.lock)]))
    more.unlink()
    names.append(store_name("key", [str(home.lock)]))
    names.append(store_name("key", [str(home.lock), "absent.toml"]))
    assert len(set(names)) == len(names)
    assert names[-1] == store_name("key", [str(home.lock), "absent.toml"])
