"""`shipway doctor` on a project in git whose only host is this machine, and its output and exit codes."""

import pytest

from shipway.checks.table import all_checks
from tests.cli.conftest import SECRET, Project

HEALTHY = """\
import os
SECRET_KEY = os.environ["SECRET_KEY"]
LOG_LEVEL = os.environ.get("LOG_LEVEL")
DEBUG = False
ALLOWED_HOSTS = ["shop.example.org"]
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.write("shop/__init__.py", "")
    project.write("shop/settings.py", HEALTHY)
    project.write("requirements.txt", "django==5.2.1\n")
    (project.directory / ".kamal/secrets").chmod(0o600)
    return project


def codes(answer) -> list[str]:
    return [finding["code"] for finding in answer.json["findings"] if finding["part"] == "project"]


def test_a_healthy_project_has_nothing(shop: Project) -> None:
    answer = shop("doctor", "--only", "project")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Project: nothing found\n")
    assert "nothing is wrong" in answer.out


def test_an_error_is_exit_code_4(shop: Project) -> None:
    shop.write("shop/settings.py", HEALTHY.replace("DEBUG = False", "DEBUG = True"))
    answer = shop("doctor", "--offline", "-v")
    assert answer.code == 4
    assert "error[project.debug]" in answer.out
    assert "shop/settings.py:4" in answer.out
    assert "why  " in answer.out
    assert "Servers: not looked at (--offline)" in answer.out


def test_json_has_everything(shop: Project) -> None:
    shop.write("shop/settings.py", HEALTHY + "MEDIA_ROOT = 'media'\n")
    answer = shop("doctor", "--only", "project", "--json")
    assert answer.code == 0
    (finding,) = answer.json["findings"]
    assert finding["code"] == "project.media"
    assert finding["level"] == "warning"
    assert finding["where"] == "shop/settings.py:6"
    assert finding["why"]
    assert finding["next"]
    assert answer.json["ok"] is True
    assert answer.json["left_out"] == {"servers": "not asked for", "outside": "not asked for"}


def test_this_machine_as_a_server(shop: Project) -> None:
    before = sorted(shop.state.parent.rglob("*"))
    answer = shop("doctor", "--only", "servers", "--json", "--min-free", "0")
    assert "server.unanswered" not in answer.out
    assert {finding["part"] for finding in answer.json["findings"]} <= {"servers"}
    full = shop("doctor", "--only", "servers", "--json", "--min-free", "1000000")
    assert full.code == 4
    assert "server.disk" in [finding["code"] for finding in full.json["findings"]]
    assert sorted(shop.state.parent.rglob("*")) == before


def test_what_the_servers_cannot_reach(shop: Project) -> None:
    text = (shop.directory / "config/deploy.yml").read_text()
    # Port 1 is tcpmux, which nobody runs; the secret is a password in a URL.
    shop.write("config/deploy.yml", text.replace("[SECRET_KEY]", "[SECRET_KEY, DATABASE_URL]"))
    shop.write(".kamal/secrets", "SECRET_KEY=$(cat .kamal/key)\nDATABASE_URL=postgres://shop:hunter22@127.0.0.1:1/x\n")
    answer = shop("doctor", "--only", "outside", "--json")
    assert answer.code == 4
    found = {finding["code"]: finding for finding in answer.json["findings"]}
    assert "127.0.0.1:1" in found["outside.service_unreachable"]["what"]
    assert "hunter22" not in answer.out + answer.err
    assert SECRET not in answer.out + answer.err


def test_fix_mends_files_and_only_those_it_says(shop: Project) -> None:
    shop.write(".gitignore", "*.pyc\n")
    (shop.directory / ".kamal/secrets").chmod(0o644)
    answer = shop("doctor", "--only", "project", "--json")
    assert codes(answer) == ["project.not_ignored", "secrets.world_readable"]
    fixed = shop("doctor", "--only", "project", "--fix", "--json")
    assert codes(fixed) == []
    assert len(fixed.json["fixed"]) == 2
    assert (shop.directory / ".gitignore").read_text().startswith("*.pyc\n")
    assert "/.kamal/key" in (shop.directory / ".gitignore").read_text()
    assert (shop.directory / ".kamal/secrets").stat().st_mode & 0o777 == 0o600
    again = shop("doctor", "--only", "project", "--fix", "--json")
    assert again.json["fixed"] == []


def test_a_missing_secret_is_a_finding(shop: Project) -> None:
    shop.write(".kamal/secrets", "OTHER=$(true)\n")
    answer = shop("doctor", "--only", "project", "--json")
    assert answer.code == 4
    assert "secrets.missing" in codes(answer)


def test_without_a_configuration(shop: Project) -> None:
    (shop.directory / "config/deploy.yml").unlink()
    answer = shop("doctor", "--json")
    assert answer.code == 0
    assert codes(answer)[0] == "project.no_config"
    assert answer.json["left_out"] == {
        "servers": "there is no configuration",
        "outside": "there is no configuration",
    }
    assert shop("doctor", "-c", "nowhere.yml").code == 3


def test_a_host_that_is_none(shop: Project) -> None:
    assert shop("doctor", "--hosts", "nobody").code == 2


def test_list_shows_every_check(shop: Project) -> None:
    text = shop("doctor", "--list")
    table = shop("doctor", "--list", "--json")
    assert text.code == table.code == 0
    for _, check in all_checks():
        assert check.code in text.out
    assert [row["code"] for row in table.json] == [check.code for _, check in all_checks()]
