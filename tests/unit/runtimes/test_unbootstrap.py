"""What was changed on a server and may go, from recorded answers to the steps that take it back."""

import pytest

from shipway.core.ports import Result
from shipway.runtimes.unbootstrap import Changed, check, notes, parse, steps

RECORD = "/var/lib/shipway/bootstrap"
KNOWN = "sudo yes\nrecord yes\n"


def changed(text: str, *, is_root: bool = False) -> Changed:
    return parse("h", RECORD, Result(0, text.encode()), is_root=is_root)


def ids(text: str) -> list[str]:
    return [step.id.removeprefix("h/") for step in steps(changed(text))]


def test_a_server_without_notes_is_left_alone() -> None:
    assert steps(changed("sudo yes\nservice shop\n")) == ()
    assert list(check(changed("service shop\n"))) == []
    assert list(notes(changed(""), "/srv")) == ["h: nothing is known that Shipway installed there"]


def test_what_was_installed_goes_and_what_is_needed_stays() -> None:
    text = f"{KNOWN}group ann\nengine disabled\npackage docker.io\npackage runc\nstays python3\n"
    assert ids(text) == ["leave-docker-group-ann", "remove-packages", "forget-bootstrap"]
    (remove,) = [step for step in steps(changed(text)) if step.id == "h/remove-packages"]
    assert remove.do[0].words()[-2:] == ("docker.io", "runc")
    assert any("python3 stay" in note for note in notes(changed(text), "/srv"))


def test_an_engine_that_was_there_and_stopped_is_stopped_again() -> None:
    assert "stop-docker" in ids(f"{KNOWN}engine disabled\n")
    assert "stop-docker" not in ids(f"{KNOWN}engine enabled\n")
    assert "stop-docker" not in ids(f"{KNOWN}engine disabled\ncontainer theirs\n")


def test_nginx_with_a_site_of_somebody_else_stays_whole() -> None:
    text = f"{KNOWN}site theirs\npackage nginx\npackage nginx-common\npackage python3\n"
    assert (changed(text).packages, changed(text).stays) == (("python3",), ("nginx", "nginx-common"))
    assert "default-site" in ids(text)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (f"{KNOWN}package docker.io\ncontainer shop-db\n", ["unbootstrap.in_use"]),
        (f"{KNOWN}container theirs\n", []),
        (f"{KNOWN}service shop\n", ["unbootstrap.in_use"]),
        (f"{KNOWN}ours zz-shipway.conf\n", ["unbootstrap.in_use"]),
        ("record yes\npackage nginx\n", ["unbootstrap.no_sudo"]),
    ],
)
def test_what_forbids_it_is_told(text: str, codes: list[str]) -> None:
    assert [finding.code for finding in check(changed(text))] == codes


def test_an_answer_is_read_strictly() -> None:
    assert changed(f"{KNOWN}package a;b\npackage -x\ngroup $(id)\n").packages == ()
