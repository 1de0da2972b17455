"""The environment of a project: what is clear, what is secret, what the accessories decide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from shipway.django.fact import Variable
from shipway.scaffold.subject import Subject

Part = Literal["url", "name", "user", "password", "host", "port", "engine"]

_SECRET = re.compile(
    r"SECRET|PASSWORD|PASSWD|(?:^|_)PASS(?:$|_)|(?:^|_)PWD$|TOKEN|CREDENTIAL|PRIVATE|DSN|(?:^|_)KEY$|API_?KEY|SALT|FERNET|"
    r"(?:DATABASE|DB|EMAIL|SMTP|BROKER|CACHE|REDIS|AMQP|MONGO|SEARCH|ELASTIC)\w*_UR[LI]$"
)
_DATABASE = re.compile(
    r"(?:^|_)(?:POSTGRES(?:QL)?|PG|DB|DATABASE|MYSQL|MARIADB|SQL|RDS)_?"
    r"(URL|URI|DSN|NAME|DB|DATABASE|USER(?:NAME)?|PASS(?:WORD)?|HOST(?:NAME)?|ADDR|PORT|ENGINE)$"
)
_PARTS: dict[str, Part] = {
    "URL": "url", "URI": "url", "DSN": "url", "NAME": "name", "DB": "name", "DATABASE": "name", "USER": "user",
    "USERNAME": "user", "PASS": "password", "PASSWORD": "password", "HOST": "host", "HOSTNAME": "host", "ADDR": "host",
    "PORT": "port", "ENGINE": "engine",
}  # fmt: skip
_REDIS_URL = re.compile(
    r"(?:^|_)(?:REDIS\w*|BROKER|CELERY_RESULT_BACKEND|RESULT_BACKEND|CACHE|CHANNELS?|RQ)(?:_?UR[LI])?$"
)
_REDIS_PART = re.compile(r"(?:^|_)REDIS\w*_(HOST|HOSTNAME|PORT|PASS|PASSWORD)$")
_HOSTS = re.compile(r"ALLOWED_HOSTS?$")
_ORIGINS = re.compile(r"(?:CSRF_|TRUSTED_|CSRF_TRUSTED_)ORIGINS$")
_SITE = re.compile(r"(?:SITE|BASE|PUBLIC|APP|FRONTEND)_(?:URL|DOMAIN|HOST(?:NAME)?)$")
_NOT_SET = frozenset(("PORT", "HOME", "PATH", "USER", "DYNO", "TERM", "LANG", "TZ", "HOSTNAME", "PYTHONPATH"))
_OURS = re.compile(r"^(?:SHIPWAY_|KAMAL_)")


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the configuration. `value` "" : it is secret. `told` says where it is read, or why it is there."""

    name: str
    value: str
    told: str
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Environment:
    """All variables: those with a value, those that are secret, and the names of the others that may be set."""

    clear: tuple[Setting, ...]
    secret: tuple[Setting, ...]
    optional: tuple[Variable, ...]


def database_part(name: str) -> Part | None:
    """Return which part of the way to the database a variable of this name holds; None for another one."""
    match = _DATABASE.search(name)
    return _PARTS[match[1]] if match and "TEST" not in name else None


def is_redis_url(name: str) -> bool:
    """Tell whether a variable of this name holds an address that Redis can be behind."""
    return _REDIS_URL.search(name) is not None and not redis_part(name)


def redis_part(name: str) -> str:
    """Return `host`, `port` or `password` for a variable that holds it, else ""."""
    match = _REDIS_PART.search(name)
    return {"HOST": "host", "PORT": "port", "PASS": "password"}[match[1][:4]] if match else ""


def find_environment(subject: Subject, given: dict[str, str]) -> Environment:
    """Return the environment; `given` are the values that accessories decide ("" for a secret)."""
    clear: list[Setting] = []
    secret: list[Setting] = []
    optional: list[Variable] = []
    for one in subject.variables:
        place = f"{one.file}:{one.line}" if one.line else one.file
        value = given.get(one.name) or _known(one, subject)
        if one.name in _NOT_SET or _OURS.search(one.name) or one.name == "DJANGO_SETTINGS_MODULE":
            continue
        is_hidden = one.required and not given.get(one.name) and (not value or _SECRET.search(one.name))
        if given.get(one.name) == "" or is_hidden:
            is_known_secret = _SECRET.search(one.name) is not None or one.name in given
            told = place if is_known_secret else f"{place}; where it is no secret, move it to `clear` with its value"
            secret.append(Setting(one.name, "", told, is_secret=True))
        elif value:
            clear.append(Setting(one.name, value, place))
        else:
            optional.append(one)
    return Environment(tuple(clear), tuple(secret), tuple(optional))


def _known(one: Variable, subject: Subject) -> str:
    """Return the value of a variable that follows from what is known; "" for another one."""
    site, name = subject.wishes.site, one.name
    value = ""
    if _HOSTS.search(name):
        value = site or f"{subject.server},localhost"
    elif _ORIGINS.search(name) and site:
        value = f"https://{site}"
    elif one.required and name.endswith("DEBUG"):
        value = "0"
    elif one.required and name == "DJANGO_CONFIGURATION":
        value = subject.text("configuration")
    elif one.required and site and _SITE.search(name):
        value = f"https://{site}" if name.endswith("URL") else site
    elif one.required and one.default and not _SECRET.search(name):
        value = one.default
    return value


def is_secret_name(name: str) -> bool:
    """Tell whether a variable of this name usually holds a secret."""
    return _SECRET.search(name) is not None


def stand_in(name: str) -> str:
    """Return a value with which settings load while an image is built: of the right form, and no value that serves."""
    patterns = (
        (r"PASSWORD|SECRET_KEY|TOKEN", "only-for-the-build"),
        (r"FERNET|ENCRYPT|CRYPTO", "A" * 43 + "="),  # 32 bytes in base64, as Fernet wants them
        (r"(?:POSTGRES|PG|DATABASE|DB)\w*_?UR[LI]$", "postgres://nobody:nothing@localhost/nothing"),
        (r"MYSQL\w*_UR[LI]$", "mysql://nobody:nothing@localhost/nothing"),
        (r"EMAIL_URL$|SMTP_URL$", "smtp://localhost:25"),
        (r"CACHE_URL$|REDIS|BROKER|RESULT_BACKEND", "redis://localhost:6379/0"),
        (r"DSN$", "https://nobody@localhost/1"),
        (r"(?:^|_)(?:PORT|DB_PORT|TIMEOUT|SECONDS|COUNT|LIMIT|SIZE|DAYS|HOURS|MAX|MIN|NUM\w*|ID|WORKERS)$", "1"),
        (r"DEBUG$|(?:^|_)(?:USE|ENABLE|IS)_|_(?:ENABLED|SSL|TLS)$", "0"),
        (r"ORIGINS?$|UR[LI]S?$", "https://localhost"),
        (r"HOSTS?$|DOMAINS?$|HOSTNAME$", "localhost"),
        (r"EMAIL|FROM$|MAIL$", "nobody@localhost"),
    )
    return next((value for pattern, value in patterns if re.search(pattern, name)), "only-for-the-build")
