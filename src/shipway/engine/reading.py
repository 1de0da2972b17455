"""Reading a file of a host that may be longer than what a transport keeps of one command's output."""

from __future__ import annotations

from shipway.core.action import Command
from shipway.core.ports import Request, Transport
from shipway.engine.journal import last_words

# Read in pieces, since a transport keeps a bounded part of what one command prints.
PIECE_SCRIPT = '[ -r "$1" ] || exit 1; tail -c "+$2" -- "$1" | head -c "$3"'
PIECE_BYTES = 524_288
NOT_THERE = "there is no such file, or it cannot be read"


async def read_file(
    transport: Transport, host: str, path: str, limit_bytes: int, *, track: str = "main"
) -> tuple[str, str]:
    """Return (text, what went wrong) of an ASCII file; one of them is "". No more than `limit_bytes` are read."""
    text = ""
    while len(text) < limit_bytes:
        argv = ("sh", "-c", PIECE_SCRIPT, "sh", path, str(len(text) + 1), str(PIECE_BYTES))
        (result,) = await transport.exchange(host, [Request(Command(argv), "never")], track=track)
        if not result.ok or result.truncated:
            return "", last_words(result.said) or NOT_THERE
        text += result.stdout.decode("ascii", "replace")
        if len(result.stdout) < PIECE_BYTES:
            return text, ""
    return "", f"it is longer than {limit_bytes} bytes"
