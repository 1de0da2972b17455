"""Programs run on this machine: input, environment, secrets, limits, and an end when nobody waits any more."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from shipway.adapters.here import HereRunner
from shipway.adapters.secret_finder import SecretFinder, is_telling
from shipway.core.errors import ConfigError
from shipway.core.here import HereStep
from shipway.core.ports import Result
from shipway.core.secret import SecretRef

VALUE = "s3cr3t-of-the-shop"


class Secrets:
    def names(self) -> Sequence[str]:
        return ("TOKEN",)

    def reveal(self, name: str) -> str:
        if name != "TOKEN":
            raise ConfigError("secrets.missing", f"no {name}")
        return VALUE


def run(*argv: str, **values: object) -> Result:
    return asyncio.run(HereRunner(Secrets()).run(HereStep("here/x", "x", argv, **values)))


def test_input_environment_and_directory(tmp_path: Path) -> None:
    script = 'cat; printf %s "${#TOKEN}"; pwd'
    token = (SecretRef("TOKEN"),)
    result = run("sh", "-c", script, stdin=("in:", *token), env=(("TOKEN", token),), directory=str(tmp_path))
    assert result.ok
    assert result.text == f"in:[TOKEN redacted]{len(VALUE)}{tmp_path}\n"


def test_a_program_that_is_not_there_and_one_that_fails() -> None:
    assert run("no-such-program").status == 127
    failed = run("sh", "-c", f"echo {VALUE} >&2; exit 3")
    assert (failed.status, failed.said) == (3, "[TOKEN redacted]")


def test_output_comes_as_it_is_written_without_secrets() -> None:
    seen: list[bytes] = []
    step = HereStep("here/x", "x", ("sh", "-c", f"echo one; echo {VALUE[:8]}'{VALUE[8:]}'"))
    asyncio.run(HereRunner(Secrets()).run(step, seen.append))
    assert b"".join(seen) == b"one\n[TOKEN redacted]\n"


def test_a_program_that_hangs_is_ended() -> None:
    began = time.monotonic()
    result = run("sleep", "60", limit_s=0.2)
    assert (result.timed_out, result.ok) == (True, False)
    assert time.monotonic() - began < 30


def test_whoever_stops_waiting_ends_the_program_and_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    script = f'(while :; do touch "{mark}"; sleep 0.05; done) & wait'

    async def main() -> None:
        task = asyncio.create_task(HereRunner(Secrets()).run(HereStep("here/x", "x", ("sh", "-c", script))))
        async with asyncio.timeout(10):
            while not mark.exists():  # noqa: ASYNC110  a file tells no event
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    mark.unlink()
    time.sleep(0.3)
    assert not mark.exists()


def test_what_is_done_already_is_asked() -> None:
    runner = HereRunner(Secrets())
    ask = lambda *done: asyncio.run(runner.is_done(HereStep("here/x", "x", ("false",), done=done)))  # noqa: E731
    assert (ask("true"), ask("false"), ask()) == (True, False, False)


@pytest.mark.parametrize(
    ("value", "counts"),
    [("postgres", False), ("production", False), ("hunter22", True), ("short1", False), ("a-long-passphrase", True)],
)
def test_which_values_count_everywhere(value: str, *, counts: bool) -> None:
    assert is_telling(value) is counts


def test_values_are_found_in_all_their_forms_and_weak_ones_under_their_name() -> None:
    finder = SecretFinder({"TOKEN": VALUE, "POSTGRES_USER": "postgres"})
    assert finder.names_in(f"RUN curl https://x:{VALUE}@y") == ("TOKEN",)
    assert finder.names_in("DATABASE=postgres://") == ()
    assert finder.names_in("POSTGRES_USER=postgres") == ("POSTGRES_USER",)
    assert finder.names_in("") == ()
