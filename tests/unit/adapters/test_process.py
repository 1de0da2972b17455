"""The word of a process: alive, ended, ended and not waited for, of another machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shipway.adapters.process import is_gone, this_process

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def test_this_process_is_not_gone():
    assert this_process().split("-")[2] == str(os.getpid())
    assert not is_gone(this_process())


def test_a_process_that_ended_is_gone():
    code = "from shipway.adapters.process import this_process as t; print(t(), flush=True); input()"
    other = subprocess.Popen((sys.executable, "-c", code), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    word = other.stdout.readline().strip()
    assert not is_gone(word)
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(word), "a process that nobody has waited for has ended all the same"
    other.communicate(timeout=10)
    assert is_gone(word)


def test_a_number_that_was_given_again_is_another_process():
    name, machine, pid, _began = this_process().split("-")
    assert is_gone(f"{name}-{machine}-{pid}-1")


@pytest.mark.parametrize("word", ["", "somebody", "shipway-0123456789abcdef-1-1", "shipway-0123456789abcdef-0-0"])
def test_nothing_is_known_of_others(word):
    assert not is_gone(word)
