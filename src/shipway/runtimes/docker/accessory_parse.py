"""What a host answers about accessories, and how that differs from the configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from shipway.core.action import Command
from shipway.core.errors import Finding
from shipway.core.facts import AccessoryFacts
from shipway.core.ports import Result
from shipway.runtimes.docker.accessory import CONFIG_LABEL, AccessorySpec, config_digest

# No environment: it holds secrets. Names that are not there are passed over; what is there stands one a line.
_FORMAT = (
    '{"name":{{json .Name}},"status":{{json .State.Status}},"exit":{{json .State.ExitCode}},'
    '"started":{{json .State.StartedAt}},"health":{{with .State.Health}}{{json .Status}}{{else}}""{{end}},'
    '"restarts":{{json .RestartCount}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}},'
    '"ports":{{json .HostConfig.PortBindings}},"binds":{{json .HostConfig.Binds}},'
    '"restart":{{json .HostConfig.RestartPolicy}},"networks":{{json .NetworkSettings.Networks}},'
    '"mounts":{{json .Mounts}}}'
)
PROBE_SCRIPT = 'f=$1; shift; docker container inspect --format "$f" -- "$@" 2>/dev/null; :'
_LIMIT_S = 30.0
_MAX_BYTES = 1_000_000
_TEXT = 300
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def probe(specs: Sequence[AccessorySpec]) -> Command:
    """Return the read-only command that tells of the accessories of one host. It exits 0 without Docker too."""
    names = [name for spec in specs for name in (spec.container, spec.aside)]
    return Command(("sh", "-c", PROBE_SCRIPT, "sh", _FORMAT, *names), limit_s=_LIMIT_S)


def parse(specs: Sequence[AccessorySpec], result: Result) -> tuple[AccessoryFacts, ...]:
    """Return one value per accessory, missing ones too. Malformed answers are read as "nothing there"."""
    found = dict(_documents(result))
    return tuple(_facts(spec, found) for spec in specs)


def _documents(result: Result) -> Iterator[tuple[str, dict[str, object]]]:
    if result.truncated:
        return
    for line in result.stdout[:_MAX_BYTES].splitlines():
        try:
            body = json.loads(line)
        except ValueError:
            continue
        if isinstance(body, dict):
            yield _text(body.get("name")).removeprefix("/"), body


def _facts(spec: AccessorySpec, found: dict[str, dict[str, object]]) -> AccessoryFacts:
    is_aside = spec.aside in found
    body = found.get(spec.container)
    if body is None:
        return AccessoryFacts(spec.name, spec.host, is_set_aside=is_aside)
    return AccessoryFacts(
        name=spec.name,
        host=spec.host,
        state=_text(body.get("status")) or "unknown",
        image=_text(body.get("image")),
        config=_text(_map(body.get("labels")).get(CONFIG_LABEL)),
        health=_text(body.get("health")),
        exit_code=_number(body.get("exit")),
        restarts=_number(body.get("restarts")),
        started_at=_text(body.get("started")),
        networks=tuple(sorted(_map(body.get("networks")))),
        binds=tuple(sorted(_text(bind) for bind in _list(body.get("binds")))),
        ports=tuple(sorted(_ports(_map(body.get("ports"))))),
        restart=_restart(_map(body.get("restart"))),
        unkept=tuple(sorted(_unkept(_list(body.get("mounts"))))),
        is_set_aside=is_aside,
    )


def _ports(bindings: dict[str, object]) -> Iterator[str]:
    for inside, outside in bindings.items():
        for binding in _list(outside):
            place = _map(binding)
            yield f"{_text(place.get('HostIp')) or '0.0.0.0'}:{_text(place.get('HostPort'))}:{inside[:_TEXT]}"  # noqa: S104  what Docker means


def _restart(policy: dict[str, object]) -> str:
    name, count = _text(policy.get("Name")), _number(policy.get("MaximumRetryCount"))
    return f"{name}:{count}" if count else name


def _unkept(mounts: list[object]) -> Iterator[str]:
    for mount in map(_map, mounts):
        if mount.get("Type") == "volume" and _ANONYMOUS.fullmatch(_text(mount.get("Name"))):
            yield _text(mount.get("Destination"))


def _text(value: object) -> str:
    return value[:_TEXT] if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _map(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def drift(spec: AccessorySpec, facts: AccessoryFacts, options: str = "") -> Finding | None:
    """Return in what a container differs from the configuration, None where it does not or is not there.

    What Shipway started carries a digest of its configuration; of a container of Kamal's the visible parts count.
    """
    if not facts.is_there or facts.config == config_digest(spec):
        return None
    found = list(_differences(spec, facts))
    if not found and not facts.config:
        return None
    what = "; ".join(found) or "its environment, files, labels or options are others than in the configuration"
    return Finding(
        "accessory.drift",
        f"{spec.container} on {spec.host} is not what the configuration says: {what}",
        where=f"accessories/{spec.name}",
        next=f"`shipway accessory reboot {spec.name}{options}`, which stops it for a moment; a deploy never does",
        level="warning",
    )


def _differences(spec: AccessorySpec, facts: AccessoryFacts) -> Iterator[str]:
    if facts.image != spec.image:
        yield f"it runs the image {facts.image or 'unknown'}, not {spec.image}"
    if spec.network not in facts.networks and facts.is_running:
        yield f"it is not in the network {spec.network}"
    if facts.restart and facts.restart != spec.restart:
        yield f"its restart policy is {facts.restart}, not {spec.restart}"
    if not facts.config and bool(facts.ports) != bool(spec.publish):
        yield f"it publishes {', '.join(facts.ports) or 'no port'}, not {spec.publish or 'any'}"
    missing = sorted(_plain(bind) for bind in spec.binds if _plain(bind) not in map(_plain, facts.binds))
    if missing and not facts.config:
        yield f"it does not mount {', '.join(missing)}"


def _plain(bind: str) -> str:
    """Return `source:target` without options, which Docker writes in other ways."""
    return ":".join(bind.split(":")[:2])
