"""A word that means one process of one machine, and whether that process is gone.

The word stands in the lock and in the ledger, and as `$0` of every shell that the process opens on a host. So whoever
comes later can tell two things: on the same machine, that a run died without giving back its lock; on a host, that
something which that run had started is still at work.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from pathlib import Path

_WORD = re.compile(r"shipway-([0-9a-f]{16})-([1-9][0-9]{0,9})-([0-9]{1,20})")
_BEGAN = 19
"""proc_pid_stat(5): `starttime`, the 22nd field, counted from the third on; the name before that may hold anything."""


@functools.cache
def this_process() -> str:
    """Return the word for this process; "" where the system does not tell enough (no Linux /proc)."""
    machine, began = _machine(), _began(os.getpid())
    return f"shipway-{machine}-{os.getpid()}-{began}" if machine and began else ""


def shell_word(mark: str) -> str:
    """Return the `$0` of a shell that this process opens on a host; `mark` is the shell's own."""
    return f"{this_process() or 'sh'}.{mark}"


def is_gone(word: str) -> bool:
    """Return whether `word` means a process of this machine that has ended. False for all that is not known."""
    found = _WORD.fullmatch(word)
    if found is None or not this_process() or found[1] != _machine():
        return False
    return _began(int(found[2])) != found[3]


@functools.cache
def _machine() -> str:
    """Return what is the same for all processes that share process ids, until the next boot; a host name is not."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {space}".encode()).hexdigest()[:16]


def _began(pid: int) -> str:
    """Return when a process began, in ticks since the boot; "" when it has ended or was only not waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if len(fields) <= _BEGAN or fields[0] in (b"Z", b"X") else fields[_BEGAN].decode("ascii", "replace")
