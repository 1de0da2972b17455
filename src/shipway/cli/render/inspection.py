"""What `inspect` found, for a person: grouped, each line with its place; then what is missing and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.cli.render.text import Paint, harmless
from shipway.django.fact import Fact, Inspection, Variable

_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Project", ("root", "manage", "settings", "configuration", "django", "python")),
    ("Packages", ("package_manager", "lock", "dependency_groups", "system_libraries", "frontend")),
    ("Web", ("interface", "wsgi", "asgi", "server", "health", "channels")),
    ("Files", ("static", "static_root", "media_root", "media_storage")),
    ("Data and work", ("database", "geodjango", "cache", "queue", "celery_app", "scheduler", "wagtail")),
    ("Deployment so far", ("dockerfiles", "procfile", "release_command", "compose", "platforms")),
)  # fmt: skip
_QUIET = frozenset(("channels", "geodjango", "wagtail", "configuration", "frontend", "celery_app", "dependency_groups"))
"""Shown only when they say something: for most projects they do not apply."""
_WANTED = (
    "manage",
    "settings",
    "django",
    "python",
    "package_manager",
    "lock",
    "interface",
    "server",
    "database",
    "health",
)
"""What a deployment needs to know; where one is unknown, it is said."""
_NAMES = {"celery_app": "celery -A", "dockerfiles": "Dockerfile", "procfile": "Procfile", "release_command": "release"}
_LONGEST = 60


def render_inspection(found: Inspection, paint: Paint, *, is_verbose: bool = False) -> str:
    """Return the facts in groups, the variables, contradictions, what is not known, and the next command."""
    blocks = [_group(title, names, found, paint) for title, names in _GROUPS]
    blocks.append(_variables(found.variables, paint, is_verbose=is_verbose))
    blocks.append(_conflicts(found, paint))
    blocks.append(_unknown(found, paint))
    return "\n\n".join(block for block in blocks if block)


def _group(title: str, names: Sequence[str], found: Inspection, paint: Paint) -> str:
    rows = [(_NAMES.get(name, name.replace("_", " ")), found.facts[name]) for name in names if _is_shown(name, found)]
    if not rows:
        return ""
    label = max(len(name) for name, _ in rows)
    values = [_value(fact) for _, fact in rows]
    width = min(max(len(value) for value in values), _LONGEST)
    lines = [
        f"  {name.ljust(label)}  {value.ljust(width)}  {paint('dim', _place(fact))}".rstrip()
        for (name, fact), value in zip(rows, values, strict=True)
    ]
    return "\n".join([paint("bold", title), *lines])


def _is_shown(name: str, found: Inspection) -> bool:
    fact = found.facts.get(name)
    if fact is None or not fact.is_known:
        return False
    return bool(fact.value) if name in _QUIET or isinstance(fact.value, list) else True


def _value(fact: Fact) -> str:
    sure = {"medium": " (likely)", "low": " (a guess)"}.get(fact.confidence, "")
    return _line(_plain(fact.value)) + sure


def _line(text: str) -> str:
    """A project's text must not look like a line of ours."""
    return " ".join(harmless(text).split())


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)


def _place(fact: Fact) -> str:
    return _line(str(fact.evidence[0])) if fact.evidence and fact.evidence[0].file else ""


def _variables(variables: Sequence[Variable], paint: Paint, *, is_verbose: bool) -> str:
    if not variables:
        return ""
    needed = [one for one in variables if one.required]
    rest = [one for one in variables if not one.required]
    shown = needed + (rest if is_verbose else [])
    width = max((len(one.name) for one in shown), default=0)
    lines = [paint("bold", "Environment variables")]
    if not needed:
        lines.append("  none is required")
    for one in shown:
        kind = "required" if one.required else "optional"
        lines.append(f"  {kind}  {one.name.ljust(width)}  {paint('dim', _line(f'{one.file}:{one.line}'))}")
    if rest and not is_verbose:
        lines.append(f"  {len(rest)} more are optional (-v lists them)")
    return "\n".join(lines)


def _conflicts(found: Inspection, paint: Paint) -> str:
    lines = [
        f"  {name.replace('_', ' ')}: {_line(_plain(fact.value))}, but {_line('; '.join(fact.conflicts[:3]))}"
        for name, fact in found.facts.items()
        if fact.conflicts
    ]
    return "\n".join([paint("yellow", "Contradictions"), *lines]) if lines else ""


def _unknown(found: Inspection, paint: Paint) -> str:
    missing = [name.replace("_", " ") for name in _WANTED if not found.facts[name].is_known]
    lines = [f"{paint('yellow', 'unknown')}  {', '.join(missing)}: the files do not say"] if missing else []
    lines.append(f"{paint('bold', 'next')}     {_next(found)}")
    return "\n".join(lines)


def _next(found: Inspection) -> str:
    if not found.facts["settings"].is_known:
        return "name the settings module under `django: settings:` in config/deploy.yml"
    if not found.facts["health"].is_known:
        return "add a view that answers 200 at /up, so that a deploy can wait for it; `shipway inspect` then finds it"
    return "correct what is wrong here under `django:` in config/deploy.yml; then `shipway plan deploy`"
