"""Reading a file of a host that may be longer than what a transport keeps of one command's output."""

from __future__ import annotations

import base64
import binascii
import zlib

from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.ports import Request, Transport
from shipway.engine.journal import last_words

# Read in pieces, since a transport keeps a bounded part of what one command prints.
PIECE_SCRIPT = '[ -r "$1" ] || exit 1; tail -c "+$2" -- "$1" | head -c "$3"'
PIECE_BYTES = 524_288
_NOT_THERE_STATUS = 3
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


# A secret may stand by chance in what is read, and a transport takes secrets out of all that is said: packed, nothing
# is taken out. $2: from which byte, from 1 on; $3: how many.
PACKED_SCRIPT = '[ -e "$1" ] || exit 3; tail -c "+$2" -- "$1" | head -c "$3" | gzip -c | base64'
PACKED_PIECE_BYTES = 1_048_576


async def read_exactly(transport: Transport, host: str, path: str, limit_bytes: int) -> bytes | None:
    """Return every byte of a file, None where there is none.

    Raises Refused `file.unreadable` for one that cannot be read, or is longer than `limit_bytes`.
    """
    found = b""
    while len(found) <= limit_bytes:
        argv = ("sh", "-c", PACKED_SCRIPT, "sh", path, str(len(found) + 1), str(PACKED_PIECE_BYTES))
        (result,) = await transport.exchange(host, [Request(Command(argv), "never")])
        if result.status == _NOT_THERE_STATUS and not found:
            return None
        piece = _unpacked(result.stdout) if result.ok and not result.truncated else None
        if piece is None:
            raise Refused(
                "file.unreadable", f"could not read a file on {host}", where=path, said=last_words(result.said)
            )
        found += piece
        if len(piece) < PACKED_PIECE_BYTES:
            return found
    raise Refused("file.unreadable", f"a file on {host} is longer than {limit_bytes} bytes", where=path)


def _unpacked(text: bytes) -> bytes | None:
    try:
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
        piece = unpack.decompress(base64.b64decode(text), PACKED_PIECE_BYTES + 1)
    except (binascii.Error, zlib.error):
        return None
    return piece if unpack.eof and len(piece) <= PACKED_PIECE_BYTES else None
