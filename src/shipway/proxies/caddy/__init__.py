"""Caddy: routes from objects, a switch and a maintenance mode that are files, read at each request."""

from shipway.proxies.caddy.proxy import Caddy
from shipway.proxies.caddy.site import (
    AccessLog,
    CaddyProgram,
    CaddyRoute,
    CaddyRun,
    CaddySite,
    Folder,
    Ssl,
    Tls,
)

__all__ = ["AccessLog", "Caddy", "CaddyProgram", "CaddyRoute", "CaddyRun", "CaddySite", "Folder", "Ssl", "Tls"]
