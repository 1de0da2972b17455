"""The steps that remove an accessory from its host, with its data. Nothing of them can be taken back."""

from __future__ import annotations

import re

from shipway.core.action import Command
from shipway.core.step import Step
from shipway.runtimes.docker import accessory_scripts as scripts
from shipway.runtimes.docker.accessory import AccessorySpec
from shipway.runtimes.docker.accessory_steps import script

_LIMIT_S = 600.0
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
IMAGE_SCRIPT = (  # an image that another container uses stays, and so does one that has other names
    'docker image inspect -- "$1" >/dev/null 2>&1 || exit 0; said=$(docker image rm -- "$1" 2>&1) ||'
    ' case $said in *"is being used"*|*"is using its"*) exit 0;; *) printf "%s\\n" "$said" >&2; exit 1;; esac'
)
DATA_SCRIPT = (  # what a database wrote belongs to its own user: $3 is "" for root, who needs no sudo for that
    '[ ! -e "$1" ] || rm -rf -- "$1" 2>/dev/null || [ ! "$3" ] || sudo -n rm -rf -- "$1";'
    ' [ ! -e "$1" ] && rm -f -- "$2"'
)
DATA_GONE_SCRIPT = '[ ! -e "$1" ] && [ ! -e "$2" ]'


def remove_steps(spec: AccessorySpec) -> tuple[Step, ...]:
    """Return: the container, its image, its directory with all data below it, and its environment.

    Raises ValueError for a name that is more than one part of a path. What is mounted from elsewhere stays: named
    volumes, and directories with an absolute path.
    """
    if not _SAFE_NAME.match(spec.container) or not spec.data.endswith(f"/{spec.container}"):
        raise ValueError(f"`{spec.container}` cannot name a directory that is removed")
    sudo = "" if spec.is_root else "yes"
    data = ("sh", "-c", DATA_SCRIPT, "sh", spec.data, spec.env_file, sudo)
    return (
        _step(
            spec,
            "remove-container",
            f"stop and remove {spec.container}",
            script(scripts.REMOVE_SCRIPT, spec.container, spec.aside, limit_s=_LIMIT_S),
            script(scripts.IS_GONE_SCRIPT, spec.container, spec.aside),
        ),
        _step(spec, "remove-image", f"remove the image {spec.image}", script(IMAGE_SCRIPT, spec.image), None),
        _step(
            spec,
            "remove-data",
            f"DELETE {spec.data} with all data of {spec.name}",
            Command(data, limit_s=_LIMIT_S),
            script(DATA_GONE_SCRIPT, spec.data, spec.env_file),
        ),
    )


def _step(spec: AccessorySpec, verb: str, title: str, do: Command, done: Command | None) -> Step:
    return Step(
        id=f"{spec.host}/{verb}-{spec.name}",
        title=title,
        host=spec.host,
        do=(do,),
        done=done,
        repeatable=True,
    )
