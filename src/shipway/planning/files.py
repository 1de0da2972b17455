"""Static files and uploads of a new release, as it answered: what would break a page, or lose what visitors upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipway.core.errors import Finding, Refused

_NAMED = 5
Found = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FileRules:
    """What is looked at in the release. `is_container`: it runs in one.

    `static`: names of static files must be in the manifest. `keeps_media`: uploads must outlive the release.
    """

    is_container: bool = False
    static: bool = True
    keeps_media: bool = True


def check_files(found: Found, release: str, rules: FileRules, command: str = "shipway deploy") -> None:
    """Raise Refused where the release must not serve: `static.…`, `media.…`. Nothing was switched yet.

    `command` is the command line that was given.
    """
    static, media = _part(found, "static"), _part(found, "media")
    if static:
        _check_static(static, release, command)
    if media:
        _check_media(media, release, rules, command)


def _check_static(static: Found, release: str, command: str) -> None:
    if manifest := str(static.get("manifest") or ""):
        raise Refused(
            "static.no_manifest",
            f"every page of {release} with a static file would fail: {manifest}",
            where=f"STORAGES: {static.get('kind')}",
            next="run `python manage.py collectstatic --noinput` in the Dockerfile, "
            f"then `{command}`; `check: false` under `django/static` goes on all the same",
        )
    missing = [one for one in _list(static.get("missing")) if isinstance(one, list) and len(one) == 2]  # noqa: PLR2004
    if missing:
        findings = tuple(Finding("static.asks", f"`{name}` is not there", where=str(path)) for name, path in missing)
        raise Refused(
            "static.missing",
            f"templates of {release} ask for static files that were not collected: "
            + _names([f"`{name}`" for name, _ in missing]),
            where=str(missing[0][1]),
            next=f"correct the names, or add the files, then `{command}`",
            findings=findings,
        )


def _check_media(media: Found, release: str, rules: FileRules, command: str) -> None:
    lost = [str(one) for one in _list(media.get("lost"))]
    if lost and rules.keeps_media and rules.is_container:
        place = lost[0].rpartition(": ")[2]
        raise Refused(
            "media.in_container",
            f"what visitors upload to {release} would be gone with its container: {_names(lost)}",
            where="MEDIA_ROOT",
            next=f"one of three: `volumes: [media:{place}]`; a storage outside such as S3 (django-storages); or, if it"
            " is meant so, `in_release: true` under `django/media`",
        )
    if unwritable := str(media.get("unwritable") or ""):
        raise Refused(
            "media.unwritable",
            f"{release} cannot keep what visitors upload: its default storage could not write a file",
            where=_names([str(one) for one in _list(media.get("fields"))]),
            said=unwritable,
            next="let the image have that directory as its user's: `RUN install -d -o USER PATH` before `USER` in the"
            f" Dockerfile (an empty volume takes its owner from there), then `{command}`"
            if rules.is_container
            else f"give the user of the release the right to write there, then `{command}`",
        )


def _part(found: Found, name: str) -> Found:
    part = found.get(name)
    return part if isinstance(part, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _names(found: list[str]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more
