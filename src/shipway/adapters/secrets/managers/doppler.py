"""Doppler, by `doppler`.

Arguments: https://docs.doppler.com/docs/cli and https://docs.doppler.com/docs/service-tokens (`me --json`, `login -y`,
`secrets get NAMES --json -p PROJECT -c CONFIG`; a service token `dp.st…` in DOPPLER_TOKEN has one project and config).
"""

from __future__ import annotations

from shipway.adapters.secrets.managers.base import Manager, Wanted, failed, grouped, parse_json, require_names
from shipway.adapters.secrets.programs import Programs


class Doppler:
    """Names are secrets of `--from project/config`, which a service token makes superfluous."""

    title = "Doppler"
    program = "doppler"
    needs_account = False

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return values by bare name."""
        require_names(wanted)
        self._sign_in(programs)
        has_token = programs.environ.get("DOPPLER_TOKEN", "").startswith("dp.st")
        places = grouped(("" if has_token else _place(path), path.rpartition("/")[2]) for path in wanted.paths())
        values: dict[str, str] = {}
        for place, names in places.items():
            project, _, config = place.partition("/")
            flags = ("-p", project, "-c", config) if place else ()
            ran = programs.run(("doppler", "secrets", "get", *names, "--json", *flags))
            what = f"Could not read {', '.join(names)} from Doppler"
            if not ran.ok:
                raise failed(what, ran)
            answer = parse_json(ran.stdout, what)
            for name, item in answer.items() if isinstance(answer, dict) else ():
                values[name] = str(item.get("computed") or "") if isinstance(item, dict) else ""
        return values

    def _sign_in(self, programs: Programs) -> None:
        if programs.run(("doppler", "me", "--json")).ok:
            return
        ran = programs.run(("doppler", "login", "-y"), errors="left")
        if not ran.ok:
            raise failed("Failed to login to Doppler", ran, next="doppler login")


def _place(path: str) -> str:
    match path.split("/"):
        case [project, config, _] if project and config:
            return f"{project}/{config}"
        case _:
            raise failed("Missing project or config from '--from=project/config' option")


_: type[Manager] = Doppler
