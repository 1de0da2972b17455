"""`shipway script` and `shipway checklist`: what they write brings the same as `shipway deploy`."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from tests.live.site import LIMIT_S, Site
from tests.live.written import at_work, commands_of, key_of, run_script, wait_for_step, write

MADE = {"manifest.json", "__pycache__"}
"""The manifest is Shipway's answer to its own question; a script cannot ask it."""


def files_of(site: Site, release: str) -> dict[str, str]:
    """Return the files of a release, and the texts of those that Shipway writes, without the names of releases."""
    home = site.home / "releases" / release
    found = {}
    for place, folders, names in os.walk(home):
        folders[:] = [name for name in folders if name not in MADE and name != "venv"]
        for path in (Path(place, name) for name in names if name not in MADE):
            ours = path.relative_to(home).parts[0] in ("env", "units", "launch")
            text = path.read_text() if ours else ""
            found[str(path.relative_to(home))] = re.sub(rf"\b{release}\b", "rN", text)
    return found


def status(site: Site) -> dict[str, object]:
    ran = site("status", "--json")
    assert ran.code == 0, ran.text
    return json.loads(ran.out)


def test_a_script_does_what_deploy_does(moving: Site, tmp_path: Path):
    moving.commit()
    ran = moving.deploy()
    assert ran.code == 0, ran.text
    deployed, by_deploy = ran.report["release"], status(moving)
    script = write(moving, "script", tmp_path / "release.sh")
    secret = key_of(moving)
    assert secret not in script.read_text()
    moving.assert_serves(deployed)
    code, said = run_script(script, secret)
    assert code == 0, said
    written = f"r{int(deployed[1:]) + 1}"
    moving.assert_serves(written)
    assert files_of(moving, written) == files_of(moving, deployed)
    assert json.dumps(status(moving)).count(written) == json.dumps(by_deploy).count(deployed)
    assert secret not in (moving.home / "ledger.jsonl").read_text()
    listed = moving("releases", "--json")
    assert written in listed.out, listed.text

    again, said = run_script(script, secret)
    assert (again, "has done its work" in said) == (4, True), said
    back = moving("rollback", "--yes", "--json")
    assert back.code == 0, back.text
    moving.assert_serves(deployed)


def test_a_script_refuses_without_secrets_or_lock_or_when_it_is_old(moving: Site, tmp_path: Path):
    before = moving.serving()
    script = write(moving, "script", tmp_path / "release.sh")
    text = script.read_text()
    bare = tmp_path / "bare.sh"
    bare.write_text(text.replace("set -eu\n", "set -eu\nunset SECRET_KEY\n", 1))
    code, said = run_script(bare, "")
    assert (code, "SECRET_KEY" in said) == (4, True), said
    assert moving("lock", "acquire", "-m", "a look at the database").code == 0
    code, said = run_script(script, key_of(moving))
    assert (code, "a look at the database" in said) == (6, True), said
    assert moving("lock", "release").code == 0
    assert moving.deploy().code == 0
    code, said = run_script(script, key_of(moving))
    assert (code, "write it anew" in said) == (4, True), said
    assert moving("rollback", "--yes").code == 0
    moving.assert_serves(before)


def test_a_release_that_is_not_healthy_is_taken_back(site: Site, tmp_path: Path):
    site.append("harbor/urls.py", '\nurlpatterns = [one for one in urlpatterns if "up" not in str(one.pattern)]\n')
    site.configure(lambda config: config.update(deploy_timeout=4))
    site.commit()
    script = write(site, "script", tmp_path / "release.sh")
    code, said = run_script(script, key_of(site))
    assert code == 10, said
    assert "everything was taken back, r1 serves" in said


def test_migrations_wait_for_somebody_who_agrees(site: Site, tmp_path: Path):
    site.write(
        "ships/migrations/0005_note.py",
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        '    dependencies = [("ships", "0004_inspections_and_reports")]\n'
        '    operations = [migrations.AddField("ship", "note", models.TextField(null=True))]\n',
    )
    site.commit()
    code, said = run_script(write(site, "script", tmp_path / "release.sh"), key_of(site))
    assert code == 4, said
    assert "Add field note to ship" in said
    assert "MIGRATE=yes" in said


def test_a_script_that_is_stopped_takes_back(site: Site, tmp_path: Path):
    script = write(site, "script", tmp_path / "release.sh")
    with at_work(script, key_of(site)) as process:
        wait_for_step(site, "start-worker")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=LIMIT_S)[1]
        assert process.returncode == 10, said
        assert "r1 serves" in said


def test_a_script_that_is_killed_is_settled_by_shipway(site: Site, tmp_path: Path):
    script = write(site, "script", tmp_path / "release.sh")
    with at_work(script, key_of(site)) as process:
        wait_for_step(site, "start-web")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
    (site.home / "lock" / "held").unlink()  # its minute is over
    work = next(line for line in script.read_text().splitlines() if line.startswith("work="))
    shutil.rmtree(work.removeprefix("work="))
    ran = site("rollback", "--yes", "--json")
    assert ran.code == 0, ran.text


def test_a_checklist_followed_to_its_end(moving: Site, tmp_path: Path):
    before = moving.serving()
    checklist = write(moving, "checklist", tmp_path / "release.md").read_text()
    secret = key_of(moving)
    assert secret not in checklist
    pasted = tmp_path / "pasted.sh"
    pasted.write_text(commands_of(checklist, secret))
    done = subprocess.run(
        ("sh", str(pasted)), cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    moving.assert_serves(checklist.split()[2])
    back = moving("rollback", "--yes", "--json")
    assert back.code == 0, back.text
    moving.assert_serves(before)
