"""The question whether something is still at work on a host: a command goes on when whoever asked for it is gone.

Every command that a transport runs has a word among its arguments that names the process that asked for it, and the
shell in which it was asked (`adapters/process.py`, `adapters/shell/script.py`). What is still at work is waited for and
not ended: half a migration is worse than a whole one.
"""

from __future__ import annotations

from shipway.core.action import Command

STILL_AT_WORK = 3
"""The exit status that says that waiting was in vain."""

# The word comes by standard input, so that this script does not find itself.
SCRIPT = (
    "IFS= read -r word || exit 0; left=$1; at_work() { if [ -r /proc/self/cmdline ]; then"
    ' printf "%s\\n" "$word" | grep -qsF -f - /proc/[0-9]*/cmdline; else ps -A -o args= | while IFS= read -r line; do'
    ' case $line in *"$word"*) echo yes;; esac; done | grep -q yes; fi; };'
    ' while at_work; do [ "$left" -gt 0 ] || exit 3; left=$((left - 1)); sleep 1; done'
)
_MARGIN_S = 30.0


def wait_until_idle(word: str, patience_s: int) -> Command:
    """Return the command that waits until no process has `word` among its arguments, at most `patience_s` seconds.

    Its status is 0 then, or `STILL_AT_WORK`. A host that cannot look (without `grep`) counts as idle.
    """
    argv = ("sh", "-c", SCRIPT, "sh", str(patience_s))
    return Command(argv, stdin=(f"{word}\n",), limit_s=patience_s + _MARGIN_S)
