"""One-off commands in a release that Kamal left: nothing of ours stands beside it, so its container tells all."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.core.action import Command
from shipway.runtimes.docker.settings import DockerSettings

# $1 Kamal's container, $2 the network, $3 service, $4 destination; the rest is the command. Kamal writes each value of
# an environment on one line. The file is open and has no name any more when the values are in it.
ONCE_SCRIPT = r"""
from=$1 network=$2 service=$3 destination=$4; shift 4
image=$(docker container inspect --format '{{.Image}}' -- "$from") || exit 1
file=$(mktemp) && exec 3<>"$file" && rm -f -- "$file" || exit 1
docker container inspect --format '{{range .Config.Env}}{{println .}}{{end}}' -- "$from" >/dev/fd/3 || exit 1
if [ -t 0 ]; then set -- --tty "$image" "$@"; else set -- "$image" "$@"; fi
exec docker run --rm --interactive --network "$network" --env-file /dev/fd/3 --volumes-from "$from" \
  --label service="$service" --label destination="$destination" --label oneoff=true "$@"
"""


def once_of_kamal(container: str, settings: DockerSettings, argv: Sequence[str], limit_s: float) -> Command:
    """Return a command that runs `argv` with the image, environment and volumes of a container that Kamal made."""
    about = (container, settings.network, settings.service, settings.destination)
    return Command(("sh", "-c", ONCE_SCRIPT, "sh", *about, *argv), limit_s=limit_s)
