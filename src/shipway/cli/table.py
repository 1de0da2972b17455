"""The verbs, by name: what each does in a line, and the module that is imported when it is called.

`shipway --help` reads this table only, so that it imports no verb and none of their dependencies.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One verb: the heading under which `--help` lists it, and what it does (one line, imperative, no full stop)."""

    heading: str
    help: str

    def module(self, name: str) -> str:
        """Return the name of the module that holds the verb `name` as its attribute `command`."""
        return f"shipway.cli.verbs.{name}"


SHIP, LOOK, RUN, CARE, TRY = "Ship", "Look", "Work inside a release", "Care", "Try"

VERBS: dict[str, Entry] = {
    "init": Entry(SHIP, "Write the configuration, Dockerfile and further files of a project"),
    "setup": Entry(SHIP, "Make servers ready, start the accessories, and deploy"),
    "deploy": Entry(SHIP, "Deploy the commit at HEAD"),
    "plan": Entry(SHIP, "Show what a verb would do, and change nothing"),
    "rollback": Entry(SHIP, "Go back to an earlier release"),
    "resume": Entry(SHIP, "Settle a run that was cut short"),
    "status": Entry(LOOK, "Show what serves on each host"),
    "releases": Entry(LOOK, "List the releases, newest first"),
    "audit": Entry(LOOK, "Show who did what, and when"),
    "logs": Entry(LOOK, "Show the logs of the application"),
    "inspect": Entry(LOOK, "Show what the files of a Django project tell about it"),
    "config": Entry(LOOK, "Show the configuration as Shipway reads it, without secrets"),
    "migrations": Entry(LOOK, "Tell what each pending migration does to the code that serves"),
    "version": Entry(LOOK, "Show the version of Shipway"),
    "exec": Entry(RUN, "Run a command in the release that serves"),
    "manage": Entry(RUN, "Run manage.py in the release that serves"),
    "secrets": Entry(CARE, "Fetch secrets from a password manager, or print those of the project"),
    "build": Entry(CARE, "Build the image, and look after the builder"),
    "registry": Entry(CARE, "Log in to the registry, or out of it"),
    "lock": Entry(CARE, "Show, take or release the lock on deploys"),
    "accessory": Entry(CARE, "Start, replace, look into or remove PostgreSQL, Redis and the like"),
    "server": Entry(CARE, "Install what servers lack, or run a command on them"),
    "maintenance": Entry(CARE, "Show visitors a maintenance page, or stop doing so"),
    "prune": Entry(CARE, "Remove old releases from the hosts"),
    "demo": Entry(TRY, "Show the whole life of a site on this machine"),
}
