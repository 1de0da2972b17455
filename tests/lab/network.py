"""The lab's network: fixed addresses, reachable from this machine and from nowhere else."""

from __future__ import annotations

from tests.lab.engine import Engine
from tests.lab.places import ADDRESSES, NETWORK

# Where the machine itself stands behind a tunnel a full-size packet would be lost; 1400 is safe.
_MTU = "com.docker.network.driver.mtu=1400"
# A name of our own instead of a random one: it can be found, and says whose it is.
_BRIDGE = "com.docker.network.bridge.name=shipway-lab"


def ensure(engine: Engine) -> None:
    """Make it if it is not there."""
    if engine.ask("network", "inspect", NETWORK).status == 0:
        return
    where = (f"--subnet={ADDRESSES.subnet}", f"--gateway={ADDRESSES.gateway}")
    engine.run("network", "create", "--driver=bridge", *where, f"--opt={_MTU}", f"--opt={_BRIDGE}", NETWORK)


def remove(engine: Engine) -> None:
    """Remove it if it is there."""
    engine.ask("network", "rm", NETWORK)
