"""`shipway ci init`: a file for each provider, by the provider's own schema; kept when it is there."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from shipway.cli.main import main
from tests.absent import absent

CONFIG = """\
service: shop
runtime: {runtime}
image: acme/shop
registry: {{server: registry.example, username: acme, password: [REGISTRY_PASSWORD]}}
builder: {{arch: amd64}}
servers: [192.0.2.7]
proxy: {{host: shop.example}}
env: {{secret: [SECRET_KEY, DATABASE_URL]}}
django: {{settings: shop.settings, wsgi: shop.wsgi}}
"""
SECRETS = (
    "SECRET_KEY=$SECRET_KEY\nREGISTRY_PASSWORD=${REGISTRY_PASSWORD}\nDATABASE_URL=$(op read op://shop/url)\n"
    "HALF=a\nWHOLE=$HALF-b\nPLAIN='$5'\n"
)
FILES = {
    "github": (".github/workflows/deploy.yml", "vendor.github-workflows"),
    "forgejo": (".forgejo/workflows/deploy.yml", "vendor.github-workflows"),
    "gitlab": (".gitlab-ci.yml", "vendor.gitlab-ci"),
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "config/deploy.yml": CONFIG.format(runtime="docker"), "config/deploy.production.yml": "{}\n",
        "config/deploy.staging.yml": "{}\n", ".kamal/secrets": SECRETS, "manage.py": "", "uv.lock": "version = 1\n",
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django==5.2", "pytest-django"]\n',
        "shop/settings.py": "SECRET_KEY = 'x'\n", "shop/wsgi.py": "application = 1\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(provider: str, place: Path) -> dict:  # type: ignore[type-arg]
    assert main(["ci", "init", provider]) == 0
    found = yaml.safe_load((place / FILES[provider][0]).read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("runtime", ["docker", "venv"])
@pytest.mark.parametrize("provider", FILES)
def test_the_schema_of_the_provider(shop: Path, provider: str, runtime: str):
    (shop / "config" / "deploy.yml").write_text(CONFIG.format(runtime=runtime))
    written(provider, shop)
    if importlib.util.find_spec("check_jsonschema") is None:
        absent("check-jsonschema is missing")
    path, schema = FILES[provider]
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(shop / path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_jobs_for_github(shop: Path):
    jobs = written("github", shop)["jobs"]
    assert list(jobs) == ["test", "staging", "production"]
    assert [jobs[name].get("needs") for name in jobs] == [None, "test", "staging"]
    assert [jobs[name].get("environment") for name in jobs] == [None, "staging", "production"]
    deploy = {
        name: next(s for s in jobs[name]["steps"] if s.get("name", "").startswith("Deploy")) for name in list(jobs)[1:]
    }
    assert deploy["staging"]["run"] == "shipway deploy -d staging --json >release-report.jsonl"
    assert '--version "$GITHUB_SHA"' in deploy["production"]["run"], "what was verified is what is released"
    names = ("REGISTRY_PASSWORD", "SECRET_KEY")
    assert deploy["production"]["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in names}
    assert "uv run pytest" in jobs["test"]["steps"][-1]["run"]


def test_only_one_deploy_at_a_time_and_only_after_approval(shop: Path):
    assert written("github", shop)["concurrency"] == {"group": "deploy-shop", "cancel-in-progress": False}
    gitlab = written("gitlab", shop)
    assert gitlab["deploy-production"]["resource_group"] == gitlab["deploy-staging"]["resource_group"]
    assert gitlab["deploy-production"]["rules"][0]["when"] == "manual"
    assert "when" not in gitlab["deploy-staging"]["rules"][0]
    forgejo = written("forgejo", shop)["jobs"]
    assert "workflow_dispatch" in forgejo["production"]["if"]


@pytest.mark.parametrize("provider", FILES)
def test_no_unknown_key_is_accepted(shop: Path, provider: str):
    written(provider, shop)
    text = (shop / FILES[provider][0]).read_text()
    assert "StrictHostKeyChecking" not in text
    assert "SSH_KNOWN_HOSTS" in text
    assert not any("ssh-keyscan" in line for line in text.splitlines() if not line.lstrip().startswith("#"))


def test_a_secret_that_a_command_makes_is_told(shop: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["ci", "init", "github", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [(one["code"], one["where"]) for one in found] == [("ci.secret_elsewhere", ".kamal/secrets:3")]


def test_a_file_that_is_there_is_kept(shop: Path, capsys: pytest.CaptureFixture[str]):
    mine = shop / ".gitlab-ci.yml"
    mine.write_text("mine: {script: [true]}\n")
    assert main(["ci", "init", "gitlab"]) == 0
    assert mine.read_text() == "mine: {script: [true]}\n"
    assert main(["ci", "init", "gitlab", "--diff"]) == 0
    assert "-mine: {script: [true]}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"report": {"verb": "deploy", "release": "r2", "base": "r1", "outcome": "done", "took_s": 8.2,
                     "version": "c0ffee", "run": "x", "serving": [], "notes": ["x"]}},
         "## deploy r2 over r1: done in 8 s"),
        ({"error": {"what": "could not start web", "code": "step.failed", "where": "", "now": "r1 serves", "next": "",
                    "said": "```no"}}, "## could not start web"),
        ({}, "## Shipway ended without a report"),
    ],
)  # fmt: skip
def test_the_summary(shop: Path, line: dict[str, object], expected: str):
    steps = written("github", shop)["jobs"]["staging"]["steps"]
    script = next(step["run"] for step in steps if step.get("name") == "Report")
    (shop / "release-report.jsonl").write_text(json.dumps({"event": "run.begin"}) + "\n" + json.dumps(line) + "\n")
    summary = shop / "summary"
    env = {"GITHUB_STEP_SUMMARY": str(summary), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-ec", script], cwd=shop, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert summary.read_text().startswith(expected)
