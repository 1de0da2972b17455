"""Starting programs: what is told of one that cannot start or does not close its output."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipway.adapters.secrets.programs import Errors
from tests.unit.adapters.secrets.fake_cli import FakeClis


def test_a_program_that_cannot_start_is_a_result(clis: FakeClis, tmp_path: Path) -> None:
    ran = clis.programs(tmp_path).run((str(tmp_path / "nothing"),))
    assert (ran.status, ran.ok, b"No such file" in ran.stderr) == (127, False, True)


def test_a_command_too_long_for_the_system_is_a_result(clis: FakeClis, tmp_path: Path) -> None:
    ran = clis.programs(tmp_path).shell(": " + "x" * 4_000_000)
    assert (ran.ok, ran.stderr) == (False, b"the command is too long")


def test_output_held_open_by_a_child_ends_with_the_limit(clis: FakeClis, tmp_path: Path) -> None:
    ran = clis.programs(tmp_path, limit_s=0.5).shell("sleep 300 & echo a")
    assert (ran.timed_out, ran.ok) == (True, False)


def test_closed_output_does_not_hide_a_program_that_goes_on(clis: FakeClis, tmp_path: Path) -> None:
    ran = clis.programs(tmp_path, limit_s=0.5).shell("exec >&- 2>&-; sleep 300")
    assert ran.timed_out


def test_added_variables_reach_the_program(clis: FakeClis, tmp_path: Path) -> None:
    assert clis.programs(tmp_path).run(("sh", "-c", 'echo "$A"'), {"A": "1"}).stdout == b"1\n"


@pytest.mark.parametrize(
    ("errors", "kept_and_shown"), [("kept", (b"why\n", "")), ("shown", (b"why\n", "why\n")), ("left", (b"", "why\n"))]
)
def test_a_person_sees_what_a_program_asks(
    errors: Errors,
    kept_and_shown: tuple[bytes, str],
    clis: FakeClis,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    programs = replace(clis.programs(tmp_path), is_attended=True)
    ran = programs.run(("sh", "-c", "echo why >&2; echo answer"), errors=errors)
    assert ran.stdout == b"answer\n"
    assert (ran.stderr, capfd.readouterr().err) == kept_and_shown


def test_an_attended_program_has_its_own_limit(clis: FakeClis, tmp_path: Path) -> None:
    programs = replace(clis.programs(tmp_path), is_attended=True, attended_limit_s=0.5)
    assert programs.shell("exec sleep 300").timed_out


def test_what_a_program_leaves_running_on_purpose_is_left(clis: FakeClis, tmp_path: Path) -> None:
    ran = clis.programs(tmp_path).shell("{ sleep 1; echo done >agent; } >/dev/null 2>&1 </dev/null & echo a")
    assert ran.stdout == b"a\n"
    clis.programs(tmp_path).run(("sh", "-c", "n=0; until [ -s agent ] || [ $n = 100 ]; do sleep 0.1; n=$((n+1)); done"))
    assert (tmp_path / "agent").read_text() == "done\n"
