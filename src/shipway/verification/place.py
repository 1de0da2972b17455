"""Where a site is asked: a public name, on one of the hosts that serve it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from shipway.config.model import Config, Role
from shipway.config.proxy import Proxy

_HTTP, _HTTPS = 80, 443
_NAMELESS = "localhost"
"""The name that is asked for where the site answers to any: the health check of a release uses it as well."""


@dataclass(frozen=True, slots=True)
class Place:
    """One name of a role on one host.

    `names` are all names of the role, `prefix` the path below which the site is ("" for all paths). `is_tls`: the proxy
    speaks HTTPS, and `is_redirected` whether it sends HTTP there. `is_public_ca`: browsers should trust its
    certificate. `is_first`: no other place of this host has the role under an earlier name.
    """

    host: str
    role: str
    name: str
    names: tuple[str, ...] = ()
    prefix: str = ""
    is_tls: bool = False
    is_redirected: bool = False
    is_public_ca: bool = False
    is_first: bool = True
    http_port: int = _HTTP
    https_port: int = _HTTPS
    health: str = "/up"

    def origin(self, *, tls: bool | None = None) -> str:
        """Return `https://name` or `http://name`, with the port where it is not the usual one."""
        return self.origin_of(self.name, tls=self.is_tls if tls is None else tls)

    def origin_of(self, name: str, *, tls: bool) -> str:
        """Return the origin of another name on the same ports."""
        port, usual = (self.https_port, _HTTPS) if tls else (self.http_port, _HTTP)
        shown = f"[{name}]" if ":" in name else name
        return f"http{'s' if tls else ''}://{shown}" + ("" if port == usual else f":{port}")

    def url(self, path: str) -> str:
        """Return the address of a path of the site: a public path, with the prefix already in it where there is one."""
        return self.origin() + path

    def is_ours(self, url: str) -> bool:
        """Whether the site itself answers `url`: by its scheme, its name and its port."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            return False
        usual, ours = (_HTTPS, self.https_port) if parts.scheme == "https" else (_HTTP, self.http_port)
        names = self.names or (self.name,)
        return (parts.hostname or "") in names and (port or usual) in {ours, usual}


def places_of(config: Config) -> tuple[Place, ...]:
    """Return every place where the service takes public traffic, the first name of each role first."""
    found = [place for role in config.roles if role.proxy is not None for place in _of_role(config, role, role.proxy)]
    return tuple(sorted(found, key=lambda place: not place.is_first))


def _of_role(config: Config, role: Role, proxy: Proxy) -> Iterator[Place]:
    names = tuple(name for name in proxy.names() if "*" not in name)
    if proxy.names() and not names:
        return  # only patterns: nobody but the application knows a name that is one of its own
    prefixes = [prefix.rstrip("/") for prefix in proxy.prefixes()]
    health = (proxy.healthcheck.path if proxy.healthcheck else None) or config.django.health
    is_stripped = proxy.strip_path_prefix is not False
    prefix = prefixes[0] if prefixes else ""
    for host in role.hosts:
        run = config.proxy_run(host)
        for number, name in enumerate(names or (_NAMELESS,)):
            yield Place(
                host=host,
                role=role.name,
                name=name,
                names=names,
                prefix=prefix,
                is_tls=proxy.is_tls,
                is_redirected=proxy.is_tls and proxy.ssl_redirect is not False,
                is_public_ca=proxy.ssl is True and (proxy.acme is None or proxy.acme.ca is None),
                is_first=number == 0,
                http_port=(run.http_port if run else None) or _HTTP,
                https_port=(run.https_port if run else None) or _HTTPS,
                health=f"{prefix}{health}" if is_stripped else health,
            )
