"""How backups are made, from the configuration."""

import pytest

from shipway.app.backup_spec import backup_of
from shipway.config.load import load_config
from shipway.core.errors import ConfigError
from shipway.runtimes.backup import BackupSpec

BASE = """
service: shop
runtime: venv
servers: [a]
release: {%s}
accessories:
  cache: { image: redis:7, host: a }
"""
DB = "  db: { image: postgis/postgis:16-3.4, host: b }\n"
OTHER = "  old: { image: mariadb:11, host: c }\n"


def spec(release: str, accessories: str = "") -> BackupSpec | None:
    return backup_of(load_config({"config/deploy.yml": BASE % release + accessories}))


def test_without_the_key_there_is_none() -> None:
    assert spec("", DB) is None


def test_the_accessory_is_the_one_that_is_a_database() -> None:
    assert spec("backup: accessory, backup_keep: 7", DB) == BackupSpec(host="b", container="shop-db", keep=7)
    found = spec("backup: accessory, backup_accessory: old", DB + OTHER)
    assert found == BackupSpec(host="c", container="shop-old", server="mysql")


def test_a_command_is_any_other_word() -> None:
    found = spec("backup: pg_dump -Fc, backup_when: always, backup_timeout: 60")
    assert found == BackupSpec(command="pg_dump -Fc", when="always", limit_s=60.0)


@pytest.mark.parametrize(
    ("accessories", "release", "said"),
    [
        ("", "backup: accessory", "needs an accessory"),
        (DB + OTHER, "backup: accessory", "could mean several: db, old"),
        (DB, "backup: accessory, backup_accessory: bd", "there is no accessory `bd`"),
    ],
)
def test_what_cannot_be_meant_is_refused(accessories: str, release: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        spec(release, accessories)
    assert (caught.value.code, caught.value.exit_code) == ("config.backup", 3)
    assert said in caught.value.what
