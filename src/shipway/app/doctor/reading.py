"""From the files of a project and its configuration to what `checks/project` judges. None of its code is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipway.adapters.git import how_git_sees
from shipway.adapters.tree import DirectoryTree
from shipway.checks.project.subject import Known, Project, Setting, Wanted
from shipway.config.dotenv import parse_dotenv
from shipway.config.dotenv_check import has_literal
from shipway.config.model import Config
from shipway.django.fact import Fact, Place
from shipway.django.facts import inspect_sources, production_environment
from shipway.django.layout import find_layout
from shipway.django.packages import read_packages
from shipway.django.processes import Processes, read_processes
from shipway.django.settings import Settings, read_settings
from shipway.django.tree import Sources
from shipway.django.values import PROJECT, UNKNOWN_VALUE, Either
from shipway.scaffold.subject import Subject as Drafted
from shipway.scaffold.subject import Wishes

SETTINGS = (
    "DEBUG", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SECURE_PROXY_SSL_HEADER", "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECRET_KEY", "DATABASES", "MEDIA_ROOT", "STATIC_ROOT", "LOGGING",
    "INSTALLED_APPS", "MIDDLEWARE", "CELERY_TASK_ALWAYS_EAGER", "EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT",
)  # fmt: skip
_MAX_DEPTH = 8
_MAX_ITEMS = 500
_SOURCES = (".py", ".sh", ".toml", ".ini", ".cfg", ".conf", ".yml", ".yaml", ".env", "Dockerfile", "Procfile")


@dataclass(frozen=True, slots=True)
class ReadProject:
    """A project for `checks/project`, and as `scaffold` sees it (for its Dockerfile)."""

    project: Project
    drafted: Drafted

    @property
    def is_django(self) -> bool:
        """Whether a Django project was found at all."""
        return self.drafted.fact("root").is_known or self.drafted.fact("settings").is_known


def read_project(directory: Path, config: Config | None) -> ReadProject:
    """Return what the files below `directory` tell, its settings read with the environment of the configuration."""
    sources = Sources(DirectoryTree(directory))
    found = inspect_sources(sources)
    layout, _ = find_layout(sources)
    processes = read_processes(sources, layout.root)
    packages = read_packages(sources, layout.root, processes)
    environ: dict[str, object] = {**production_environment(processes), **_environment(config)}
    module = (config.django.settings if config else None) or _word(environ, "DJANGO_SETTINGS_MODULE")
    configuration = _word(environ, "DJANGO_CONFIGURATION") or _text(found.facts.get("configuration"))
    settings = read_settings(
        layout, module or _text(found.facts.get("settings")), environ, configuration, is_exact=config is not None
    )
    tracked, unignored = how_git_sees(str(directory), [p for p in sources.paths if _holds_secret(p, sources)])
    project = Project(
        facts={name: _known(fact) for name, fact in found.facts.items()},
        settings={name: setting_of(settings, name) for name in SETTINGS},
        variables=tuple(Wanted(one.name, one.required, f"{one.file}:{one.line}") for one in found.variables),
        mentions=_mentions(sources, config),
        image_env=frozenset(processes.image.environment) if processes.image else frozenset(),
        workdir=_workdir(processes),
        collects=_collects(sources, processes),
        unignored=unignored,
        tracked=tracked,
        manifest=packages.manifest if sources.has(packages.manifest) else "",
    )
    return ReadProject(project, Drafted(sources, found, processes, packages, Wishes(), directory.name))


def _text(fact: Fact | None) -> str:
    return fact.text if fact is not None else ""


def _word(environ: Mapping[str, object], name: str) -> str:
    value = environ.get(name)
    return value if isinstance(value, str) else ""


def _environment(config: Config | None) -> dict[str, object]:
    """Return what the primary role's processes have on their first host; of a secret only that it is there."""
    role = next((role for role in config.roles if role.is_primary), None) if config else None
    env = role.env.get(role.hosts[0]) if role and role.hosts else None
    if env is None:
        return {}
    return {**env.texts(), **dict.fromkeys(env.secrets(), UNKNOWN_VALUE)}


def _known(fact: Fact) -> Known:
    place = next((str(one) for one in fact.evidence), "")
    return Known(fact.value if fact.is_known else None, place, fact.confidence == "high")


def setting_of(settings: Settings, name: str) -> Setting:
    """Return a setting as plain values, with what of it is not known left out."""
    if name not in settings.names:
        return Setting(is_whole=bool(settings.names), where=_place(settings.place("")))
    value = settings.names[name]
    found, is_whole = [], True
    for one in value.values if isinstance(value, Either) else (value,):
        plain, is_plain = _plain(one, 0)
        is_whole = is_whole and is_plain
        if plain is not _NOTHING:
            found.append(plain)
    return Setting(tuple(found), is_whole, _place(settings.place(name)))


def _place(place: Place) -> str:
    return str(place)


_NOTHING = object()


def _plain(value: object, depth: int) -> tuple[object, bool]:  # noqa: PLR0911  one line for each kind of value
    """Return a value without what is not known in it (`_NOTHING` when that is all of it), and whether it is whole."""
    match value:
        case _ if depth > _MAX_DEPTH:
            return _NOTHING, False
        case str():
            return value.replace(f"{PROJECT}/", ""), True
        case None | bool() | int() | float():
            return value, True
        case PurePosixPath():
            return (str(value.relative_to(PROJECT)) if value.is_relative_to(PROJECT) else str(value)), True
        case list() | tuple():
            pairs = [_plain(one, depth + 1) for one in value[:_MAX_ITEMS]]
            items = [one for one, _ in pairs if one is not _NOTHING]
            return items, all(is_plain for _, is_plain in pairs) and len(value) <= _MAX_ITEMS
        case dict():
            rows = {key: _plain(one, depth + 1) for key, one in list(value.items())[:_MAX_ITEMS]}
            kept = {str(key): one for key, (one, _) in rows.items() if one is not _NOTHING}
            return kept, all(is_plain for _, is_plain in rows.values())
        case Either(values=values):
            # Inside a list or dict the first that is known stands for all, and the whole is not certain.
            plains = [plain for plain, _ in (_plain(one, depth + 1) for one in values) if plain is not _NOTHING]
            return (plains[0] if plains else _NOTHING), False
        case _:
            return _NOTHING, False


def _mentions(sources: Sources, config: Config | None) -> frozenset[str]:
    """Return which names of the configuration's variables stand in any file of the project but the configuration."""
    given = {name for role in (config.roles if config else ()) for env in role.env.values() for name in env.clear}
    given |= {name for role in (config.roles if config else ()) for env in role.env.values() for name in env.secrets()}
    seen: set[str] = set()
    for path in sources.paths:
        if seen >= given:
            break
        if path.endswith(_SOURCES) and not _is_config(path):
            text = sources.text(path)
            seen |= {name for name in given - seen if name in text}
    return frozenset(seen)


def _is_config(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("deploy") and name.endswith((".yml", ".yaml"))


def _workdir(processes: Processes) -> str:
    place = processes.image.last("WORKDIR") if processes.image else None
    return place.text.strip() if place and place.text.startswith("/") and "$" not in place.text else ""


def _collects(sources: Sources, processes: Processes) -> bool:
    texts: Iterable[str] = (
        (one.text for one in processes.image.of("RUN", "CMD", "ENTRYPOINT")) if processes.image else ()
    )
    scripts = (sources.text(path) for path in [one for one in sources.paths if one.endswith(".sh")][:50])
    return any("collectstatic" in text for text in (*texts, *scripts))


def _holds_secret(path: str, sources: Sources) -> bool:
    """Tell whether a file is one that holds secrets: `.env`, one of .kamal/, a secrets file with values in it."""
    if path == ".env":
        return True
    folder, _, name = path.rpartition("/")
    if folder != ".kamal" or name.endswith((".sample", ".example")):
        return False
    return has_literal(parse_dotenv(sources.text(path), path)) if name.startswith("secrets") else True
