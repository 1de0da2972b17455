"""`.kamal/secrets`: a line for every secret that the configuration names, and no value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shipway.scaffold.accessories import Accessories
from shipway.scaffold.variables import Setting
from shipway.scaffold.yaml import comment

_MADE = re.compile(r"(?:^|_)SECRET_KEY$")
_HEAD = (
    "Where the values of the secrets in config/deploy.yml come from: commands and variables, no values, so that this "
    "file may be committed. A password manager: `shipway secrets fetch --help`."
)
_MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(50))' >"


@dataclass(frozen=True, slots=True)
class Stub:
    """The text of the file, and the paths of the files that it reads, each with one secret made at random."""

    text: str
    made: tuple[str, ...]


def write_secrets(settings: Sequence[Setting], accessories: Accessories) -> Stub:
    """Return the stub.

    What nobody gave out (SECRET_KEY, the password of our own database) is a random text in a file of its own; what
    another secret implies is written with it; the rest comes from the operator's environment.
    """
    told = {one.name: one.told for one in settings}
    own = [name for accessory in accessories.all for name in accessory.secret]
    names = [*own, *(name for name in told if name not in own)]
    lines, made = comment(_HEAD), []
    for name in names:
        place = told.get(name) or "the accessory's own"
        if name in accessories.secrets:
            lines += ["", *comment(f"{name}: {place}"), f"{name}={accessories.secrets[name]}"]
        elif name in own or _MADE.search(name):
            path = f".kamal/{name.lower().replace('_', '-')}"
            made.append(path)
            lines += ["", *comment(f"{name}: {place}. Made once: `shipway init --make-secrets`, or")]
            lines += [f"# {_MAKE} {path}", f"{name}=$(cat {path})"]
        else:
            lines += [
                "",
                *comment(f"{name}: {place}. Taken from the environment of whoever deploys."),
                f"{name}=${name}",
            ]
    return Stub("\n".join(lines) + "\n", tuple(made))
