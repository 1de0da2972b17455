"""What was installed on a server goes again, and what a person has made of it meanwhile stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.bare_server import Operator, bare_server
from tests.lab.fixtures import Lab

NUMBER = 34
CONFIG = """\
service: labback
runtime: venv
ssh: {{config: {place}/ssh_config, user: plain}}
state_directory: /srv/shipway
servers: {{web: {{hosts: [{host}]}}}}
proxy: {{host: labback.example, run: {{program: nginx}}}}
accessories:
  cache: {{image: "redis:7", host: {host}}}
"""
THEIRS = """\
echo 'server { listen 8099; return 200 theirs; }' >/etc/nginx/conf.d/theirs.conf && nginx -s reload
"""


@pytest.fixture(scope="module")
def server(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    place = tmp_path_factory.mktemp("back")
    with bare_server(lab, place, NUMBER) as operator:
        (place / "config").mkdir()
        (place / "config/deploy.yml").write_text(CONFIG.format(place=place, host=operator.host.name))
        yield operator


def test_what_was_installed_goes_and_what_is_somebodys_stays(server: Operator) -> None:
    def ask(script: str) -> str:
        return server.host.run("sh", "-c", script).out.strip()

    nothing = server("server", "unbootstrap", "-y")
    assert (nothing.status, "nothing to do" in nothing.out) == (0, True), nothing.err

    made = server("server", "bootstrap")
    assert made.status == 0, made.err
    assert ask("command -v nginx") == "/usr/sbin/nginx"
    assert ask("systemctl is-active nginx docker; ls /etc/nginx/sites-enabled").split() == ["active", "active"]
    assert "docker" in ask("id -nG plain").split()

    assert server.host.run("sh", "-c", THEIRS).status == 0
    refused = server("server", "unbootstrap")
    assert (refused.status, "usage.needs_yes" in refused.err) == (2, True), refused.err
    back = server("server", "unbootstrap", "-y")
    assert back.status == 0, back.err
    assert "nginx-common stay" in back.out
    assert ask("command -v dockerd containerd; id -nG plain; curl -s localhost:8099").split() == ["plain", "theirs"]
    assert ask("test -e /srv/shipway/bootstrap || echo gone") == "gone"
    assert server("server", "exec", "--raw", "id", "-un").out.strip() == "plain", "nobody lost their way in"

    again = server("server", "unbootstrap", "-y")
    assert (again.status, "nothing to do" in again.out) == (0, True), again.err
