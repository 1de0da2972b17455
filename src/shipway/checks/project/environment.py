"""Checks of the environment: variables that are needed and not given, and those given and never read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from shipway.checks.project.subject import Subject
from shipway.checks.table import found
from shipway.core.errors import Finding

_SET_BY_US = re.compile(r"KAMAL_\w+|SHIPWAY_\w+|HOSTNAME|HOME|PATH|PWD|USER|LANG|TZ|DJANGO_SETTINGS_MODULE")
"""What every process of a release has, from Shipway, Docker or the shell."""
# Read by Python, by servers and libraries, by no line of the project.
_READ_BY_OTHERS = re.compile(
    r"(?:PYTHON|DJANGO_|GUNICORN_|UVICORN_|GRANIAN_|UWSGI_|HYPERCORN_|WEB_CONCURRENCY|FORWARDED_ALLOW_IPS|PORT$|PG|MYSQL_|"
    r"POSTGRES_|AWS_|GOOGLE_|AZURE_|SENTRY_|OTEL_|NEW_RELIC|DD_|DATADOG|ELASTIC_APM|C_FORCE_ROOT|CELERY_|FLOWER_|TZ$|"
    r"LANG$|LC_|LD_|MALLOC_|MALLOC|SSL_CERT|REQUESTS_CA|CURL_CA|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy|UV_|PIP_|"
    r"NODE_|GDAL_|PROJ_|TMPDIR|HOME|PATH$|UMASK|STATSD_|PROMETHEUS_|SHIPWAY_|KAMAL_|SOURCE_DATE_EPOCH|OMP_|NUMBA_)"
)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SERVICES = re.compile(
    r"(?:postgres\w*|postgis|mysql\w*|mariadb|rediss?|valkey|amqps?|pyamqp|mongodb|memcached?)(?:\+\w+)?"
)


def check_missing(subject: Subject) -> Iterator[Finding]:
    """Find variables that are required and that no role, or not every role, is given."""
    if not subject.roles:
        return
    for wanted in subject.project.variables:
        if not wanted.is_required or _SET_BY_US.fullmatch(wanted.name) or wanted.name in subject.project.image_env:
            continue
        lacking = [role.name for role in subject.roles if wanted.name not in subject.given(role)]
        if lacking:
            who = "by nobody" if len(lacking) == len(subject.roles) else f"not to {', '.join(lacking)}"
            what = f"the project needs {wanted.name}, which is given {who}"
            next_ = f"name {wanted.name} under `env/clear`, or under `env/secret` and in .kamal/secrets"
            yield found("project.variable_missing", what, wanted.where, next_)


def check_unread(subject: Subject) -> Iterator[Finding]:
    """Find variables that are given and stand nowhere in the project."""
    known = {wanted.name for wanted in subject.project.variables} | subject.project.mentions
    if not known:
        return
    given: dict[str, None] = {}
    for role in subject.roles:
        for env in role.env.values():
            given.update(dict.fromkeys((*env.clear, *env.secrets())))
    commands = " ".join(role.cmd or "" for role in subject.roles)
    for name in given:
        if name not in known and not _READ_BY_OTHERS.match(name) and name not in commands:
            what = f"the configuration gives {name}, and nothing in the project reads it"
            yield found("project.variable_unread", what, subject.file)


def check_localhost(subject: Subject) -> Iterator[Finding]:
    """Find addresses of services that a container cannot mean. Values of secrets are not looked at here."""
    if not subject.is_container:
        return
    told: set[str] = set()
    for role in subject.roles:
        if str(role.options.get("network", "")) == "host":
            continue
        for env in role.env.values():
            for name, text in env.texts().items():
                if name not in told and is_local_service(text):
                    told.add(name)
                    what = f"{name} leads to {_host(text)}, which in a container is the container itself"
                    yield found("project.localhost_service", what, subject.file, _mend(subject))


def _mend(subject: Subject) -> str:
    names = [accessory.service for accessory in subject.config.accessories]
    return f"write `{names[0]}` instead" if len(names) == 1 else ""


def is_local_service(text: str) -> bool:
    """Tell whether a URL is one of a database or broker on the same machine."""
    return _host(text) in _LOCAL


def _host(text: str) -> str:
    try:
        parts = urlsplit(text)
        return (parts.hostname or "") if _SERVICES.fullmatch(parts.scheme) else ""
    except ValueError:
        return ""
