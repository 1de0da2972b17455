"""What differs between two releases: commits, packages, migrations, settings, names of variables, sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shipway.adapters.git import commits_between
from shipway.app.ask_release import Manifests, Recorded
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.ports import Request
from shipway.django.difference import Difference, compare
from shipway.planning.history import base_release, release_number, version_of

_MAX_DIGITS = 15
_SIZE_SCRIPT = '[ -d "$1" ] && du -sk -- "$1" | { read -r kib _ && echo "$((kib * 1024))"; }'


@dataclass(frozen=True, slots=True)
class Compared:
    """Two releases and what differs. `unknown` says what could not be compared, and why.

    `commits` are those that only `after` has, `gone` those that only `before` has. Sizes are in bytes, -1 for what is
    not known.
    """

    before: str
    after: str
    versions: tuple[str, str]
    commits: tuple[str, ...]
    gone: tuple[str, ...]
    difference: Difference | None
    sizes_bytes: tuple[int, int]
    unknown: tuple[str, ...] = ()


async def diff(choice: Choice, caller: Caller, before: str, after: str) -> Compared:
    """Return what differs from the release `before` to `after` ("": the one that serves).

    Raises Refused `diff.unknown_release`.
    """
    async with open_context(choice, caller) as context:
        facts = await context.observe()
        after = after or base_release(context.site, facts)
        for release in (before, after):
            _check_known(context, facts, release)
        kept = Manifests.of(context.site, context.transport, facts)
        recorded = (await kept.read(before), await kept.read(after))
        versions = (version_of(before, facts.primary.records), version_of(after, facts.primary.records))
        directory = context.service.directory
        commits, why = commits_between(directory, *versions)
        gone, _ = commits_between(directory, *versions[::-1])
        sizes = (await _size(context, before, versions[0]), await _size(context, after, versions[1]))
        return Compared(
            before, after, versions, commits, gone, _difference(*recorded), sizes,
            tuple(filter(None, (f"commits: {why}" if why else "", *_unknown(recorded)))),
        )  # fmt: skip


def _check_known(context: Context, facts: Facts, release: str) -> None:
    known = {str(record.detail.get("release", "")) for record in facts.primary.records}
    known.update(release for host in facts.hosts for release in host.releases)
    if release in known and release_number(release):
        return
    raise Refused(
        "diff.unknown_release",
        f"no release is known as `{release}`" if release else "no release serves, so there is nothing to compare with",
        where=context.site.service,
        next=f"`shipway releases{context.choice.options}` lists them",
    )


def _difference(before: Recorded, after: Recorded) -> Difference | None:
    if before.manifest is None or after.manifest is None:
        return None
    return compare(before.manifest, after.manifest)


def _unknown(recorded: tuple[Recorded, Recorded]) -> tuple[str, ...]:
    missing = tuple(one.unknown for one in recorded if one.manifest is None)
    if missing:
        return missing
    old = [one.release for one in recorded if one.manifest and one.manifest.environment is None]
    return tuple(f"environment: {release} did not record the names of its variables" for release in old)


async def _size(context: Context, release: str, version: str) -> int:
    """Return how much the artefact of a release takes on the primary host, -1 where it is gone."""
    command = _SIZES[context.service.config.runtime](context, release, version)
    (result,) = await context.transport.exchange(context.site.primary, [Request(command, "never")])
    digits = result.text.split()[0] if result.ok and result.text.split() else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else -1


def _image_size(context: Context, _release: str, version: str) -> Command:
    image = f"{context.service.config.repository}:{version}"
    return Command(("docker", "image", "inspect", "--format", "{{.Size}}", image), limit_s=20.0)


def _directory_size(context: Context, release: str, _version: str) -> Command:
    place = context.layouts[context.site.primary].release(release)
    return Command(("sh", "-c", _SIZE_SCRIPT, "sh", place), limit_s=60.0)


_SIZES: Mapping[str, Callable[[Context, str, str], Command]] = {"docker": _image_size, "venv": _directory_size}
