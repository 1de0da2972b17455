"""Which database engine production uses. A default of SQLite is often only for a developer's machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from shipway.django.fact import UNKNOWN, Confidence, Fact, Place
from shipway.django.packages import Packages
from shipway.django.processes import Processes
from shipway.django.requirements import Requirement
from shipway.django.settings import Settings, nested
from shipway.django.syntax import absolute, dotted, text_of
from shipway.django.tree import Sources, line_of
from shipway.django.urls_of_services import engine_name, engine_of_url
from shipway.django.values import Either

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
    engines = engines_of(settings)
    drivers = _drivers(packages)
    servers = [name for name in engines if name not in _FILES]
    if servers:
        return _of_servers(settings, servers, engines, drivers) or _by_image(processes) or UNKNOWN
    place = settings.place("DATABASES")
    if engines and is_written_out(settings):
        against = tuple(f"{one.place} installs {one.name}" for one in drivers.values())
        return Fact(engines[0], "medium" if against else "high", (place,), against)
    is_spatial = "django.contrib.gis" in settings.texts("INSTALLED_APPS") or "spatialite" in engines
    found = _by_compose(processes, reread, engines) or _by_driver(drivers, engines, place, is_spatial=is_spatial)
    found = found or _by_ini(settings, engines)
    if found is not None:
        return found
    if engines:
        return Fact(engines[0], "medium", (place,), () if is_closed(settings) else ("a variable may choose another",))
    return _by_image(processes) or _by_text(settings) or UNKNOWN


def _of_servers(
    settings: Settings, servers: list[str], engines: list[str], drivers: Mapping[str, Requirement]
) -> Fact | None:
    """Of the engines that the settings name: one whose driver is installed. None when that leaves nothing to say."""
    place = settings.place("DATABASES")
    able = [name for name in servers if _family(name) in drivers or _family(name) not in _DRIVERS or not drivers]
    if servers == engines and len(servers) == len(able) == 1 and is_closed(settings):
        return Fact(servers[0], "high", (place,))
    able = [name for name in able if _family(name) in drivers] or (able if not drivers else [])
    if able:
        chosen = able[0]
        driver = drivers.get(_family(chosen))
        others = tuple(f"could also be {name}" for name in engines if name != chosen)
        sure: Confidence = "high" if len(servers) == 1 and servers == engines and len(drivers) == 1 else "medium"
        return Fact(chosen, sure, (place, *((driver.place,) if driver else ())), others)
    if len(drivers) == 1:
        engine, driver = next(iter(drivers.items()))
        against = tuple(f"{place} names {name}, whose driver is not installed" for name in servers)
        return Fact(engine, "medium", (Place(driver.place.file, driver.place.line, f"needs {driver.name}"),), against)
    return None


def engines_of(settings: Settings) -> list[str]:
    """Return the short names of the engines that the default database may have."""
    found = nested(settings.value("DATABASES"), "default", "ENGINE")
    names = [_own_engine(settings, one) or engine_name(one) for one in found if isinstance(one, str)]
    return list(dict.fromkeys(name for name in names if name))


def _own_engine(settings: Settings, engine: str) -> str:
    """Return the engine that a back end of the project is made from; "" for one that is not in the tree."""
    path = settings.layout.module_path(f"{engine}.base")
    match = (
        re.search(r"\b(django\.(?:contrib\.gis\.)?db\.backends\.\w+)", settings.layout.sources.text(path))
        if path
        else None
    )
    return engine_name(match[1]) if match else ""


def is_closed(settings: Settings) -> bool:
    """Tell whether every way through the settings ends in an engine that is known."""
    for value in _each(settings.value("DATABASES")):
        default = value.get("default") if isinstance(value, dict) else None
        for one in _each(default):
            engine = one.get("ENGINE") if isinstance(one, dict) else None
            if not all(isinstance(name, str) and engine_name(name) for name in _each(engine)):
                return False
    return True


def _each(value: object) -> tuple[object, ...]:
    return value.values if isinstance(value, Either) else (value,)


def is_written_out(settings: Settings) -> bool:
    """Tell whether the engine is a literal that nothing replaces: no variable, no second place, no other file."""
    nodes = [(file, node) for file, tree in settings.nodes() for node in ast.walk(tree)]
    if any(_lets_in(node, file, settings) for file, node in nodes):
        return False
    made = [node for _, node in nodes if isinstance(node, ast.Name) and node.id == "DATABASES"]
    pairs = [
        pair for _, node in nodes if isinstance(node, ast.Dict) for pair in zip(node.keys, node.values, strict=True)
    ]
    engines = [text_of(value) for key, value in pairs if text_of(key) == "ENGINE"]
    is_once = len(made) == 1 and isinstance(made[0].ctx, ast.Store)
    return is_once and bool(engines) and all(name is not None for name in engines)


def _lets_in(node: ast.AST, file: str, settings: Settings) -> bool:
    """Tell whether a node gives settings that are not in the tree: code that is run, or a module that is not there."""
    if isinstance(node, ast.Call):
        return dotted(node.func) in ("exec", "execfile", "globals", "locals")
    if not isinstance(node, ast.ImportFrom) or not any(one.name == "*" for one in node.names):
        return False
    name = settings.layout.module_name(file)
    package = name if settings.layout.is_package(file) else name.rpartition(".")[0]
    return not settings.layout.module_path(absolute(node, package))


def _family(engine: str) -> str:
    return {"postgis": "postgresql", "spatialite": "sqlite3"}.get(engine, engine)


def _drivers(packages: Packages) -> dict[str, Requirement]:
    """Return the drivers that production installs, by the server that they are for."""
    found = {engine: packages.requirements.has(*names) for engine, names in _DRIVERS.items()}
    return {engine: one for engine, one in found.items() if one is not None}


def _by_driver(
    drivers: Mapping[str, Requirement], engines: list[str], place: Place, *, is_spatial: bool
) -> Fact | None:
    """A driver among the packages of production is there for a database server, whatever the default says."""
    if not drivers:
        return None
    engine, requirement = next(iter(drivers.items()))
    engine = "postgis" if is_spatial and engine == "postgresql" else engine
    against = tuple(f"{place} falls back to {name}" for name in engines)
    against += tuple(f"{one.place} installs {one.name} too" for one in list(drivers.values())[1:])
    evidence = Place(requirement.place.file, requirement.place.line, f"needs {requirement.name}")
    return Fact(engine, "medium" if len(drivers) == 1 else "low", (evidence,), against)


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
