"""PostgreSQL, MySQL and Redis beside the application, and the values that the settings then need."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipway.scaffold.subject import Subject
from shipway.scaffold.variables import Part, database_part, is_redis_url, redis_part


@dataclass(frozen=True, slots=True)
class Accessory:
    """One accessory: image, clear variables, names of secrets, its directory, its port on the host ("" for none)."""

    name: str
    image: str
    clear: dict[str, str]
    secret: tuple[str, ...]
    directory: str
    port: str = ""


@dataclass(frozen=True, slots=True)
class Accessories:
    """The accessories; `values` of variables that follow from them ("" for secrets); `secrets` made from others."""

    all: tuple[Accessory, ...]
    values: dict[str, str]
    secrets: dict[str, str]


_NONE = Accessories((), {}, {})
_LOOPBACK = "127.0.0.1"


def wants_accessories(subject: Subject) -> bool:
    """Tell whether the project needs a database server or Redis that could run beside it."""
    return _family(subject) != "" or _needs_redis(subject)


def find_accessories(subject: Subject) -> Accessories:
    """Return the accessories of a project. The venv runtime has them only where they were asked for.

    Without them values are the user's matter.
    """
    is_wanted = subject.wishes.accessories
    if is_wanted is False or (is_wanted is None and subject.wishes.runtime == "venv"):
        return _without(subject)
    database, redis = _database(subject), _redis(subject)
    return Accessories(database.all + redis.all, database.values | redis.values, {**database.secrets, **redis.secrets})


def _without(subject: Subject) -> Accessories:
    """The way to the database is told by the user: it is secret as far as it has a password."""
    if not _family(subject):
        return _NONE
    urls = [one.name for one in subject.variables if database_part(one.name) == "url"]
    return Accessories((), dict.fromkeys(urls[:1], ""), {})


def _family(subject: Subject) -> str:
    engine = subject.text("database")
    return {"postgresql": "postgres", "postgis": "postgis", "mysql": "mysql"}.get(engine, "")


def _identifier(service: str) -> str:
    """Return a name that a database takes without quotes."""
    name = re.sub(r"[^a-z0-9_]", "_", service.lower())
    return name if name[0].isalpha() else f"db_{name}"


def _host(subject: Subject, name: str) -> str:
    """Return where the application reaches an accessory: by Docker's DNS, or on a port that only the host sees."""
    return f"{subject.service}-{name}" if subject.wishes.runtime == "docker" else _LOOPBACK


def _port(subject: Subject, port: int) -> str:
    return "" if subject.wishes.runtime == "docker" else f"{_LOOPBACK}:{port}:{port}"


def _database(subject: Subject) -> Accessories:
    family = _family(subject)
    if not family:
        return _NONE
    name, host = _identifier(subject.service), _host(subject, "db")
    if family == "mysql":
        made = Accessory(
            "db", "mysql:8.4", {"MYSQL_USER": name, "MYSQL_DATABASE": name}, ("MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"),
            "data:/var/lib/mysql", _port(subject, 3306),
        )  # fmt: skip
        scheme, port, password = "mysql", "3306", "MYSQL_PASSWORD"
    else:
        image = "postgis/postgis:16-3.4" if family == "postgis" else "postgres:16"
        made = Accessory(
            "db", image, {"POSTGRES_USER": name, "POSTGRES_DB": name}, ("POSTGRES_PASSWORD",),
            "data:/var/lib/postgresql/data", _port(subject, 5432),
        )  # fmt: skip
        scheme, port, password = family if family == "postgis" else "postgres", "5432", "POSTGRES_PASSWORD"
    values: dict[str, str] = {}
    secrets: dict[str, str] = {}
    texts: dict[Part, str] = {"name": name, "user": name, "host": host, "port": port}
    for one in subject.variables:
        part = database_part(one.name)
        if part == "url":
            values[one.name] = ""
            secrets[one.name] = f"{scheme}://{name}:${password}@{host}/{name}"
        elif part == "password" and "ROOT" not in one.name:
            values[one.name] = ""
            if one.name != password:
                secrets[one.name] = f"${password}"
        elif part in texts:
            values[one.name] = texts[part]
    return Accessories((made,), values, secrets)


def _needs_redis(subject: Subject) -> bool:
    is_client = subject.has_package("redis", "django-redis", "hiredis", "channels-redis", "django-rq", "celery-redbeat")
    reads = any(is_redis_url(one.name) or redis_part(one.name) for one in subject.variables)
    is_named = any("REDIS" in one.name for one in subject.variables)
    return (is_client and (reads or subject.text("cache") == "redis")) or is_named


def _redis(subject: Subject) -> Accessories:
    if not _needs_redis(subject):
        return _NONE
    host, values, number = _host(subject, "redis"), {}, 0
    for one in subject.variables:
        is_other = one.default is not None and "://" in one.default and not one.default.startswith(("redis", "locmem"))
        if is_redis_url(one.name) and not is_other:
            is_cache = "CACHE" in one.name
            values[one.name] = f"redis://{host}:6379/{1 if is_cache else number}"
        elif redis_part(one.name) == "host":
            values[one.name] = host
        elif redis_part(one.name) == "port":
            values[one.name] = "6379"
    return Accessories((Accessory("redis", "redis:7", {}, (), "data:/data", _port(subject, 6379)),), values, {})
