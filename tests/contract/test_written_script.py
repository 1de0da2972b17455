"""What a written script is made of, on the shells that it may meet: exact texts, secrets, no word from shellcheck."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.core.action import Command, Upload
from shipway.core.here import HereStage, HereStep
from shipway.core.layout import Layout
from shipway.core.secret import SecretRef, Text
from shipway.planning.by_hand import Around, ByHand, Reach, plan_by_hand
from shipway.planning.render_checklist import render_checklist
from shipway.planning.render_script import render_script
from shipway.planning.shell_text import Texts, library_function
from shipway.runtimes.base import Release
from tests.sites import ended, facts_serving, site

SHELLS = [shlex.split(words) for words in ("dash", "bash --posix", "busybox sh")]
SECRETS = {
    "PLAIN": "abc-1.2",
    "EMPTY": "",
    "ODD": 'it\'s "$HOME" `id` \\ %s \\n é ☃',
    "PEM": "-----BEGIN-----\nline\twith 'quotes'\r\n-----END-----\n\n",
}
TEXTS: list[Text] = [
    (),
    ("no newline",),
    ("a line\n",),
    ("\n",),
    ("\n\nx",),
    ("END_OF_TEXT\n$HOME `id` \\\n%s 'q'\n", "joined ", "to the next\nrest $x"),
    ("A=", SecretRef("ODD", "shell"), "\nB=", SecretRef("PEM", "shell"), "\n", SecretRef("PEM"), "\nend"),
    ('{"a":', SecretRef("PEM", "json"), ',"b":', SecretRef("ODD", "json"), ',"c":', SecretRef("EMPTY", "json"), "}"),
    (SecretRef("PLAIN", "shell"), SecretRef("EMPTY", "shell")),
]


def expected(text: Text) -> str:
    ways = {"raw": str, "shell": shlex.quote, "json": lambda value: json.dumps(value, ensure_ascii=False)}
    return "".join(p if isinstance(p, str) else ways[p.encoding](SECRETS[p.name]) for p in text)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_texts_are_exact(shell: list[str], text: Text):
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is missing")
    texts = Texts()
    name = texts.name(text)
    values = [f"secret_{key}={shlex.quote(value)}" for key, value in SECRETS.items()]
    script = [*values, *library_function("secret_raw", "secret_shell", "secret_json"), *texts.source(), name]
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        shell, input="\n".join(script).encode(), env=env, capture_output=True, check=False, timeout=60
    )
    assert (done.stdout.decode(), done.stderr) == (expected(text), b"")


def by_hand(ssh: tuple[str, ...] = ("ssh", "-l", "deploy")) -> ByHand:
    shop = site(("a", "b-2"))
    facts = facts_serving(shop, "r1", records=ended("deploy", "r1"))
    found = plan_by_hand(
        shop, facts, "20260101-000000-abcd", Release("r2", "c0ffee", "/project"), image="acme/shop:c0ffee"
    )
    secret = Upload("/etc/it's", ("A=", SecretRef("TOKEN", "shell"), "\n"))
    *rest, last = found.plan.stages
    step = replace(last.tracks[0][0], id="a/secret", do=(secret, Command(("sudo's",), sudo=True)))
    plan = replace(found.plan, stages=(*rest, replace(last, tracks=((step,), *last.tracks[1:]))))
    login = HereStep("here/login", "log in", ("docker", "login"), stdin=(SecretRef("REGISTRY"),), done=("false",))
    key = (("K", (SecretRef("TOKEN"),)),)
    build = HereStep("here/build", "build it's", ("docker", "build"), env=key, directory="/p p")
    around = Around(
        reach={host: Reach(ssh) for host in plan.hosts()},
        layouts={host: Layout("/srv it's", "shop") for host in plan.hosts()},
        here=(HereStage("build the image", ((login, build),)),),
        last_run="deploy-r1-",
        work="/tmp/shipway-x",
        keys=(("KEY", "/tmp/shipway-x/k0"),),
        files=(("/tmp/shipway-x/config", 'Include "a"\n'),),
        options=" -d staging",
    )
    return replace(found, plan=plan, around=around)


@pytest.mark.parametrize("ssh", [(), ("ssh", "-l", "deploy")], ids=["here", "ssh"])
def test_shellcheck_has_nothing_to_say(tmp_path: Path, ssh: tuple[str, ...]):
    if shutil.which("shellcheck") is None and not os.environ.get("CI"):
        pytest.skip("shellcheck is missing")
    script = tmp_path / "release.sh"
    script.write_text(render_script(by_hand(ssh)))
    done = subprocess.run(("shellcheck", str(script)), capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_every_shell_reads_it(shell: list[str]):
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is missing")
    text = render_script(by_hand())
    done = subprocess.run((*shell, "-n"), input=text, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_script_and_a_checklist_have():
    found = by_hand()
    script, checklist = render_script(found), render_checklist(found)
    assert found.secrets() == ("KEY", "REGISTRY", "TOKEN")
    for step in found.plan.steps():
        assert step.title in script
        assert step.title.replace("_", "\\_") in checklist
    assert script.index("ask_migrations() {") < script.index("main() {")
    main = script[script.index("main() {") :]
    order = ["here 2", "lock", "settled", "begin", "ask_migrations", "go_on", "commit", "ended"]
    places = [main.index(f"\n  {word}") for word in order]
    assert places == sorted(places)
    assert "docker save acme/shop:c0ffee" in script
    assert "MIGRATE=${MIGRATE:-}" in script
    assert checklist.count("The point of no return") == 1


def test_one_that_was_agreed_to_before_or_has_no_old_release_asks_nobody():
    found = by_hand()
    agreed = replace(found, around=replace(found.around, agreed=True))
    assert "MIGRATE=${MIGRATE:-yes}" in render_script(agreed)
    first = replace(found, plan=replace(found.plan, base=""))
    assert "MIGRATE=${MIGRATE:-yes}" in render_script(first)
