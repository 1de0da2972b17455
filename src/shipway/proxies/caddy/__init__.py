"""Caddy: routes from objects, a switch and a maintenance mode that are files, read at each request."""

from shipway.proxies.caddy.container import CaddyContainer, keep_in_container
from shipway.proxies.caddy.proxy import Caddy
from shipway.proxies.caddy.site import CaddyProgram, CaddyRun, Keep, caddy_program

__all__ = [
    "Caddy",
    "CaddyContainer",
    "CaddyProgram",
    "CaddyRun",
    "Keep",
    "caddy_program",
    "keep_in_container",
]
