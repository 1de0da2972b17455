"""Ctrl-C and SIGTERM, sent for real."""

import asyncio
import os
import signal

import pytest

from shipway.app.signals import Interruption, run
from shipway.core.errors import Exit, Interrupted, StepFailed


async def for_ever() -> None:
    await asyncio.Event().wait()


async def until_asked(interruption: Interruption) -> str:
    for _ in range(1000):
        if interruption.stop.is_set:
            break
        await asyncio.sleep(0.01)
    return interruption.stop.why


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_before_a_change_a_signal_ends_at_once(number: int) -> None:
    async def main(_: Interruption) -> None:
        os.kill(os.getpid(), number)
        await for_ever()

    with pytest.raises(Interrupted) as caught:
        run(main, lambda _text: None)
    assert caught.value.exit_code == Exit.INTERRUPTED


def test_in_a_run_a_signal_asks_to_stop_and_is_explained() -> None:
    said: list[str] = []

    async def main(interruption: Interruption) -> str:
        with interruption.run_in_progress():
            os.kill(os.getpid(), signal.SIGTERM)
            return await until_asked(interruption)

    assert "SIGTERM" in run(main, said.append)
    assert "once more" in said[0]
    assert "shipway resume" in said[0]


def test_a_second_one_leaves_in_the_middle_and_says_how_to_go_on() -> None:
    async def main(interruption: Interruption) -> None:
        with interruption.run_in_progress():
            os.kill(os.getpid(), signal.SIGINT)
            await until_asked(interruption)
            os.kill(os.getpid(), signal.SIGINT)
            await for_ever()

    with pytest.raises(StepFailed) as caught:
        run(main, lambda _text: None)
    assert caught.value.exit_code == Exit.MIXED
    assert "shipway resume" in caught.value.next


def test_handlers_are_gone_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def main(_: Interruption) -> int:
        return 7

    assert run(main, lambda _text: None) == 7
    assert signal.getsignal(signal.SIGTERM) is before
