"""Where the lab keeps things, what it calls them, and which addresses it uses: the only constants of the lab."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

PREFIX = "shipway-lab"
NETWORK = PREFIX
REGISTRY_USER = "shipway"
REGISTRY_PASSWORD = "lab-only-pa55word"
REGISTRY_PORT = 5000
MOST_SERVERS = 20
IMAGES = Path(__file__).parent / "images"


@dataclass(frozen=True)
class Addresses:
    """A network of the lab's own. The default is changed with SHIPWAY_LAB_SUBNET where something else has it."""

    subnet: ipaddress.IPv4Network

    @property
    def gateway(self) -> str:
        return str(self.subnet[1])

    @property
    def registry(self) -> str:
        return str(self.subnet[5])

    @property
    def registry_server(self) -> str:
        return f"{self.registry}:{REGISTRY_PORT}"

    def server(self, number: int) -> str:
        return str(self.subnet[10 + number])


ADDRESSES = Addresses(ipaddress.IPv4Network(os.environ.get("SHIPWAY_LAB_SUBNET", "10.213.7.0/24")))
# The engine's default bridge, for builds; beside the lab's network so that both are found in one place.
BRIDGE_ADDRESS = "10.213.8.1/24"


@dataclass(frozen=True)
class Places:
    """Everything that the lab writes stands below one directory outside the repository."""

    root: Path

    @property
    def engine(self) -> Path:
        return self.root / "engine"

    @property
    def socket(self) -> Path:
        return self.engine / "docker.sock"

    @property
    def docker_host(self) -> str:
        return f"unix://{self.socket}"

    @property
    def etc_docker(self) -> Path:
        """What the lab's engine sees as /etc/docker: it trusts the lab's registry, the machine's own does not."""
        return self.engine / "etc-docker"

    @property
    def own_config(self) -> Path:
        """The lab's own client configuration; what people and tests log in to is `docker_config`."""
        return self.engine / "client"

    @property
    def docker_config(self) -> Path:
        return self.root / "docker-config"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def key(self) -> Path:
        return self.keys / "operator"

    @property
    def ca(self) -> Path:
        return self.keys / "registry.crt"

    @property
    def ssh_config(self) -> Path:
        return self.root / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    @property
    def template(self) -> Path:
        """What every server and the registry start with: see `template.py`."""
        return self.root / "template"

    @property
    def running(self) -> Path:
        """What running servers and the registry write; removed with them."""
        return self.root / "running"


def places() -> Places:
    """Where this user's lab is: SHIPWAY_LAB_DIR, or a directory in the user's cache."""
    chosen = os.environ.get("SHIPWAY_LAB_DIR")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Places(Path(chosen) if chosen else Path(cache) / PREFIX)
