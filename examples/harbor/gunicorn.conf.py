"""gunicorn reads this file by itself; where to listen is said on its command line."""

import os

wsgi_app = "harbor.wsgi:application"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))

# More than are ever busy: a proxy opens connections ahead of need, and until the first byte comes gunicorn (24 and
# later) has a thread wait for it, for up to 5 seconds.
threads = 16

# A proxy keeps idle connections to us open (Caddy: 2 minutes). Were we the first to close one, a request that the
# proxy sends on it in that moment would be lost; so we wait longer than the proxy does.
keepalive = 150

# Less than the 30 s after which whoever asked us to stop loses patience.
graceful_timeout = 28
timeout = 60
errorlog = "-"
