"""What every hook is told about a call of `shipway`, as Kamal tells it."""

from __future__ import annotations

import getpass
from collections.abc import Mapping

from shipway.adapters.clock import SystemClock
from shipway.adapters.git import user_email
from shipway.app.call import Caller, Choice
from shipway.app.select import select
from shipway.app.service import Service
from shipway.core.errors import ConfigError


def hook_facts(service: Service, choice: Choice, caller: Caller) -> Mapping[str, str]:
    """Return the variables, without the tool's name before them. Git and the clock are asked now."""
    config = service.config
    command, *sub = caller.command or ("",)
    facts = {
        "RECORDED_AT": SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "PERFORMER": user_email(service.directory) or _user(),
        "VERSION": _version(service),
        "SERVICE": config.service,
        "HOSTS": ",".join(select(choice.hosts, config.hosts, "host")),
        "LOCK": "false",
        "COMMAND": command,
    }
    if config.destination:
        facts["DESTINATION"] = config.destination
    if choice.roles:
        facts["ROLES"] = ",".join(select(choice.roles, [role.name for role in config.roles], "role"))
    if sub:
        facts["SUBCOMMAND"] = sub[0]
    return facts


def _version(service: Service) -> str:
    try:
        return service.tree.version
    except ConfigError:  # looking at what serves needs no commit
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody without a name"
