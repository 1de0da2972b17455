"""The suspicious files of an image in the engine, read without running anything of it."""

from __future__ import annotations

import asyncio
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from typing import IO

from shipway.adapters.here import HereRunner
from shipway.core.here import HereStep
from shipway.runtimes.docker.images.check import HEAD_BYTES, SeenFile

LIMIT_BYTES = 512 << 20
"""More of an image is not looked through."""
_MAX_FOUND = 200
_LIMIT_S = 60.0


async def suspicious_files(
    runner: HereRunner, image: str, places: Sequence[str], is_wanted: Callable[[str], bool]
) -> tuple[SeenFile, ...]:
    """Return the files of `image` below `places` whose paths `is_wanted`. A place that is not there has none."""
    made = await runner.run(HereStep("", "", ("docker", "create", "--network", "none", image, "sh"), limit_s=_LIMIT_S))
    container = made.text.strip().splitlines()[-1] if made.ok and made.text.strip() else ""
    if not container:
        return ()
    try:
        found: list[SeenFile] = []
        for place in places:
            found += await _read(("docker", "cp", f"{container}:{place}", "-"), place, is_wanted)
        return tuple(found)
    finally:
        await asyncio.shield(runner.ask(("docker", "rm", "-f", container), limit_s=_LIMIT_S))


async def _read(argv: tuple[str, ...], place: str, is_wanted: Callable[[str], bool]) -> list[SeenFile]:
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: ASYNC220  a millisecond
    try:
        assert process.stdout is not None  # noqa: S101  it was asked for
        async with asyncio.timeout(_LIMIT_S):
            return await asyncio.to_thread(_scan, process.stdout, place.rpartition("/")[0], is_wanted)
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)
        if process.stdout is not None:
            process.stdout.close()


def _scan(stream: IO[bytes], parent: str, is_wanted: Callable[[str], bool]) -> list[SeenFile]:
    found: list[SeenFile] = []
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 18) as tar:
            for entry in tar:
                path = f"{parent}/{entry.name.lstrip('/')}" + ("/" if entry.isdir() else "")
                if is_wanted(path):
                    file = tar.extractfile(entry) if entry.isfile() else None
                    found.append(SeenFile(path, file.read(HEAD_BYTES) if file else b""))
                tar.members = []  # type: ignore[attr-defined]  # or all entries stay in memory
                if entry.offset > LIMIT_BYTES or len(found) >= _MAX_FOUND:
                    break
    except (tarfile.TarError, OSError, ValueError):  # nothing there, or cut off
        return found
    return found
