"""`shipway drift`, `audit --check`, `report` and notice around real deploys of a virtualenv."""

from __future__ import annotations

import json

from tests.live.site import Ran, Site


def found(site: Site) -> tuple[int, list[str]]:
    ran: Ran = site("drift", "--json")
    return ran.code, [finding["code"] for finding in json.loads(ran.out)["findings"]]


def test_what_was_changed_by_hand_is_seen_and_a_good_run_is_no_drift(moving: Site) -> None:
    assert moving.deploy().code == 0
    release = moving.serving()
    assert found(moving) == (0, [])
    place = moving.home / "releases" / release
    files = {
        "drift.environment": place / "env" / "worker.env",
        "drift.source": place / "src" / "ships" / "views.py",
        "drift.proxy": moving.machine.state / "proxy" / "sites" / f"{moving.service}.json",
    }
    files["drift.unit"] = next((moving.machine.state / "keeper" / "programs").glob(f"{moving.service}-web-*.conf"))
    before = {code: path.read_bytes() for code, path in files.items()}
    for code, path in files.items():
        path.write_bytes(before[code] + b"\n")
        assert found(moving) == (4, [code])
        path.write_bytes(before[code])
    assert found(moving) == (0, [])
    files["drift.source"].write_bytes(before["drift.source"] + b"\n# by hand\n")
    assert moving("drift", "--accept", "--reason", "a fix").code == 0
    assert found(moving) == (0, [])

    assert moving("rollback", "-y").code == 0
    assert found(moving) == (0, [])
    assert moving("audit", "--check").code == 0
    story = json.loads(moving("report", "--json").out)
    assert (story["verb"], story["outcome"]) == ("rollback", "done")
    assert "<h1>rollback" in moving("report", "--html").out
