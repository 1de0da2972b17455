"""A host of Kamal's becomes one of Shipway's with the same files, and there is a way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.lab.fixtures import Lab
from tests.lab.kamal_layout import lay_out
from tests.lab.pier import NAME, Beats, Pier, Visitors

ROLES = ("beat", "web", "worker")
MOST_S = 15.0
"""Without an answer on the busiest machine; about one second on a quiet one."""


@dataclass(frozen=True)
class Taken:
    pier: Pier
    version: str

    @property
    def kamals(self) -> list[str]:
        return [f"pier-{role}-{self.version}" for role in ROLES]

    def proxies(self) -> dict[str, str]:
        words = ("ps", "--all", "--filter", "name=-proxy", "--format", "{{.Names}} {{.State}}")
        return dict(line.split() for line in self.pier.host.docker(*words).out.splitlines())


@pytest.fixture
def kamals(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    host = lab.host(2)
    host.wipe()
    pier = Pier(lab, host, tmp_path_factory.mktemp("operator") / "pier").prepare()
    yield Taken(pier, lay_out(pier))
    host.wipe()


def test_the_same_file_takes_a_host_over_from_kamal_and_back(kamals: Taken) -> None:
    pier = kamals.pier
    assert pier.release == "none", "Kamal tells no release"
    assert pier.parcel(pier.post("Rope"))["weighed_by"] == "none"
    assert pier.containers() == kamals.kamals
    accessories = pier.host.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "pier-db", "pier-redis").out

    pier.edit("parcels/templates/parcels/list.html", "</body>", "<!-- by Shipway --></body>")
    pier.commit("The first commit for Shipway")
    asked = pier("deploy")
    assert asked.status == 4
    assert "kamal-proxy is stopped and Shipway's proxy takes its ports" in asked.out + asked.err
    assert kamals.proxies() == {"kamal-proxy": "running"}

    with Beats(pier.host) as beats, Visitors(pier, 6) as visitors:
        pier.ok("deploy", "--yes")
        assert beats.assert_never_two() == 1
    lost = f"{visitors.pause_s:.1f} s without an answer, {len(visitors.failed)} of {visitors.asked} requests"
    print(f"taken over: {lost}")
    assert visitors.pause_s < MOST_S, lost
    assert pier.release == "r1"
    assert pier.containers() == [f"pier-{role}-r1" for role in ROLES]
    assert kamals.proxies() == {"kamal-proxy": "exited", "shipway-proxy": "running"}
    again = pier.host.docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "pier-db", "pier-redis").out
    assert again == accessories, "a deploy never restarts an accessory"
    assert pier.parcel(pier.post("Sail"))["weighed_by"] == "r1"
    assert [number for number in visitors.parcels if not pier.parcel(number)["weighed_by"]] == []

    with Beats(pier.host) as beats, Visitors(pier) as visitors:
        back = pier.ok("rollback")
        assert beats.assert_never_two() == 1
    visitors.assert_content()
    assert f"web kamal-{kamals.version}" in back
    assert pier.containers() == kamals.kamals
    assert pier.release == "none"
    assert pier.parcel(pier.post("Anchor"))["weighed_by"] == "none"

    pier.ok("deploy")
    assert pier.release == "r2"
    pier.ok("rollback")
    assert pier.release == "none", "and once more"

    pier.ok("proxy", "stop")
    assert pier.host.docker("start", "kamal-proxy").status == 0
    assert pier.comes_up(), "the way back to Kamal"
    assert NAME in pier.ok("config")
