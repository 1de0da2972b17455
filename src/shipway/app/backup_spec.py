"""How backups are made, from the configuration."""

from __future__ import annotations

from collections.abc import Mapping

from shipway.config.model import Accessory, Config
from shipway.core.errors import ConfigError
from shipway.runtimes.backup import BackupSpec, Server
from shipway.runtimes.docker.accessory_ready import kind_of

ACCESSORY = "accessory"
_SERVERS: Mapping[str, Server] = {"postgres": "postgresql", "mysql": "mysql"}


def backup_of(config: Config) -> BackupSpec | None:
    """Return how backups are made, None where none are. Raises ConfigError `config.backup`."""
    policy = config.release
    if not policy.backup:
        return None
    about = (policy.backup_when, policy.backup_keep, float(policy.backup_timeout))
    if policy.backup != ACCESSORY:
        return BackupSpec(policy.backup, "", "", "postgresql", *about)
    accessory = _accessory(config)
    server = _SERVERS.get(kind_of(accessory.image), "postgresql")
    return BackupSpec("", accessory.hosts[0], accessory.service, server, *about)


def _accessory(config: Config) -> Accessory:
    """Return the accessory that has the database."""
    known = [one for one in config.accessories if kind_of(one.image) in _SERVERS and one.hosts]
    wanted = config.release.backup_accessory
    found = [one for one in config.accessories if one.name == wanted and one.hosts] if wanted else known
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in known)
    if wanted:
        what, help_line = f"there is no accessory `{wanted}`", f"there are: {names}" if names else ""
    elif known:
        what = f"`backup: accessory` could mean several: {names}"
        help_line = f"write `backup_accessory: {known[0].name}` beside it"
    else:
        what = "`backup: accessory` needs an accessory that is PostgreSQL, MySQL or MariaDB"
        help_line = "write the command that prints a backup instead, such as `backup: pg_dump --format=custom`"
    raise ConfigError("config.backup", what, where="release/backup", next=help_line)
