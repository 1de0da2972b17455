"""A server with nothing on it becomes ready, and its accessories live: with the command itself, over SSH."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.bare_server import Operator, bare_server
from tests.lab.fixtures import Lab

CONFIG = """\
service: labshop
runtime: venv
ssh: {{config: {place}/ssh_config, user: plain}}
state_directory: /srv/shipway
accessories:
  db:
    image: postgres:16
    host: {host}
    env:
      clear: {{POSTGRES_USER: shop}}
      secret: [POSTGRES_PASSWORD, PEM]
    files:
      - {{local: config/first.sql.erb, remote: /docker-entrypoint-initdb.d/first.sql, mode: "0644", owner: "7:7"}}
    directories: [data:/var/lib/postgresql/data]
  cache: {{image: "redis:7", host: {host}, port: "127.0.0.1:6379:6379"}}
"""
PASSWORD = "s3cret-of-the-lab"
PEM = "-----BEGIN KEY-----\nline one\n-----END KEY-----"


@pytest.fixture(scope="module")
def shop(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    place = tmp_path_factory.mktemp("shop")
    with bare_server(lab, place) as operator:
        (place / "config").mkdir()
        (place / "config/deploy.yml").write_text(CONFIG.format(place=place, host=operator.host.name))
        (place / "config/first.sql.erb").write_text("create table <%= ENV['POSTGRES_USER'] %>_table (a int);\n")
        (place / ".kamal").mkdir()
        (place / ".kamal/secrets").write_text(f'POSTGRES_PASSWORD={PASSWORD}\nPEM="{PEM}"\n')
        (place / ".kamal/secrets").chmod(0o600)
        yield operator


def query(shop: Operator, sql: str) -> str:
    answer = shop("accessory", "exec", "db", "--reuse", "--raw", "--", "psql", "-U", "shop", "-tAc", sql)
    assert answer.status == 0, answer.err
    return answer.out.strip()


def test_a_bare_server_becomes_ready_and_its_accessories_live(shop: Operator, lab: Lab) -> None:
    assert shop.host.run("sh", "-c", "command -v docker").status != 0
    first = shop("setup")
    assert first.status == 0, first.err
    assert "let plain use Docker" in first.err
    assert "wait until PostgreSQL in labshop-db answers" in first.err
    assert query(shop, "select count(*) from shop_table") == "0"
    assert shop.host.run("stat", "-c", "%U", "/srv/shipway").out.strip() == "plain"

    again = shop("setup")
    assert again.status == 0, again.err
    assert "nothing to do: setup" in again.out

    file = "/home/plain/labshop-db/docker-entrypoint-initdb.d/first.sql"
    assert shop.host.run("stat", "-c", "%a %u:%g", file).out.strip() == "644 7:7"
    assert shop.host.docker("exec", "labshop-db", "printenv", "PEM").out.rstrip("\n") == PEM
    assert PASSWORD not in shop.host.run("sh", "-c", "cat /proc/[0-9]*/cmdline; cat /srv/shipway/labshop/runs/*").out

    query(shop, "insert into shop_table values (7)")
    rebooted = shop("accessory", "reboot", "db", "-y")
    assert rebooted.status == 0, rebooted.err
    assert query(shop, "select a from shop_table") == "7"

    change(shop, "image: postgres:16", "image: postgres:16\n    cmd: 'false'")
    failed = shop("accessory", "reboot", "db", "-y")
    assert failed.status == 10
    assert "everything was taken back" in failed.err
    assert query(shop, "select a from shop_table") == "7"
    row = next(row for row in json.loads(shop("accessory", "details", "--json").out) if row["name"] == "db")
    assert "not what the configuration says" in row["drift"]
    change(shop, "\n    cmd: 'false'", "")

    assert shop("accessory", "exec", "cache", "--reuse", "redis-cli", "ping").out.splitlines()[-1] == "PONG"
    assert shop("accessory", "remove", "db", "-y").status == 0
    assert shop.host.run("test", "-e", "/home/plain/labshop-db").status == 1
    assert shop.host.docker("ps", "--format", "{{.Names}}").out.split() == ["labshop-cache"]

    registry = f"registry: {{server: '{lab.registry.server}', username: shipway, password: [POSTGRES_PASSWORD]}}"
    change(shop, "  cache: ", f"  other: {{image: private, host: {shop.host.name}, {registry}}}\n  cache: ")
    answer = shop("accessory", "boot", "other")
    assert answer.status in (5, 10), answer.err
    assert "registry.denied" in answer.err or "registry" in answer.err
    assert PASSWORD not in answer.err + answer.out


def change(shop: Operator, old: str, new: str) -> None:
    path = Path(shop.directory, "config/deploy.yml")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
