"""Which database engine production uses. A default of SQLite is often only for a developer's machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from shipway.django.fact import UNKNOWN, Fact, Place
from shipway.django.packages import Packages
from shipway.django.processes import Processes
from shipway.django.requirements import Requirement
from shipway.django.settings import Settings, nested
from shipway.django.tree import Sources, line_of
from shipway.django.urls_of_services import engine_name, engine_of_url

_DRIVERS = {
    "postgresql": ("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "psycopg-c", "psycopg2cffi"),
    "mysql": ("mysqlclient", "pymysql", "mysql-connector-python"),
    "oracle": ("oracledb", "cx-oracle"),
    "mssql": ("mssql-django",),
}
MAX_REREADS = 3
"""Services of a compose file whose variables are tried on the settings."""
_FILES = ("sqlite3", "spatialite")
Reread = Callable[[Mapping[str, str]], Settings]


def find_database(settings: Settings, packages: Packages, processes: Processes, reread: Reread) -> Fact:
    """Return the fact `database`. `reread` gives the settings as a process with other variables would see them."""
    place = settings.place("DATABASES")
    engines = engines_of(settings)
    servers = [name for name in engines if name not in _FILES]
    if len(set(servers)) == 1 and len(engines) == len(servers):
        return Fact(servers[0], "high", (place,))
    if servers:
        # Several engines are possible: the one whose driver production installs.
        driver = _driver(packages)
        if driver is not None and driver[0] in [_family(name) for name in servers]:
            chosen = next(name for name in servers if _family(name) == driver[0])
            return Fact(
                chosen, "medium", (place, driver[1].place), tuple(f"could also be {n}" for n in engines if n != chosen)
            )
        return Fact(servers[0], "medium", (place,), tuple(f"could also be {n}" for n in engines if n != servers[0]))
    found = _by_compose(processes, reread, engines) or _by_driver(packages, engines, place)
    found = found or _by_ini(settings, engines)
    if found is not None:
        return found
    if engines:
        return Fact(engines[0], "high", (place,))
    return _by_image(processes) or _by_text(settings) or UNKNOWN


def engines_of(settings: Settings) -> list[str]:
    """Return the short names of the engines that the default database may have."""
    found = nested(settings.value("DATABASES"), "default", "ENGINE")
    return list(dict.fromkeys(engine_name(one) for one in found if isinstance(one, str) and one))


def _family(engine: str) -> str:
    return {"postgis": "postgresql", "spatialite": "sqlite3"}.get(engine, engine)


def _driver(packages: Packages) -> tuple[str, Requirement] | None:
    for engine, names in _DRIVERS.items():
        found = packages.requirements.has(*names)
        if found is not None:
            return engine, found
    return None


def _by_driver(packages: Packages, engines: list[str], place: Place) -> Fact | None:
    """A driver among the packages of production is there for a database server, whatever the default says."""
    driver = _driver(packages)
    if driver is None:
        return None
    engine, requirement = driver
    engine = "postgis" if "spatialite" in engines and engine == "postgresql" else engine
    against = tuple(f"{place} falls back to {name}" for name in engines)
    return Fact(
        engine, "medium", (Place(requirement.place.file, requirement.place.line, f"needs {requirement.name}"),), against
    )


def _by_compose(processes: Processes, reread: Reread, engines: list[str]) -> Fact | None:
    """The variables that a compose file gives to the project's own service, taken into the settings."""
    tried: list[dict[str, str]] = []
    for service in processes.services:
        is_ours = service.builds and service.environment and service.file == processes.compose[0]
        if not is_ours or service.environment in tried or len(tried) >= MAX_REREADS:
            continue
        tried.append(service.environment)
        found = [name for name in engines_of(reread(service.environment)) if name not in _FILES]
        if found:
            against = tuple(f"the settings fall back to {name}" for name in engines)
            return Fact(found[0], "medium", (Place(service.file, 0, f"variables of service {service.name}"),), against)
    return None


def _by_ini(settings: Settings, engines: list[str]) -> Fact | None:
    """Projects configured by an INI file ship an example of it: `[database] backend = postgresql`."""
    sources: Sources = settings.layout.sources
    for path in sources.paths:
        if path.endswith((".cfg", ".ini", ".conf", ".cfg.example", ".ini.example")) and "example" in path.lower():
            text = sources.text(path)
            match = re.search(
                r"^\[database\][^\[]*?^(?:backend|engine|type)\s*=\s*(\S+)", text, re.MULTILINE | re.DOTALL
            )
            engine = engine_name(match[1]) if match else ""
            if match and engine not in ("", *_FILES):
                place = Place(path, line_of(text, match.start(1)), "the example configuration")
                return Fact(engine, "medium", (place,), tuple(f"the settings fall back to {name}" for name in engines))
    return None


def _by_image(processes: Processes) -> Fact | None:
    """The settings do not say; a compose file that starts a database server does."""
    for service in processes.services:
        for word, engine in (
            ("postgis", "postgis"),
            ("postgres", "postgresql"),
            ("mariadb", "mysql"),
            ("mysql", "mysql"),
        ):
            if word in service.image.rpartition(":")[0].lower() or word in service.image.lower().partition(":")[0]:
                return Fact(
                    engine,
                    "medium" if service.file.count("/") == 0 else "low",
                    (Place(service.file, 0, service.image),),
                )
    return None


def _by_text(settings: Settings) -> Fact | None:
    """An engine or a URL that stands in the settings as text, where the shape of DATABASES is beyond reading."""
    for pattern in (
        r"['\"](django\.[\w.]*backends\.(?:postgresql|mysql|oracle|postgis|sqlite3)\w*)",
        r"['\"]((?:postgres|postgresql|mysql|postgis|sqlite)://)",
    ):
        place = settings.find(pattern)
        match = re.search(pattern, place.why) if place else None
        if match and place:
            name = engine_name(engine_of_url(match[1]) or match[1])
            return Fact(name, "low", (Place(place.file, place.line, match[1]),))
    return None


def find_geodjango(settings: Settings, database: Fact) -> Fact:
    """Return the fact `geodjango`: whether GDAL, GEOS and PROJ are needed at run time."""
    if "django.contrib.gis" in settings.texts("INSTALLED_APPS"):
        return Fact(True, "high", (settings.find(r"django\.contrib\.gis") or settings.place("INSTALLED_APPS"),))
    if database.text in ("postgis", "spatialite"):
        return Fact(True, "high", database.evidence)
    pattern = re.compile(r"^[ \t]*(?:from|import) (?:django\.contrib\.gis|osgeo)\b", re.MULTILINE)
    for path in settings.layout.python_files:
        text = settings.layout.sources.text(path)
        match = pattern.search(text) if "contrib.gis" in text or "osgeo" in text else None
        if match:
            return Fact(True, "medium", (Place(path, line_of(text, match.start())),))
    return Fact(False, "medium", ())
