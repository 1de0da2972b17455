"""`shipway secrets …`: what goes to standard output, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipway.cli.verbs.secrets import command
from shipway.core.errors import ConfigError, Exit


def call(*words: str) -> Result:
    return CliRunner().invoke(command, words)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".kamal").mkdir()
    return tmp_path


def test_fetch_and_extract_answer_alone_on_standard_output(project: Path) -> None:
    del project
    fetched = call("fetch", "-a", "test", "--account", "me", "--from", "x", "abc")
    assert (fetched.exit_code, fetched.stdout) == (0, '{"x/abc":"cba/x"}\n')
    extracted = call("extract", "abc", fetched.stdout)
    assert (extracted.exit_code, extracted.stdout) == (0, "cba/x\n")


def test_print_warns_on_standard_error(project: Path) -> None:
    (project / ".kamal/secrets.eu").write_text("A=1\nB=$(printf 2)\n")
    (project / ".kamal/secrets.eu").chmod(0o644)
    shown = call("print", "-d", "eu")
    assert (shown.exit_code, shown.stdout) == (0, "A=1\nB=2\n")
    assert "warning[secrets.world_readable]" in shown.stderr


def test_errors_are_left_to_the_main_program(project: Path) -> None:
    (project / ".kamal/secrets").write_text("A=$(false)\n")
    failed = call("print")
    assert isinstance(failed.exception, ConfigError)
    assert failed.exception.exit_code == Exit.CONFIG
    assert failed.stdout == ""


@pytest.mark.parametrize("words", [("fetch", "A"), ("extract", "A"), ("print", "--nope"), ("frobnicate",)])
def test_wrong_words_are_usage(words: tuple[str, ...]) -> None:
    assert call(*words).exit_code == Exit.USAGE
