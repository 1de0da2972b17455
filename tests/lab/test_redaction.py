"""Secret values, planted wherever containers can have one, are found nowhere but where they are used.

The project is the application of the lab with an accessory, on one server; `tests/live/test_redaction.py` is the same
for virtualenvs.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.bare_server import own_servers
from tests.lab.docker_site import copy_app
from tests.lab.fault_site import FaultSite, forget_images
from tests.lab.fixtures import Lab, LabHost
from tests.live.site import Ran
from tests.live.test_redaction import Watch

SERVICE = "shipwaysecretive"
SECRETS = {
    "TOKEN": "plain-Zq7vKx19-of-the-application",
    "QUOTED": 'it\'s "quoted" $HOME \\ end-Wm3Jd2',
    "LINES": "first-line-of-a-key-Yt55ab\nsecond-line-of-a-key-Yt66cd",
    "BUILD_TOKEN": "only-to-build-Bc82kd",
    "CACHE_TOKEN": "only-for-the-cache-Hn47xs",
}
MARKS = ("Zq7vKx19", "end-Wm3Jd2", "Yt55ab", "Yt66cd", "Bc82kd", "Hn47xs")
CONFIG = """\
service: {service}
image: test/{service}
registry: {{server: "{server}", username: {user}, password: "{password}"}}
builder: {{arch: amd64, secrets: [BUILD_TOKEN]}}
ssh: {{config: {ssh_config}, user: root}}
servers:
  worker: {{hosts: [{host}], cmd: python app.py work, proxy: false}}
primary_role: worker
env: {{clear: {{MODE: plain}}, secret: [TOKEN, QUOTED, LINES]}}
accessories:
  cache: {{image: "redis:7", host: {host}, env: {{secret: [CACHE_TOKEN]}}}}
readiness_delay: 1
drain_timeout: 1
release: {{migrations: manual}}
"""
BUILT = 'RUN --mount=type=secret,id=BUILD_TOKEN test "$(wc -c </run/secrets/BUILD_TOKEN)" = 20\nCMD'
PRINT_ALL = 'env; printf "%s\\n" "$QUOTED" "$LINES"; echo "$TOKEN" >&2'
# Every command line of the server, until standard input ends.
WATCH = """\
import glob, select, sys
seen = set()
while not select.select([sys.stdin], [], [], 0.01)[0]:
    for name in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            seen.add(open(name, "rb").read())
        except OSError:
            pass
sys.stdout.buffer.write(b"\\n".join(seen))
"""


@pytest.fixture
def site(lab: Lab, tmp_path: Path) -> Iterator[FaultSite]:
    """Nothing is deployed."""
    with own_servers(lab, tmp_path, (32,), bare=False) as (host,):
        yield laid_out(FaultSite(lab, (host,), tmp_path / "project", tmp_path / "home", tmp_path / "ssh_config"))
        forget_images(lab, SERVICE)


def laid_out(made: FaultSite) -> FaultSite:
    made.directory.mkdir()
    (made.home / ".ssh").mkdir(parents=True, mode=0o700)
    made.route({})
    copy_app(made.directory, SERVICE)
    text = (made.directory / "Dockerfile").read_text()
    made.write("Dockerfile", text.replace("CMD", BUILT))
    made.write(".dockerignore", ".kamal\n.git\n")
    made.write(".gitignore", ".kamal/\n")
    for name, value in SECRETS.items():
        made.write(f".kamal/{name}", value)
    made.write(".kamal/secrets", "".join(f"{name}=$(cat .kamal/{name})\n" for name in SECRETS))
    (made.directory / ".kamal" / "secrets").chmod(0o600)
    facts = made.lab.registry
    values = {"server": facts.server, "user": facts.username, "password": facts.password, "host": made.hosts[0].name}
    made.write("config/deploy.yml", CONFIG.format(service=SERVICE, ssh_config=made.home / "ssh_config", **values))
    subprocess.run(("git", "init", "-q"), cwd=made.directory, check=True)
    made.commit()
    return made


@contextlib.contextmanager
def watched(host: LabHost) -> Iterator[list[str]]:
    """Look at the arguments of all processes here and on a server while something runs."""
    words = ("docker", "exec", "-i", host.facts.container, "python3", "-c", WATCH)
    found: list[str] = []
    with Watch() as here:
        there = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            yield found
        finally:
            out, _ = there.communicate(b"", timeout=60)
    found += [b"\n".join(here.seen).decode("utf-8", "replace"), out.decode("utf-8", "replace")]


def said(ran: Ran, code: int = 0) -> str:
    assert ran.code == code, ran.text
    return ran.out + ran.err


def test_no_value_is_found_anywhere(site: FaultSite, monkeypatch: pytest.MonkeyPatch) -> None:
    host, marks = site.hosts[0], (*MARKS, site.lab.registry.password)
    monkeypatch.setenv("DOCKER_HOST", site.lab.facts.docker_host)
    with watched(host) as processes:
        texts = {
            " ".join(words): said(site(*words))
            for words in (
                ("plan", "deploy", "--json", "-v"), ("setup", "-v"), ("deploy", "--json"), ("redeploy", "-v"),
                ("config",), ("config", "--json"), ("status", "--json"), ("audit",), ("releases", "--json"),
                ("accessory", "details", "--json"), ("details",), ("registry", "login"),
                ("accessory", "reboot", "cache", "-y", "-v"),
                ("exec", "--", "sh", "-c", PRINT_ALL), ("exec", "--json", "--", "sh", "-c", PRINT_ALL),
                ("accessory", "exec", "cache", "--reuse", "env"), ("rollback", "--yes", "--json"),
            )
        }  # fmt: skip
        site.configure(lambda config: config["servers"]["worker"].update(cmd=f"sh -c '{PRINT_ALL}; exit 3'"))
        texts["failing"] = said(site("redeploy", "-v"), 10)
        texts["failing, as JSON"] = said(site("redeploy", "--json"), 10)
    assert "redacted" in texts["failing"], "the container does print its secrets, and its log is shown"
    texts["processes here"], texts["processes there"] = processes
    texts |= left_on(host)
    for what, text in texts.items():
        for mark in marks:
            at = text.find(mark)
            assert at < 0, f"{what} shows {mark}: …{text[max(0, at - 200) : at + 60]}"


def left_on(host: LabHost) -> dict[str, str]:
    """Return what stays on a server of commands, labels, images and files; env files alone may have values."""
    containers = host.docker("ps", "-aq", "--filter", f"label=service={SERVICE}").out.split()
    containers += host.docker("ps", "-aq", "--filter", f"label=service={SERVICE}-cache").out.split()
    assert len(containers) > 1
    found = json.loads(host.docker("inspect", *containers).out)
    shown = [{**body, "Config": {**body["Config"], "Env": ()}} for body in found]
    images = host.docker("images", "-q", "--filter", f"label=service={SERVICE}").out.split()
    history = [host.docker("history", "--no-trunc", image).out for image in dict.fromkeys(images)]
    history += [host.docker("inspect", image).out for image in dict.fromkeys(images)]
    assert images
    home = f"/var/lib/shipway/{SERVICE}"
    files = host.run("sh", "-c", f"find {home} -type f | sort").out.split()
    envs = [file for file in files if file.endswith(".env")]
    assert envs
    modes = host.run("stat", "-c", "%a", *envs).out.split()
    assert set(modes) == {"600"}
    others = [file for file in files if file not in envs]
    assert any("/runs/" in file for file in others)
    logins = host.run("sh", "-c", "cat /root/.docker/config.json 2>/dev/null; cat /tmp/* 2>/dev/null").out
    return {
        "containers": json.dumps(shown),
        "history": "\n".join(history),
        "files": host.run("cat", *others).out,
        "logins": logins,
    }
