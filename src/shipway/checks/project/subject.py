"""What is known of a project when it is checked: facts, settings as production would have them, variables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from shipway.config.model import Config, Role
from shipway.config.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Known:
    """A fact: None for one that is not known. `is_sure`: the project says so itself. `where` is `file:line`."""

    value: object = None
    where: str = ""
    is_sure: bool = False

    @property
    def text(self) -> str:
        """The value where it is a text, else ""."""
        return self.value if isinstance(self.value, str) else ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of Django: the plain values that it may have, `file:line`, and whether these are all.

    Paths inside the project are relative. `is_whole` is False when a part of it depends on what reading cannot tell.
    Without a value it is not set, where it is whole.
    """

    values: tuple[object, ...] = ()
    is_whole: bool = True
    where: str = ""

    @property
    def is_set(self) -> bool:
        """Whether the settings bind it at all."""
        return bool(self.values) or not self.is_whole

    @property
    def truth(self) -> bool | None:
        """Whether it counts as true; None where that is not known. What is not set does not."""
        found = {bool(one) for one in self.values} or {False}
        return found.pop() if self.is_whole and len(found) == 1 else None

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts in it: in lists, and itself."""
        return tuple(_texts(self.values))

    def under(self, *keys: str) -> tuple[object, ...]:
        """Return what stands under a path of keys in dicts; `*` stands for any key."""
        found: list[object] = list(self.values)
        for key in keys:
            dicts = [one for one in found if isinstance(one, dict)]
            found = [value for one in dicts for name, value in one.items() if key in ("*", name)]
        return tuple(found)


def _texts(values: Collection[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (item for item in value if isinstance(item, str))


NOT_SET = Setting()


@dataclass(frozen=True, slots=True)
class Wanted:
    """An environment variable that the project reads, and where."""

    name: str
    is_required: bool
    where: str


@dataclass(frozen=True, slots=True)
class Project:
    """A project. `mentions` are names of variables that stand anywhere in its files.

    `image_env` are the variables that its Dockerfile sets, `workdir` the directory of the image that holds it ("" for
    an unknown one). `collects`: its files run collectstatic while an image is built. `unignored` are files with secrets
    that git does not ignore, `tracked` those that it has already. `manifest` is the file that names its packages.
    """

    facts: Mapping[str, Known] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    variables: tuple[Wanted, ...] = ()
    mentions: frozenset[str] = frozenset()
    image_env: frozenset[str] = frozenset()
    workdir: str = ""
    collects: bool = False
    unignored: tuple[str, ...] = ()
    tracked: tuple[str, ...] = ()
    manifest: str = ""

    def fact(self, name: str) -> Known:
        """Return a fact; one that is not there is unknown."""
        return self.facts.get(name, Known())

    def setting(self, name: str) -> Setting:
        """Return a setting; one that is not there is not set."""
        return self.settings.get(name, NOT_SET)

    def variable_at(self, where: str) -> str:
        """Return the variable that is read in the line `where`, "" where none is: it switches the setting there."""
        return next((one.name for one in self.variables if one.where == where), "")


@dataclass(frozen=True, slots=True)
class Subject:
    """A project with its configuration, None where there is none. `file` is the configuration's path."""

    project: Project
    config: Config
    file: str = "config/deploy.yml"

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles."""
        return self.config.roles

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        """The proxies of roles."""
        return tuple(role.proxy for role in self.config.roles if role.proxy is not None)

    @property
    def is_tls(self) -> bool:
        """Whether TLS ends at a proxy of ours."""
        return any(proxy.is_tls for proxy in self.proxies)

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which the site is reached, without patterns."""
        names = (name for proxy in self.proxies for name in proxy.names() if "*" not in name)
        return tuple(dict.fromkeys(names))

    @property
    def is_container(self) -> bool:
        """Whether releases run in containers."""
        return self.config.runtime == "docker"

    def given(self, role: Role) -> frozenset[str]:
        """Return the names of the variables that every host of `role` gets from the configuration."""
        per_host = [frozenset((*env.clear, *env.secrets())) for env in role.env.values()]
        return frozenset.intersection(*per_host) if per_host else frozenset()


def is_allowed(name: str, patterns: Collection[str]) -> bool:
    """Tell whether Django's ALLOWED_HOSTS lets `name` in (django.http.request.validate_host)."""
    name = name.lower().rstrip(".")
    return any(
        pattern == "*" or pattern.lower() == name or (pattern.startswith(".") and _is_below(name, pattern.lower()))
        for pattern in patterns
    )


def _is_below(name: str, pattern: str) -> bool:
    return name.endswith(pattern) or name == pattern[1:]


def is_trusted(name: str, origins: Collection[str]) -> bool:
    """Tell whether CSRF_TRUSTED_ORIGINS has `https://name` (django.middleware.csrf)."""
    return any(fnmatchcase(f"https://{name.lower()}", origin.lower().rstrip("/")) for origin in origins)
