"""What a bare server lacks, from recorded answers to what a person or a plan has to do."""

import pytest

from shipway.core.ports import Result
from shipway.runtimes.bootstrap import HostState, Needs, check, missing, parse, steps

DEBIAN = "os=debian \nname=Debian GNU/Linux 12 (bookworm)\napt=yes\n"
BARE_ROOT = f"uid=0\nuser=root\ngroups= root \nlisted= root \n{DEBIAN}systemd=yes\nstate=yes\n"
READY = f"{BARE_ROOT}docker=yes\nengine=20.10.24\npython3=yes\nvenv=yes\n"
DEPLOY = f"uid=1000\nuser=deploy\ngroups= deploy \nlisted= deploy \nsudo=yes\n{DEBIAN}state=yes\n"


def state(text: str) -> HostState:
    return parse("h", Result(0, text.encode()))


def ids(text: str, needs: Needs = Needs()) -> list[str]:  # noqa: B008
    return [step.id for step in steps(state(text), needs)]


def test_a_bare_server_gets_everything() -> None:
    assert missing(state(BARE_ROOT), Needs()) == ("docker", "python3")
    assert ids(BARE_ROOT) == ["h/install-packages", "h/start-docker"]
    assert list(check(state(BARE_ROOT), Needs())) == []


def test_a_server_that_is_ready_gets_nothing() -> None:
    assert ids(READY) == []
    assert ids(READY, Needs(docker=False, venv=True)) == []


def test_a_login_without_root_uses_sudo_and_joins_the_group() -> None:
    assert ids(DEPLOY) == ["h/install-packages", "h/start-docker", "h/join-docker-group"]
    assert all(step.do[0].sudo for step in steps(state(DEPLOY), Needs()))


def test_an_engine_that_only_root_reaches_asks_for_the_group_alone() -> None:
    text = f"{DEPLOY}docker=yes\nsudo_engine=20.10.24\npython3=yes\nsaid=permission denied\n"
    assert ids(text) == ["h/join-docker-group"]


def test_a_member_whose_session_is_old_needs_nothing() -> None:
    text = f"{DEPLOY.replace('listed= deploy ', 'listed= deploy docker ')}docker=yes\nsudo_engine=20\npython3=yes\n"
    assert ids(text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BARE_ROOT.replace(DEBIAN, "os=alpine \nname=Alpine Linux v3.20\n"), "setup.unknown_system"),
        (DEPLOY.replace("sudo=yes\n", ""), "setup.no_sudo"),
        (f"{DEPLOY.replace('sudo=yes', '')}docker=yes\npython3=yes\n", "setup.no_sudo"),
        (READY.replace("uid=0", "uid=1000").replace("state=yes\n", ""), "setup.no_sudo"),
        ("", "setup.unknown_system"),
    ],
)
def test_what_a_person_has_to_do_is_told(text: str, code: str) -> None:
    found = list(check(state(text), Needs()))
    assert found[0].code == code
    assert all(finding.next for finding in found)


def test_an_answer_is_read_strictly() -> None:
    assert state("user=a;b\nuid=0x\nengine=1\x00\n").user == ""
