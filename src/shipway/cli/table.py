"""The verbs, by name: what each does in a line, and the module that is imported when it is called.

`shipway --help` reads this table only, so that it imports no verb and none of their dependencies.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One verb: the heading under which `--help` lists it, and what it does (one line, imperative, no full stop).

    `yields`: Kamal has no such verb, so an alias of the project may have its name, and comes first.
    """

    heading: str
    help: str
    yields: bool = False

    def module(self, name: str) -> str:
        """Return the name of the module that holds the verb `name` as its attribute `command`."""
        return f"shipway.cli.verbs.{name}"


SHIP, LOOK, RUN, CARE, TRY = "Ship", "Look", "Work inside a release", "Care", "Try"
KAMAL = "As in Kamal"

VERBS: dict[str, Entry] = {
    "init": Entry(SHIP, "Write the configuration, Dockerfile and further files of a project"),
    "setup": Entry(SHIP, "Make servers ready, start the accessories, and deploy"),
    "deploy": Entry(SHIP, "Deploy the commit at HEAD"),
    "plan": Entry(SHIP, "Show what a verb would do, and change nothing", yields=True),
    "checklist": Entry(SHIP, "Write the next release down for a person, step by step", yields=True),
    "script": Entry(SHIP, "Write the next release down as a shell script that needs no Shipway", yields=True),
    "redeploy": Entry(SHIP, "Release what serves once more, with today's secrets"),
    "rollback": Entry(SHIP, "Go back to an earlier release"),
    "resume": Entry(SHIP, "Settle a run that was cut short", yields=True),
    "approve": Entry(SHIP, "Agree to a deploy, or to migrations, that wait for somebody else", yields=True),
    "hold": Entry(SHIP, "Stop all deploys to a destination, with a reason", yields=True),
    "unhold": Entry(SHIP, "Let deploys go on after a hold", yields=True),
    "status": Entry(LOOK, "Show what serves on each host", yields=True),
    "verify": Entry(LOOK, "Prove that what users do works in the release that serves", yields=True),
    "releases": Entry(LOOK, "List the releases, newest first", yields=True),
    "audit": Entry(LOOK, "Show who did what, and when, and whether that was changed"),
    "report": Entry(LOOK, "Tell what a run did: as a page, as text, as JSON", yields=True),
    "diff": Entry(LOOK, "Show what differs between two releases", yields=True),
    "logs": Entry(LOOK, "Show the logs of the application", yields=True),
    "doctor": Entry(LOOK, "Tell what is wrong with the project, its servers and what is around them", yields=True),
    "drift": Entry(LOOK, "Tell what changed on the servers since the last run", yields=True),
    "inspect": Entry(LOOK, "Show what the files of a Django project tell about it", yields=True),
    "config": Entry(LOOK, "Show the configuration as Shipway reads it, without secrets"),
    "migrations": Entry(LOOK, "Tell what each pending migration does to the code that serves", yields=True),
    "docs": Entry(LOOK, "Explain the keys of the configuration"),
    "version": Entry(LOOK, "Show the version of Shipway"),
    "exec": Entry(RUN, "Run a command in the release that serves", yields=True),
    "manage": Entry(RUN, "Run manage.py in the release that serves", yields=True),
    "schedule": Entry(RUN, "List, run and read the jobs that run at times of their own", yields=True),
    "ci": Entry(SHIP, "Write the workflow that tests and deploys: GitHub, GitLab, Forgejo", yields=True),
    "secrets": Entry(CARE, "Fetch secrets from a password manager, or print those of the project"),
    "build": Entry(CARE, "Build the image, and look after the builder"),
    "registry": Entry(CARE, "Log in to the registry, or out of it"),
    "lock": Entry(CARE, "Show, take or release the lock on deploys"),
    "accessory": Entry(CARE, "Start, replace, look into or remove PostgreSQL, Redis and the like"),
    "server": Entry(CARE, "Install what servers lack, or run a command on them"),
    "remove": Entry(CARE, "Remove the service from its hosts, with its accessories and their data"),
    "maintenance": Entry(CARE, "Show visitors a maintenance page, or stop doing so", yields=True),
    "prune": Entry(CARE, "Remove old releases from the hosts"),
    "app": Entry(KAMAL, "Start, stop, look at and remove the application"),
    "proxy": Entry(KAMAL, "Start, stop, look at and remove the proxy of hosts"),
    "details": Entry(KAMAL, "Show what serves on each host: `status`"),
    "tree": Entry(KAMAL, "List every verb with those below it"),
    "upgrade": Entry(KAMAL, "Say why there is nothing to upgrade"),
    "demo": Entry(TRY, "Show the whole life of a site on this machine", yields=True),
}
