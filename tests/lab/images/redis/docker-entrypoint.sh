#!/bin/sh
# As in the official image: options alone mean redis-server, which runs as its own user and answers other containers.
set -e
case "$1" in -* | *.conf) set -- redis-server "$@" ;; esac
[ "$1" = redis-server ] || exec "$@"
shift
set -- redis-server "$@" --protected-mode no
[ "$(id -u)" != 0 ] || { find . ! -user redis -exec chown redis '{}' +; exec setpriv --reuid=redis --regid=redis --clear-groups "$@"; }
exec "$@"
