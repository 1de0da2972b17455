"""Who logs in where the project's configuration names nobody: a default that the user's SSH configuration wins over."""

from __future__ import annotations

import subprocess
from dataclasses import replace

from shipway.adapters.ssh_settings import SshSettings

_NOBODY = "shipway-names-nobody"
_LIMIT_S = 10.0
# ssh_config(5): the files that the client reads by itself, in that order.
_USUAL = ("~/.ssh/config", "/etc/ssh/ssh_config")


def with_default_user(settings: SshSettings, host: str) -> SshSettings:
    """Return `settings` with the user who logs in on `host`, where the default one is to."""
    if settings.user is not None or settings.default_user is None or _is_named(settings, host):
        return settings
    return replace(settings, user=settings.default_user)


def _is_named(settings: SshSettings, host: str) -> bool:
    """Return whether the SSH configuration names a user for `host`.

    The client is asked (`ssh -G`), since only it knows what its files mean. For an option the first value counts: a
    name that stands after all files comes back where none of them has one.
    """
    files = _USUAL if settings.config_files is None else settings.config_files
    text = "".join(f'Include "{file}"\n' for file in files) + f"Match all\nUser {_NOBODY}\n"
    argv = (settings.program, "-G", "-F", "/dev/stdin", "--", host)
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return False  # connecting will tell what is wrong
    return done.returncode == 0 and f"user {_NOBODY}" not in done.stdout.lower().splitlines()
