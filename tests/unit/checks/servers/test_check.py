"""What a server told, and the codes that follow."""

from dataclasses import replace

import pytest

from shipway.checks.servers.check import Expected, check_server
from shipway.checks.servers.probe import Container, Disk, ServerFacts

GOOD = ServerFacts(
    is_whole=True,
    date_s=1,
    machine="x86_64",
    os=("debian", "12"),
    memory_kb=4_000_000,
    available_kb=2_000_000,
    swap_kb=1_000_000,
    may_write_state=True,
    disks={"state": Disk("/", 40_000_000, 20_000_000), "docker": Disk("/", 40_000_000, 20_000_000)},
    inodes={"state": Disk("/", 1000, 900)},
    firewalls=frozenset({"none", "ufw"}),
    open=("OpenSSH", "80,443/tcp"),
    has_updates=True,
    has_systemd=True,
    knows_ports=True,
    ports={80: "shipway-proxy", 443: "ours"},
    names={"shop-db": "running"},
    is_used=True,
)
EXPECTED = Expected(
    "a",
    "shop",
    ports=(80, 443),
    architectures=("amd64",),
    accessories=("shop-db",),
    today="2026-11-22",
)
FULL = {"state": Disk("/", 40_000_000, 1_000_000), "docker": Disk("/", 40_000_000, 1_000_000)}
VENV = replace(EXPECTED, is_docker=False, accessories=())
CASES = {
    "healthy": (GOOD, EXPECTED, 0.0, []),
    "no answer": (ServerFacts(), EXPECTED, 0.0, ["error server.unanswered"]),
    "full disk": (replace(GOOD, disks=FULL), EXPECTED, 0.0, ["error server.disk"]),
    "another threshold": (
        replace(GOOD, disks=FULL),
        replace(EXPECTED, least_free_gb=0.5),
        0.0,
        ["warning server.disk"],
    ),
    "no inodes": (replace(GOOD, inodes={"state": Disk("/", 1000, 9)}), EXPECTED, 0.0, ["error server.inodes"]),
    "no inodes counted (btrfs)": (replace(GOOD, inodes={"state": Disk("/", 0, 0)}), EXPECTED, 0.0, []),
    "unwritable": (replace(GOOD, may_write_state=False), EXPECTED, 0.0, ["error server.state_unwritable"]),
    "memory": (replace(GOOD, available_kb=90_000), EXPECTED, 0.0, ["warning server.memory"]),
    "no swap": (replace(GOOD, memory_kb=1_000_000, swap_kb=0), EXPECTED, 0.0, ["info server.no_swap"]),
    "no swap, much memory": (replace(GOOD, memory_kb=64_000_000, swap_kb=0), EXPECTED, 0.0, []),
    "clock": (GOOD, EXPECTED, -61.0, ["warning server.clock"]),
    "a second": (GOOD, EXPECTED, 1.0, []),
    "architecture": (replace(GOOD, machine="aarch64"), EXPECTED, 0.0, ["error server.architecture"]),
    "architecture of no image": (replace(GOOD, machine="aarch64"), VENV, 0.0, []),
    "end of life": (replace(GOOD, os=("debian", "11")), EXPECTED, 0.0, ["warning server.end_of_life"]),
    "a system we do not know": (replace(GOOD, os=("plan", "9")), EXPECTED, 0.0, []),
    "reboot": (replace(GOOD, wants_reboot=True), EXPECTED, 0.0, ["info server.reboot_needed"]),
    "no updates": (replace(GOOD, has_updates=False), EXPECTED, 0.0, ["info server.no_updates"]),
    "updates not known": (replace(GOOD, has_updates=None), EXPECTED, 0.0, []),
    "port taken": (replace(GOOD, ports={80: "nginx", 443: "unknown"}), EXPECTED, 0.0, ["error server.port_taken"] * 2),
    "ports free": (replace(GOOD, ports={}), EXPECTED, 0.0, []),
    "Kamal": (replace(GOOD, ports={80: "kamal-proxy"}), EXPECTED, 0.0, ["info server.kamal_proxy"]),
    "no firewall": (replace(GOOD, firewalls=frozenset({"none"})), EXPECTED, 0.0, ["warning server.no_firewall"]),
    "firewall not known": (replace(GOOD, firewalls=frozenset()), EXPECTED, 0.0, []),
    "firewall closed": (replace(GOOD, open=("22/tcp", "443/udp")), VENV, 0.0, ["warning server.firewall_closed"] * 2),
    "firewall with a range": (replace(GOOD, open=("1:1000/tcp",)), VENV, 0.0, []),
    "firewall and Docker": (replace(GOOD, open=()), EXPECTED, 0.0, []),
    "restarts": (
        replace(
            GOOD, containers=(Container("shop-web-r1", 5, "running", "shop"), Container("x", 9, "running", "other"))
        ),
        EXPECTED,
        0.0,
        ["warning server.restarts"],
    ),
    "leftovers": (replace(GOOD, leftovers=("r3",)), EXPECTED, 0.0, ["info server.leftovers"]),
    "accessory stopped": (replace(GOOD, names={"shop-db": "exited"}), EXPECTED, 0.0, ["error server.accessory_down"]),
    "accessory gone": (replace(GOOD, names={"x": "running"}), EXPECTED, 0.0, ["error server.accessory_down"]),
    "before setup": (replace(GOOD, names={}, ports={}, is_used=False), EXPECTED, 0.0, []),
    "no systemd": (replace(GOOD, has_systemd=False), VENV, 0.0, ["info server.no_systemd"]),
}


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str) -> None:
    facts, expected, skew_s, wanted = CASES[name]
    found = check_server(facts, expected, skew_s)
    assert [f"{one.level} {one.code}" for one in found] == wanted
    assert all(one.where.startswith("a") and one.next for one in found)
