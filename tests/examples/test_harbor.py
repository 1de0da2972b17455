"""The example is a real project: its own tests and checks pass, and each version is as good or bad as it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shipway.app.demo.project import Place, unpack

CHECK = """
import json, django
from django.core.management import call_command
from django.test import Client
call_command("makemigrations", check=True, dry_run=True, verbosity=0)
call_command("migrate", verbosity=0)
response = Client(raise_request_exception=False, SERVER_NAME="localhost").get("/up")
print(json.dumps([response.status_code, response["X-Release"]]))
"""


@pytest.fixture
def project(tmp_path):
    return unpack(tmp_path / "harbor", Place(str(tmp_path), 8123))


def django(path: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "SECRET_KEY": "x" * 60 + "abcdefgh", **env}
    command = [sys.executable, "-W", "error::DeprecationWarning:harbor", "manage.py", *words]
    return subprocess.run(command, cwd=path, env=env, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(("version", "status"), [("first", 200), ("crew", 200), ("unhealthy", 500), ("pilots", 503)])
def test_each_version_has_its_migrations_and_is_as_healthy_as_it_says(project, version, status):
    project.commit(version)
    done = django(project.path, "shell", "--no-imports", "-c", CHECK, SHIPWAY_RELEASE="r9", LOG_LEVEL="CRITICAL")
    assert json.loads((done.stdout.splitlines() or ["0"])[-1]) == [status, "r9"], done.stderr


def test_the_version_that_does_not_boot_migrates_all_the_same(project):
    project.commit("no-boot")
    assert django(project.path, "check").returncode == 0
    assert "harbour_pilot_sdk" in django(project.path, "shell", "--no-imports", "-c", "import harbor.wsgi").stderr


@pytest.mark.parametrize("version", ["first", "crew"])
def test_the_tests_of_the_example_pass(project, version):
    project.commit(version)
    done = django(project.path, "test", "--verbosity", "0")
    assert done.returncode == 0, done.stderr


def test_deployment_checks_find_nothing_with_tls_and_only_tls_without(project):
    project.commit("first")
    assert "no issues" in django(project.path, "check", "--deploy", HTTPS="1").stdout
    without = django(project.path, "check", "--deploy")
    codes = {word.strip("()") for word in without.stderr.split() if word.startswith("(security.")}
    assert codes == {"security.W004", "security.W008", "security.W012", "security.W016"}


def test_settings_need_a_secret_key(project):
    project.commit("first")
    done = django(project.path, "check", SECRET_KEY="")
    assert "Set SECRET_KEY" in done.stderr
    assert django(project.path, "check", SECRET_KEY="", DEBUG="1").returncode == 0
