"""The password managers, by the names that `secrets fetch --adapter` takes (Kamal's)."""

from __future__ import annotations

from difflib import get_close_matches

from shipway.adapters.secrets.managers.aws_secrets_manager import AwsSecretsManager
from shipway.adapters.secrets.managers.base import Manager, Wanted
from shipway.adapters.secrets.managers.bitwarden import Bitwarden
from shipway.adapters.secrets.managers.bitwarden_sm import BitwardenSecretsManager
from shipway.adapters.secrets.managers.doppler import Doppler
from shipway.adapters.secrets.managers.enpass import Enpass
from shipway.adapters.secrets.managers.gcp_secret_manager import GcpSecretManager
from shipway.adapters.secrets.managers.last_pass import LastPass
from shipway.adapters.secrets.managers.one_password import OnePassword
from shipway.adapters.secrets.managers.passbolt import Passbolt
from shipway.adapters.secrets.managers.reversing import Reversing
from shipway.adapters.secrets.programs import Programs
from shipway.core.errors import ConfigError

MANAGERS: dict[str, type[Manager]] = {
    "1password": OnePassword,
    "one_password": OnePassword,
    "lastpass": LastPass,
    "last_pass": LastPass,
    "bitwarden": Bitwarden,
    "bitwarden-sm": BitwardenSecretsManager,
    "bitwarden_secrets_manager": BitwardenSecretsManager,
    "aws_secrets_manager": AwsSecretsManager,
    "gcp": GcpSecretManager,
    "gcp_secret_manager": GcpSecretManager,
    "doppler": Doppler,
    "enpass": Enpass,
    "passbolt": Passbolt,
    "test": Reversing,
}


def fetch(adapter: str, wanted: Wanted, programs: Programs) -> dict[str, str]:
    """Return what the password manager named `adapter` holds of `wanted`.

    Raises ConfigError: `secrets.unknown_adapter`, `secrets.missing_account`, `secrets.missing_cli`, or
    `secrets.fetch_failed` with what the manager said.
    """
    known = MANAGERS.get(adapter.lower())
    if known is None:
        near = get_close_matches(adapter.lower(), MANAGERS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(MANAGERS)}"
        raise ConfigError("secrets.unknown_adapter", f"Unknown secrets adapter: {adapter}", next=hint)
    manager = known()
    if manager.needs_account and not wanted.account:
        raise ConfigError(
            "secrets.missing_account",
            "No value provided for required options '--account'",
            next=f"add `--account …`: {manager.title} is asked as somebody",
        )
    if manager.program and programs.find(manager.program) is None:
        raise ConfigError(
            "secrets.missing_cli",
            f"{manager.title} CLI is not installed",
            next=f"install it so that `{manager.program} --version` answers",
        )
    return manager.fetch(wanted, programs)
