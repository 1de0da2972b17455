"""nginx: one include file of ours, a switch that is the rename of a link, a maintenance mode that is a file."""

from shipway.proxies.nginx.proxy import Nginx
from shipway.proxies.nginx.run import NginxRun

__all__ = ["Nginx", "NginxRun"]
