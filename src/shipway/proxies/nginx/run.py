"""How nginx runs on a host: it may be the user's own, with sites that are none of ours."""

from __future__ import annotations

from dataclasses import dataclass

INCLUDE_NAME = "zz-shipway.conf"
"""Read last: what comes first of its directory stays nginx's default for a port where nobody names one."""


@dataclass(frozen=True, slots=True)
class NginxRun:
    """nginx of a host. `sudo`: the login is not root, so that nginx is called by `sudo -n`.

    `program` are the words that call nginx, `start` those that start it, `stop` those that end it ((): as the host's
    own service). `folders` are directories that it reads configuration from, the first that exists gets our include
    file. `logs` is its log directory. `webroots`: where answers to the questions of a certificate authority may stand.
    """

    http_port: int = 80
    https_port: int = 443
    bind_ips: tuple[str, ...] = ()
    sudo: bool = False
    program: tuple[str, ...] = ("nginx",)
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    folders: tuple[str, ...] = ("/etc/nginx/sites-enabled", "/etc/nginx/conf.d")
    logs: str = "/var/log/nginx"
    webroot: str = "/var/www/html"
    python: str = "python3"
