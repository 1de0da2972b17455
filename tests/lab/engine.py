"""A Docker engine of the lab's own: its own socket, data and /etc/docker; never the machine's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab import packet_filter
from tests.lab.places import BRIDGE_ADDRESS, Places
from tests.lab.shell import Answer, LabError, ask, run, say, wait_for

# Debian's own paths: other versions may stand earlier in PATH, or there may be a client without an engine.
DOCKERD = Path("/usr/sbin/dockerd")
DOCKER = Path("/usr/bin/docker")
_NEEDS = {
    "docker.io": DOCKERD,
    "iptables": Path("/usr/sbin/iptables"),
    "debootstrap": Path("/usr/sbin/debootstrap"),
    "openssh-client": Path("/usr/bin/ssh-keygen"),
    "openssl": Path("/usr/bin/openssl"),
    "iproute2": Path("/usr/bin/ip"),
}
# In a mount namespace of its own the engine sees the lab's directory as /etc/docker, which is where it looks for the
# certificates of registries; there is no option for that.
_START = 'mkdir -p /etc/docker && mount --bind "$1" /etc/docker && shift && exec "$@"'
_CAP_SYS_RESOURCE = 24


class Engine:
    """The engine and its client."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def ask(self, *words: str | Path, limit_s: float = 60, stdin: bytes | str | None = None) -> Answer:
        """One `docker` command, whatever its status."""
        environment = {"DOCKER_CONFIG": str(self.places.own_config), "DOCKER_BUILDKIT": "1"}
        return ask(
            (DOCKER, "-H", self.places.docker_host, *words), limit_s=limit_s, stdin=stdin, environment=environment
        )

    def run(self, *words: str | Path, limit_s: float = 60, stdin: bytes | str | None = None) -> str:
        """One `docker` command that has to succeed."""
        answer = self.ask(*words, limit_s=limit_s, stdin=stdin)
        if answer.status != 0:
            tail = "\n".join((answer.out + "\n" + answer.err).strip().splitlines()[-15:])
            shown = " ".join(str(word) for word in words)[:300]
            raise LabError(f"`docker {shown}` failed (status {answer.status}):\n{tail}", "bin/lab status")
        return answer.out

    @property
    def pid(self) -> int | None:
        """The process of this engine, if it runs: the one that the file names and that has our data directory."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.places.engine / "docker.pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            return pid if str(self._data).encode() in words else None
        return None

    @property
    def is_up(self) -> bool:
        return self.pid is not None and self.ask("version", limit_s=10).status == 0

    @property
    def _data(self) -> Path:
        return self.places.engine / "data"

    def start(self) -> None:
        """Start it if it does not run; installs what is missing when this is root on Debian.

        Raises:
            LabError: this machine cannot run it, with the reason.
        """
        if self.is_up:
            return
        if reason := unusable():
            raise LabError(*reason)
        install_missing()
        for path in (self.places.etc_docker, self.places.own_config, self.places.docker_config, self._data):
            path.mkdir(parents=True, exist_ok=True)
        packet_filter.remember(self.places)
        say("Starting the lab's Docker engine")
        log = self.places.engine / "log"
        with log.open("wb") as sink:
            started = subprocess.Popen(
                ("unshare", "--mount", "--propagation", "slave", "sh", "-ec", _START, "sh", *self._argv()),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                cwd="/",
            )
        hint = f"read its log: tail {log}"

        def answers() -> bool:
            if started.poll() is not None:
                raise LabError(f"the engine ended at once:\n{_tail(log)}", hint)
            return self.ask("version", limit_s=10).status == 0

        wait_for("an answer of the Docker engine", answers, limit_s=60, next=hint)

    def _argv(self) -> Sequence[str]:
        place = self.places.engine
        return (
            str(self.places.etc_docker),
            str(DOCKERD),
            *("--data-root", str(self._data)),
            *("--exec-root", str(place / "exec")),
            *("--host", self.places.docker_host),
            *("--pidfile", str(place / "docker.pid")),
            *("--bip", BRIDGE_ADDRESS),
            *("--mtu", "1400"),
            *("--log-opt", "max-size=20m"),
        )

    def stop(self) -> None:
        """End it, wait for its end, and leave the machine's network as it was before. Containers end with it."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        next_step = f"kill -KILL {pid}"
        wait_for("the end of the Docker engine", lambda: self.pid is None, limit_s=60, next=next_step)
        packet_filter.restore(self.places)


def privileges() -> tuple[str, ...]:
    """What makes a container a machine: `--privileged`, or as much of it as this machine may give."""
    status = Path("/proc/self/status").read_text()
    bounding = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapBnd"))
    if bounding >> _CAP_SYS_RESOURCE & 1:
        return ("--privileged",)
    open_up = (f"--security-opt={each}=unconfined" for each in ("seccomp", "apparmor", "systempaths"))
    devices = (f"--device={each}" for each in ("/dev/fuse", "/dev/net/tun") if Path(each).exists())
    return ("--cap-add=ALL", "--cap-drop=SYS_RESOURCE", *open_up, "--device-cgroup-rule=a *:* rwm", *devices)


def unusable() -> tuple[str, str] | None:
    """Why the lab cannot run here and what to do about it, if so."""
    if os.uname().sysname != "Linux" or os.geteuid() != 0:
        return "the lab needs root on Linux: its servers are containers of an engine of its own", "sudo bin/lab up 2"
    if not shutil.which("apt-get") and (missing := _missing()):
        names = " ".join(missing)
        return f"the lab needs programs that are missing here: {names}", f"install {names}"
    # Two engines share the machine's packet filter, and the second to start rewrites the rules of the first.
    other = ask(("docker", "-H", "unix:///var/run/docker.sock", "version"), limit_s=10).status == 0
    if other and not os.environ.get("SHIPWAY_LAB_BESIDE_DOCKER"):
        what = "another Docker engine runs on this machine, and the lab's own would change its packet filter rules"
        return (
            what,
            "stop it (systemctl stop docker.socket docker), or allow it: SHIPWAY_LAB_BESIDE_DOCKER=1 bin/lab up",
        )
    return None


def _missing() -> list[str]:
    return [package for package, program in _NEEDS.items() if not program.exists()]


def install_missing() -> None:
    """Install the Debian packages that the lab needs and that are not there."""
    packages = _missing()
    if not packages:
        return
    say(f"Installing Debian packages: {' '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(("apt-get", "update", "-qq"), "the lists of packages were not updated", limit_s=120)
    words = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)
    run(words, "Debian packages were not installed", limit_s=300, environment=quiet)


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-10:])
