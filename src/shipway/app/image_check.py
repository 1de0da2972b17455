"""Looks at a built image before it travels, and keeps in mind which images were looked through."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shipway.adapters.here import HereRunner
from shipway.adapters.image_files import suspicious_files
from shipway.adapters.secret_finder import SecretFinder
from shipway.app.build_spec import cache_home
from shipway.app.service import Service
from shipway.core.errors import Finding, Refused
from shipway.runtimes.docker.images.check import (
    HISTORY,
    IN_REGISTRY,
    INSPECT,
    ImageFacts,
    SeenFile,
    check_image,
    is_suspicious,
    read_image,
    read_pushed,
)

_KEPT = 200  # verdicts


async def check_in_engine(service: Service, image: str, runner: HereRunner) -> tuple[Finding, ...]:
    """Return warnings about an image in this machine's engine. Raises Refused `image.has_secrets`."""
    inspected, history = await asyncio.gather(
        runner.ask((*INSPECT, image), is_raw=True), runner.ask((*HISTORY, image), is_raw=True)
    )
    facts = read_image(inspected.text, history.text)
    return _judge(service, image, facts, await _files(facts, image, runner))


async def check_pushed(service: Service, image: str, runner: HereRunner) -> tuple[Finding, ...]:
    """Return warnings about an image that is in its registry only. Raises Refused `image.has_secrets`."""
    answer = await runner.ask((*IN_REGISTRY, image), limit_s=60.0, is_raw=True)
    if not answer.ok:
        what = "it could not be looked at: it is in its registry only, and buildx could not tell about it"
        return (Finding("image.not_checked", what, where=image, next=f"docker pull {image}", level="warning"),)
    return _judge(service, image, read_pushed(answer.text), ())


def _judge(service: Service, image: str, facts: ImageFacts, files: Sequence[SeenFile]) -> tuple[Finding, ...]:
    findings = check_image(image, facts, files, _finder(service).names_in)
    errors = tuple(finding for finding in findings if finding.level == "error")
    if errors:
        raise Refused(
            "image.has_secrets",
            f"the image {image} has secrets in it, and whoever can pull it can read them",
            where=image,
            next=errors[0].next,
            findings=errors,
        )
    return findings


async def _files(facts: ImageFacts, image: str, runner: HereRunner) -> tuple[SeenFile, ...]:
    """Return the suspicious files; a place that had none, and that nothing else was copied into since, has none now."""
    notes = {place: _note(facts.origin(place), place) for place in facts.places}
    places = [place for place, note in notes.items() if note is None or not note.is_file()]
    whole = _note(facts.id, image)
    if whole is not None and whole.is_file():
        return ()
    files = await suspicious_files(runner, image, places, is_suspicious)
    if not files:
        for note in (whole, *(notes[place] for place in places)):
            _remember(note)
    return files


def _note(about: str, place: str) -> Path | None:
    """Return the file whose presence says that `place` was looked through, None where it has to be looked at."""
    if not about:
        return None
    return cache_home() / "checked" / hashlib.sha256(f"{about} {place}".encode()).hexdigest()


def _remember(note: Path | None) -> None:
    if note is None:
        return
    with suppress(OSError):  # it is looked through again then
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
        old = sorted(note.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT:]
        for path in old:
            path.unlink(missing_ok=True)


def _finder(service: Service) -> SecretFinder:
    values = {name: service.secrets.reveal(name) for name in service.secrets.names()}
    return SecretFinder(values)
