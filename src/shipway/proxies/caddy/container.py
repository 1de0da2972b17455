"""Caddy as a container that Docker keeps running: what a host with `runtime: docker` has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shipway.core.action import Command
from shipway.core.layout import Layout
from shipway.core.step import Step
from shipway.proxies.caddy.site import CaddyRun, Keep, caddy_program

NAME = "shipway-proxy"
"""One proxy serves all services of a host, so its name holds none."""

# `docker rm` of a container that is not there fails, which is no failure. Five seconds are for the requests that run.
CREATE_SCRIPT = (
    'name=$1 network=$2; shift 2; docker network inspect -- "$network" >/dev/null 2>&1'
    ' || docker network create -- "$network" >/dev/null || docker network inspect -- "$network" >/dev/null || exit;'
    ' docker stop --time 5 -- "$name" >/dev/null 2>&1; docker rm --force -- "$name" >/dev/null 2>&1;'
    ' exec docker create --name "$name" --network "$network" "$@" >/dev/null'
)
# The ports are free from the end of the one container to the start of the other. Requests that run get a second to end:
# longer would be a longer pause for everybody.
REPLACE_SCRIPT = (
    'docker inspect -- "$1" >/dev/null && { [ -z "$(docker ps --quiet --filter "name=^$2$")" ]'
    ' || docker stop --time 1 -- "$2" >/dev/null; } && docker start -- "$1" >/dev/null'
)
RESTORE_SCRIPT = (
    'docker stop --time 1 -- "$1" >/dev/null 2>&1; docker start -- "$2" >/dev/null || exit;'
    ' docker rm --force -- "$1" >/dev/null 2>&1; :'
)
STOP_SCRIPT = (
    'docker stop --time 40 -- "$1" >/dev/null 2>&1; docker rm --force -- "$1" >/dev/null 2>&1;'
    ' [ -z "$(docker ps --all --quiet --filter "name=^$1$")" ]'
)
PULL_SCRIPT = (
    'docker pull --quiet -- "$1" >/dev/null || { s=$?;'
    ' echo "the image $1 of the proxy could not be pulled; \\`proxy.run.image\\` names another one" >&2; exit $s; }'
)
PULL_LIMIT_S = 600.0
RUN_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class CaddyContainer:
    """How the container is run. `user` is `uid:gid`; `options` are further words of `docker run`."""

    name: str = NAME
    image: str = "caddy:2"
    user: str = "0:0"
    network: str = "kamal"
    log_max_size: str = "10m"
    options: tuple[str, ...] = ()


def keep_in_container(layout: Layout, host: str, run: CaddyRun, how: CaddyContainer) -> Keep:
    """Return what runs Caddy as a container: on the hosts' ports of `run`, with only its own files in sight."""
    program = caddy_program(layout, "caddy")
    sees = (
        *("--user", how.user, "--workdir", layout.proxy),
        *(word for name, value in program.env for word in ("--env", f"{name}={value}")),
        *("--volume", f"{layout.proxy}:{layout.proxy}", "--volume", f"{layout.public}:{layout.public}:ro"),
    )
    words = (
        *("--restart", "unless-stopped", "--stop-timeout", f"{program.stop_s:g}", *sees),
        *_published(run),
        *(("--expose", str(run.metrics_port)) if run.metrics_port else ()),
        *("--log-opt", f"max-size={how.log_max_size}"),
        *how.options,
    )
    definition = hashlib.sha256("\0".join((how.network, *words, how.image)).encode()).hexdigest()[:16]
    argv = (
        "sh",
        "-c",
        CREATE_SCRIPT,
        "sh",
        how.name,
        how.network,
        *words,
        "--label",
        f"shipway.definition={definition}",
    )
    create = Command((*argv, how.image, *program.argv), limit_s=RUN_LIMIT_S)
    swap = [Command(("sh", "-c", s, "sh", how.name), limit_s=RUN_LIMIT_S) for s in (REPLACE_SCRIPT, RESTORE_SCRIPT)]
    return Keep(
        tool=("docker", "run", "--rm", "--network", "none", *sees, how.image, "caddy"),
        before=(_image(host, how.image),),
        start=(create, Command(("docker", "start", how.name), limit_s=RUN_LIMIT_S)),
        stop=(Command(("sh", "-c", STOP_SCRIPT, "sh", how.name), limit_s=RUN_LIMIT_S),),
        replace=(create, swap[0]),
        restore=(swap[1],),
        log=("docker", "logs", "--tail", "5", how.name),
        container=how.name,
        definition=definition,
    )


def _published(run: CaddyRun) -> tuple[str, ...]:
    """Return the flags that open the ports; HTTP/3 is UDP on the port of HTTPS."""
    if not run.publish:
        return ()
    ports = (f"{run.http_port}:{run.http_port}", *(f"{run.https_port}:{run.https_port}{kind}" for kind in ("", "/udp")))
    ips = tuple(f"[{ip}]:" if ":" in ip else f"{ip}:" for ip in run.bind_ips) or ("",)
    return tuple(word for ip in ips for port in ports for word in ("--publish", f"{ip}{port}"))


def _image(host: str, image: str) -> Step:
    return Step(
        id=f"{host}/proxy-image",
        title=f"pull the proxy's image {image} where it is missing",
        host=host,
        do=(Command(("sh", "-c", PULL_SCRIPT, "sh", image), limit_s=PULL_LIMIT_S),),
        done=Command(("docker", "image", "inspect", "--format", "{{.Id}}", image)),
        harmless=True,
    )
