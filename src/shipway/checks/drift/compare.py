"""What differs between the recorded state of a host and the present one, as findings with the mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipway.checks.drift.state import State
from shipway.core.errors import Finding

_WHAT = {
    "environment": ("drift.environment", "an environment file"),
    "unit": ("drift.unit", "a file that processes are kept by"),
    "proxy": ("drift.proxy", "the proxy's configuration"),
    "manifest": ("drift.manifest", "what the release recorded about itself"),
    "source": ("drift.source", "the code of the release"),
    "package": ("drift.package", "a package of the release"),
    "crontab": ("drift.crontab", "the crontab"),
    "container": ("drift.container", "a container"),
}


def compare(host: str, before: State, now: State, options: str) -> Iterator[Finding]:
    """Yield a finding for each thing that is missing, new or another. `options` are those of the printed commands."""
    for kind, (code, words) in _WHAT.items():
        old, new = before.of(kind), now.of(kind)
        for name in sorted({*old, *new}):
            if old.get(name) == new.get(name) and (name in old) == (name in new):
                continue
            what = f"{host}: {_sentence(kind, words, name, old, new)}{_which(kind, now)}"
            where = f"{host}:{name}" if name.startswith("/") else host
            yield Finding(code, what, where=where, next=_mend(kind, options))


def _sentence(kind: str, words: str, name: str, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    short = name.rpartition("/")[2] if name.startswith("/") else name
    shown = "" if kind == "source" else f" ({short})"
    if name not in new:
        return f"{words} is gone{shown}"
    if name not in old:
        return f"{words} is new{shown}"
    if kind == "container":
        return f"{words} changed{shown}: {_container(old[name], new[name])}"
    return f"{words} was changed{shown}"


def _container(old: str, new: str) -> str:
    (state, _, image), (state_now, _, image_now) = old.partition(" "), new.partition(" ")
    said = [f"it was {state} and is {state_now}"] if state != state_now else []
    said += ["it runs another image"] if image and image_now and image != image_now else []
    return ", ".join(said) or "it is another"


def _which(kind: str, now: State) -> str:
    files = sorted(now.of("newer")) if kind == "source" else []
    return f": {', '.join(name.removeprefix('./') for name in files[:5])}" if files else ""


def _mend(kind: str, options: str) -> str:
    accept = f'`shipway drift{options} --accept --reason "…"` if it is meant'
    if kind == "container":
        tell = f"`shipway status{options}` and `shipway logs{options}` tell more"
        return f"{tell}; `shipway redeploy{options}` makes it anew; {accept}"
    if kind == "crontab":
        return f"`crontab -l` on the host shows it; {accept}"
    return f"`shipway redeploy{options}` makes it anew; {accept}"


def missing_migrations(on_disk: Mapping[str, bool], applied: Mapping[str, bool], options: str) -> Iterator[Finding]:
    """Yield what the release has and the database has not, and what only the database has.

    `on_disk`: whether kept releases know a migration, by name, True where the one that serves has it.
    """
    gone = sorted(name for name, serves in on_disk.items() if serves and name not in applied)
    strange = sorted(name for name in applied if name not in on_disk)
    if gone:
        yield Finding(
            "drift.migration", f"the database lacks migrations that the release has: {_few(gone)}",
            next=f"`shipway migrations{options}` tells what they do; `shipway redeploy{options}` runs them",
        )  # fmt: skip
    if strange:
        yield Finding(
            "drift.migration", f"the database has migrations that no kept release knows: {_few(strange)}",
            next="who applied them? `manage.py showmigrations` lists them",
        )  # fmt: skip


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004  a line's room
