"""Servers: containers with systemd, sshd and an engine of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import keys, template
from tests.lab.engine import Engine, privileges
from tests.lab.images import reference
from tests.lab.places import ADDRESSES, NETWORK, PREFIX
from tests.lab.shell import LabError, remove_tree

_LABEL = f"{PREFIX}.server"
_BOOT_S = 90
# Answers when systemd has settled, and Docker answers where it is installed.
_WAIT = """\
limit=$1
end=$(($(date +%s) + limit))
while :; do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in running | degraded)
    [ -S /run/systemd/private ] && systemctl is-active -q ssh &&
      { ! command -v dockerd >/dev/null || docker version >/dev/null 2>&1; } && exit 0 ;;
  esac
  [ "$(date +%s)" -lt "$end" ] || break
  sleep 0.1
done
echo "systemd says: ${state:-nothing}"
systemctl --no-pager --failed list-units
systemctl --no-pager list-jobs
exit 1
"""


@dataclass(frozen=True)
class Server:
    """One server. `bare` ones start without Docker; `made_from` is the digest of the image's recipe.

    A test's own has none there, and is no server of the lab.
    """

    number: int
    bare: bool
    made_from: str

    @property
    def name(self) -> str:
        return keys.server_name(self.number)

    @property
    def container(self) -> str:
        return f"{PREFIX}-{self.number}"

    @property
    def address(self) -> str:
        return ADDRESSES.server(self.number)


def image_name(*, bare: bool) -> str:
    """Which of the two server images."""
    return "server-bare" if bare else "server"


def _kind(server: Server) -> str:
    return "bare" if server.bare else "docker"


def running(engine: Engine) -> list[Server]:
    """The servers that run now."""
    words = ("ps", "--filter", f"label={_LABEL}", "--format", f'{{{{.Label "{_LABEL}"}}}}')
    found = (line.split("-", 2) for line in engine.run(*words).split())
    servers = (Server(int(number), kind == "bare", digest) for number, kind, digest in found)
    return sorted(servers, key=lambda each: each.number)


def create(engine: Engine, server: Server) -> None:
    """Make one anew, in place of what had its name; it is not ready yet."""
    remove(engine, [server])
    place = engine.places.running / server.name
    template.copy(engine.places, "docker", place / "docker")
    start(engine, server.container, place / "docker", server)


def start(engine: Engine, container: str, docker_data: Path, server: Server) -> None:
    """Start the container of a server on this directory for its own engine's data."""
    image = reference(image_name(bare=server.bare))
    # That of a test is none of the lab's: nobody else finds it.
    label = f"{_LABEL}{'' if server.made_from else '-of-a-test'}={server.number}-{_kind(server)}-{server.made_from}"
    given = keys.given_to(engine.places, server.number)
    network = (f"--network={NETWORK}", f"--ip={server.address}", f"--network-alias={server.name}")
    temporary = ("--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec", "--shm-size=256m")
    mounts = (f"--volume={docker_data}:/var/lib/docker", f"--volume={given}:/lab:ro")
    what = ("--detach", f"--name={container}", f"--hostname={server.name}", f"--label={label}")
    engine.run("run", *what, *privileges(), "--cgroupns=private", *network, *temporary, *mounts, image)


def wait(engine: Engine, container: str) -> None:
    """Wait until a server has booted.

    Raises:
        LabError: it has not, with what its systemd says.
    """
    answer = engine.ask("exec", container, "sh", "-c", _WAIT, "sh", str(_BOOT_S), limit_s=_BOOT_S + 10)
    if answer.status != 0:
        seen = (answer.out + answer.err).strip() or engine.ask("logs", "--tail=20", container).out
        hint = f"docker -H {engine.places.docker_host} exec -it {container} journalctl -b"
        raise LabError(f"the server `{container}` did not boot within {_BOOT_S} s:\n{seen}", hint)


def remove(engine: Engine, servers: Sequence[Server]) -> None:
    """Remove servers with everything they wrote."""
    if not servers:
        return
    engine.ask("rm", "--force", "--volumes", *(server.container for server in servers), limit_s=120)
    for server in servers:
        remove_tree(engine.places.running / server.name)
