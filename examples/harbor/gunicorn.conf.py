"""gunicorn reads this file by itself; where to listen is said on its command line."""

import os

wsgi_app = "harbor.wsgi:application"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8

# A proxy keeps idle connections to us open (Caddy: 2 minutes). Were we the first to close one, a request that the
# proxy sends on it in that moment would be lost; so we wait longer than the proxy does.
keepalive = 150

graceful_timeout = 30
timeout = 60
errorlog = "-"
