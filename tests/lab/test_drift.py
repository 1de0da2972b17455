"""With containers on a server: an approval holds for what was shown, and what drifts behind the team's back is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.lab.docker_site import copy_app
from tests.lab.fixtures import Lab

SERVICE = "shipwaydrift"
HOST = int(os.environ.get("SHIPWAY_LAB_DRIFT_HOST", "1"))
CONFIG = """\
service: {service}
image: test/{service}
registry: {{server: "{server}", username: {user}, password: [REGISTRY_PASSWORD]}}
builder: {{arch: amd64}}
ssh: {{config: {ssh_config}, user: root}}
primary_role: work
servers:
  work: {{hosts: [{host}], cmd: python app.py work, proxy: false}}
readiness_delay: 1
release: {{migrations: manual, approvals: 1}}
"""
CLEAN = (
    'docker ps -aq --filter "label=service=$1" | xargs -r docker rm -f; '
    'docker image ls -q --filter "label=service=$1" | sort -u | xargs -r docker image rm -f; '
    'rm -rf "/var/lib/shipway/$1"'
)


def test_containers_that_drift(lab: Lab, tmp_path: Path) -> None:
    host, facts = lab.host(HOST), lab.registry
    env = {**lab.environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "SHIPWAY_BY": "ann"}

    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)

    def drift() -> tuple[int, list[str]]:
        ran = run(sys.executable, "-P", "-m", "shipway", "drift", "--json")
        assert "findings" in json.loads(ran.stdout), ran.stdout + ran.stderr
        return ran.returncode, [finding["code"] for finding in json.loads(ran.stdout)["findings"]]

    def fingerprint() -> str:
        ran = run(sys.executable, "-P", "-m", "shipway", "plan", "deploy", "--json")
        assert ran.returncode == 0, ran.stderr
        return str(json.loads(ran.stdout)["approval"]["fingerprint"])

    copy_app(tmp_path, SERVICE)
    (tmp_path / "config").mkdir()
    (tmp_path / ".kamal").mkdir()
    values = {"service": SERVICE, "server": facts.server, "user": facts.username, "ssh_config": lab.ssh_config}
    (tmp_path / "config" / "deploy.yml").write_text(CONFIG.format(**values, host=host.name))
    (tmp_path / ".gitignore").write_text(".kamal/secrets\n")
    (tmp_path / ".dockerignore").write_text(".kamal\n.git\n")
    (tmp_path / ".kamal" / "secrets").write_text(f"REGISTRY_PASSWORD={facts.password}\n")
    run("git", "init", "-q")
    run("git", "add", ".")
    run("git", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "Begin")
    host.run("sh", "-c", CLEAN, "sh", SERVICE)
    try:
        agreed = fingerprint()
        refused = run(sys.executable, "-P", "-m", "shipway", "deploy")
        assert (refused.returncode, f"shipway approve {agreed}" in refused.stderr) == (4, True), refused.stderr
        assert fingerprint() == agreed, "an attempt that was refused has built and maybe sent an image"
        words = ("approve", agreed, "--by", "bo", "--reason", "read it")
        approved = run(sys.executable, "-P", "-m", "shipway", *words)
        assert approved.returncode == 0, approved.stderr
        first = run(sys.executable, "-P", "-m", "shipway", "deploy")
        assert first.returncode == 0, first.stderr
        assert drift() == (0, [])
        name = f"{SERVICE}-work-r1"
        host.docker("stop", "-t", "1", name)
        assert drift() == (4, ["drift.not_running", "drift.container"])
        host.docker("start", name)
        assert drift() == (0, [])
        host.run("sh", "-c", 'echo "X=1" >>"$1"', "sh", f"/var/lib/shipway/{SERVICE}/releases/r1/env/work.env")
        assert drift() == (4, ["drift.environment"])
        whole = run(sys.executable, "-P", "-m", "shipway", "audit", "--check")
        assert whole.returncode == 0, whole.stdout
        host.run("sed", "-i", "s/deploy/dep1oy/", f"/var/lib/shipway/{SERVICE}/ledger.jsonl")
        edited = run(sys.executable, "-P", "-m", "shipway", "audit", "--check")
        assert (edited.returncode, "audit.edited" in edited.stdout) == (4, True)
    finally:
        host.run("sh", "-c", CLEAN, "sh", SERVICE)
        tags = lab.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"*/test/{SERVICE}").out.split()
        if tags:
            lab.docker("image", "rm", *tags)
