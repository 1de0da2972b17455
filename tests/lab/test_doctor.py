"""`shipway doctor` on a server of its own: nothing wrong with a healthy one, and each thing that is broken is found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.bare_server import Operator, own_servers
from tests.lab.fixtures import Lab

NUMBER = 29
CONFIG = """\
service: labdoctor
image: test/labdoctor
registry: {{server: "{server}", username: {user}, password: [REGISTRY_PASSWORD]}}
builder: {{arch: amd64}}
ssh: {{config: {place}/ssh_config, user: root}}
servers: {{web: {{hosts: [{host}], cmd: python app.py serve 8000}}}}
proxy: {{host: {address}, app_port: 8000, ssl: false}}
env: {{clear: {{REDIS_URL: "redis://labdoctor-cache:6379/0"}}, secret: [DATABASE_URL]}}
accessories:
  cache: {{image: "redis:7", host: {host}}}
"""
PASSWORD = "word-of-the-lab-7"
# Whoever asks for the time gets one that is a minute ahead; nothing else is changed.
FAST_CLOCK = """\
printf '#!/bin/sh\\n[ "$*" != +%%s ] || set -- -d "+60 seconds" +%%s\\nexec /bin/date "$@"\\n' >/usr/local/bin/date
chmod +x /usr/local/bin/date
"""
WRECK = f"""
mkdir -p /var/lib/shipway/labdoctor/lock /var/lib/shipway/labdoctor/releases/r7
echo '{{"who":"ann","from":"desk","run":"20260101-000000-abcd","token":"abcdef123456"}}' \
  >/var/lib/shipway/labdoctor/lock/held
touch -d '-1 hour' /var/lib/shipway/labdoctor/lock/held
docker stop --time 1 labdoctor-cache
systemd-run --quiet python3 -m http.server 80
{FAST_CLOCK}
"""


@pytest.fixture(scope="module")
def clinic(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    place = tmp_path_factory.mktemp("clinic")
    with own_servers(lab, place, (NUMBER,), bare=False) as (host,):
        operator = Operator(host, place, {**os.environ, **lab.environment})
        write(operator, lab, registry_password=lab.registry.password)
        booted = operator("accessory", "boot", "cache")
        assert booted.status == 0, booted.err
        yield operator


def write(operator: Operator, lab: Lab, *, registry_password: str) -> None:
    place, host = operator.directory, operator.host
    values = {"server": lab.registry.server, "user": lab.registry.username, "place": place}
    (place / "config").mkdir(exist_ok=True)
    (place / "config/deploy.yml").write_text(CONFIG.format(**values, host=host.name, address=host.address))
    secrets = Path(place, ".kamal/secrets")
    secrets.parent.mkdir(exist_ok=True)
    url = f"postgres://shop:{PASSWORD}@{host.address}:22/shop"  # what answers there is no database, but it answers
    secrets.write_text(f"REGISTRY_PASSWORD={registry_password}\nDATABASE_URL={url}\n")
    secrets.chmod(0o600)


def doctor(operator: Operator, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    answer = operator("doctor", "--only", "servers", "--only", "outside", "--json", *words)
    assert PASSWORD not in answer.out + answer.err
    return answer.status, {one["code"]: one for one in json.loads(answer.out)["findings"]}


def test_a_healthy_server_has_no_error_and_a_broken_one_has_each(clinic: Operator, lab: Lab) -> None:
    status, found = doctor(clinic)
    assert status == 0, found
    assert {one["level"] for one in found.values()} <= {"warning", "info"}
    assert not {"server.clock", "server.leftovers", "lock.stale", "outside.dns_elsewhere"} & set(found)

    assert clinic.host.run("sh", "-c", WRECK).status == 0
    write(clinic, lab, registry_password="another-word")
    status, found = doctor(clinic, "--min-free", "100000")
    assert status == 4
    assert {
        "server.port_taken",
        "server.disk",
        "server.clock",
        "server.leftovers",
        "server.accessory_down",
        "lock.stale",
        "outside.service_unreachable",
        "outside.registry_login",
    } <= set(found)
    assert "python3" in found["server.port_taken"]["what"]
    assert "s ahead of this machine's" in found["server.clock"]["what"]
    assert "labdoctor-cache:6379" in found["outside.service_unreachable"]["what"]

    assert clinic.host.run("systemctl", "stop", "docker.socket", "docker").status == 0
    status, found = doctor(clinic)
    assert status == 4
    assert "docker.stopped" in found
    assert clinic.host.run("systemctl", "stop", "ssh.socket", "ssh").status in (0, 5)
    status, found = doctor(clinic)
    assert status == 4
    assert [code for code in found if code.startswith("ssh.")]
