"""From what the docker client printed to an error that says what to do."""

from __future__ import annotations

import re
import shlex

from shipway.core.errors import Refused, ShipwayError, Unreachable
from shipway.core.here import HereStep
from shipway.core.ports import Result
from shipway.runtimes.docker.images.login import HUB, trouble_of
from shipway.runtimes.docker.images.spec import BuildSpec

SAID_LINES = 30
_NOW = "nothing was changed on the servers"
# BuildKit of buildx: `Dockerfile:5` and ` > [2/3] RUN make:`. The classic builder: `Step 2/3 : RUN make`.
_PLACE = re.compile(r"^([^\s:]{1,200}):(\d{1,6})\r?$", re.MULTILINE)
_FAILED = re.compile(r"^ > \[[^\]\n]{0,80}?\d+/\d+\] (.{1,400}?):?\r?$", re.MULTILINE)
_STEP = re.compile(r"^Step \d+/\d+ : (.{1,400}?)\r?$", re.MULTILINE)
_SPACES = re.compile(r"\s+")


class BuildFailed(Refused):
    """The image could not be built. The last lines of the output say why, so more of them are shown."""

    said_lines = SAID_LINES


def failure_of(step: HereStep, result: Result, spec: BuildSpec, dockerfile: str = "") -> ShipwayError:
    """Return the error for a step that failed. `dockerfile` is the text of the Dockerfile."""
    word = step.id.partition("/")[2]
    said = _last(_all(result))
    if result.timed_out:
        what = f"could not {step.title} in {step.limit_s:g} s"
        return Refused("build.too_slow", what, said=said, next="shipway build push -v")
    if word == "login" or word.startswith("push"):
        return _registry_trouble(step, result, spec)
    if word == "build":
        return _build_trouble(result, spec, dockerfile)
    return _other_trouble(step, said, spec)


def _build_trouble(result: Result, spec: BuildSpec, dockerfile: str) -> ShipwayError:
    said = _all(result)
    line = failing_line(said, dockerfile)
    name = spec.builder.dockerfile or "Dockerfile"
    where = f"{name}:{line}" if line else name
    if "no space left on device" in said:
        what = f"the disk was full while {spec.image} was built"
        return BuildFailed("build.disk_full", what, where=where, said=_last(said), next="docker system prune")
    what = f"could not build {spec.image}"
    return BuildFailed("build.failed", what, where=where, said=_last(said), next="shipway build push -v")


def _other_trouble(step: HereStep, said: str, spec: BuildSpec) -> ShipwayError:
    word, what = step.id.partition("/")[2], f"could not {step.title}"
    if word == "clone":
        where = spec.source.clone
        return BuildFailed("build.no_clone", what, where=where, said=said, next=f"rm -rf {shlex.quote(where)}")
    if word in ("name", "take"):
        return BuildFailed(
            "build.no_delivery",
            f"the Docker engine of this machine did not give {spec.image} to Shipway",
            said=said,
            next="the engine has to run on this machine, not behind DOCKER_HOST or in a VM; else name a registry",
        )
    return BuildFailed("build.no_builder", what, said=said, next="docker buildx ls")


def failing_line(said: str, dockerfile: str) -> int:
    """Return the line of the Dockerfile whose instruction failed, 0 where the output does not tell."""
    places = _PLACE.findall(said)
    if places:
        return int(places[-1][1])
    found = _FAILED.findall(said) or _STEP.findall(said)
    if not found:
        return 0
    wanted = _plain(found[-1])
    for number, text in _instructions(dockerfile):
        if _plain(text).startswith(wanted) or (text and wanted.startswith(_plain(text))):
            return number
    return 0


def _instructions(dockerfile: str) -> list[tuple[int, str]]:
    """Return the instructions with the lines that they begin on; continued lines are joined."""
    found: list[tuple[int, str]] = []
    number, text = 0, ""
    for at, line in enumerate(dockerfile.splitlines(), 1):
        if line.lstrip().startswith("#") or (not text and not line.strip()):
            continue
        number = number if text else at
        text += line.rstrip("\\") + " "
        if not line.endswith("\\"):
            found.append((number, text))
            text = ""
    return found


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip().lower()


def _registry_trouble(step: HereStep, result: Result, spec: BuildSpec) -> ShipwayError:
    server, who = spec.registry.server or HUB, spec.registry.username_shown() or "nobody"
    said = _last(_all(result))
    match trouble_of(result.said):
        case "refused":
            what = (
                f"{server} refused the login of {who}"
                if "login" in step.id
                else f"{server} refused to take {spec.repository} from {who}"
            )
            return Unreachable(
                "registry.refused", what, where="registry", said=said, now=_NOW,
                next="check `registry/username` and the secret of `registry/password`: shipway secrets print",
            )  # fmt: skip
        case "certificate":
            what = f"{server} is not trusted: its certificate is not valid for this machine"
            hint = f"put its CA into /etc/docker/certs.d/{server}/ca.crt, or use a registry with a valid certificate"
            return Unreachable("registry.certificate", what, where="registry", said=said, now=_NOW, next=hint)
        case "unreachable":
            return Unreachable(
                "registry.unreachable", f"{server} did not answer as it should", where="registry", said=said, now=_NOW,
                next=f"curl -v https://{spec.registry.server or 'registry-1.docker.io'}/v2/",
            )  # fmt: skip
        case _:
            return Unreachable("registry.failed", f"could not {step.title}", where="registry", said=said, now=_NOW,
                               next="docker info")  # fmt: skip


def _all(result: Result) -> str:
    """Return both streams: BuildKit writes to standard error, the classic builder to both."""
    return b"\n".join(filter(None, (result.stdout, result.stderr))).decode("utf-8", "replace")


def _last(said: str) -> str:
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    return "\n".join(lines[-SAID_LINES:])
