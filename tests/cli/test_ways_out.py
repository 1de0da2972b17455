"""Every way out of `main`: the exit code, the message, and what is kept for us."""

import errno
import json
import re
from pathlib import Path

import click
import pytest

from shipway.cli.main import main
from shipway.cli.options import Given, shared
from shipway.core.errors import Exit, Locked, Refused, StepFailed, Unreachable

PLANTED = "planted-secret-value"


def failing(error: BaseException) -> click.Command:
    @click.command()
    @shared("json")
    def command(given: Given) -> None:
        given.session.redact = lambda text: text.replace(PLANTED, "[redacted]")
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("a.b", "no"), 4),
        (Unreachable("a.b", "no"), 5),
        (Locked("a.b", "no"), 6),
        (StepFailed("a.b", "no", ended=Exit.UNDONE), 10),
        (StepFailed("a.b", "no", ended=Exit.MIXED), 11),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(errno.EPIPE, "gone"), 0),
        (click.UsageError("no"), 2),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else str(value),
)
def test_exit_codes(error: BaseException, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([], failing(error)) == code
    assert capfd.readouterr().out == ""
    if code:
        assert main(["--json"], failing(error)) == code
        out, err = capfd.readouterr()
        assert json.loads(out)["error"]["exit"] == code
        assert err.strip() == ""


def test_a_mistake_of_ours_is_kept_in_a_file_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], failing(ValueError(f"bad {PLANTED}"))) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "ValueError" not in err
    match = re.search(r"where  (\S+)", err)
    assert match is not None
    kept = Path(match[1])
    try:
        text = kept.read_text()
        assert kept.stat().st_mode & 0o077 == 0
    finally:
        kept.unlink()
    assert "ValueError: bad [redacted]" in text
    assert PLANTED not in text


def test_secrets_are_taken_out_of_messages(capsys: pytest.CaptureFixture[str]) -> None:
    error = Refused("a.b", f"no {PLANTED}", said=PLANTED, where=PLANTED, next=PLANTED)
    for words in ([], ["--json"]):
        assert main(words, failing(error)) == 4
        out, err = capsys.readouterr()
        assert PLANTED not in out + err
