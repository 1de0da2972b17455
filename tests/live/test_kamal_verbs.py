"""Kamal's habits against real processes: hooks around real runs, redeploy, versions, stop and start."""

from __future__ import annotations

import subprocess
import sys

from tests.live.site import Site

NOTE = '#!/bin/sh\necho "$(basename "$0") $SHIPWAY_RELEASE $SHIPWAY_OUTCOME" >>"{log}"\nenv >>"{log}.env"\n'
HOOKS = ("pre-connect", "pre-build", "pre-deploy", "pre-app-boot", "post-app-boot", "post-deploy")


def hook(site: Site, name: str, text: str) -> None:
    site.write(f".kamal/hooks/{name}", text)
    (site.directory / ".kamal" / "hooks" / name).chmod(0o755)


def ran(site: Site) -> list[str]:
    log = site.directory.parent / "hooks.log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def head(site: Site) -> str:
    return subprocess.run(
        ("git", "rev-parse", "HEAD"), cwd=site.directory, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_day_with_hooks_and_kamals_verbs(moving: Site) -> None:
    site = moving
    log = site.directory.parent / "hooks.log"
    for name in (*HOOKS, "deploy-failed", "rolled-back"):
        hook(site, name, NOTE.format(log=log))
    # a nested call in pre-deploy has the lock of the run that waits for it, and looks without one
    hook(
        site,
        "pre-deploy",
        NOTE.format(log=log) + f'{sys.executable} -m shipway lock status -H >>"{log}" && '
        f"{sys.executable} -m shipway maintenance on -H -q >/dev/null && "
        f"{sys.executable} -m shipway maintenance off -H -q >/dev/null\n",
    )
    first, version = site.serving(), head(site)
    site.commit()
    deployed = site.deploy()
    assert deployed.code == 0, deployed.text
    second = site.serving()
    lines = ran(site)
    assert [line.split()[0] for line in lines] == [*HOOKS[:3], "held", *HOOKS[3:]], deployed.text
    assert lines[-1] == f"post-deploy {second} done"
    assert "the-key-of" not in log.with_name("hooks.log.env").read_text()

    again = site("redeploy", "--json")
    assert again.code == 0, again.text
    third = site.serving()
    assert (third, again.report["version"]) == (f"r{int(second[1:]) + 1}", head(site))
    assert "pre-build" not in " ".join(ran(site))

    older = site("deploy", "--version", version[:12], "--json")
    assert (older.code, older.report["version"]) == (0, version), older.text
    site.serving()
    ran(site)

    hook(site, "post-app-boot", "#!/bin/sh\nexit 1\n")
    failed = site.deploy()
    assert (failed.code, failed.error["code"]) == (10, "hook.failed"), failed.text
    assert [line.split()[0] for line in ran(site)][-2:] == ["deploy-failed", "rolled-back"]
    serves = site.serving()

    stopped = site("app", "stop", "-r", "worker", "-H")
    assert stopped.code == 0, stopped.text
    assert ("worker", serves) not in site.machine.units(site.service)
    started = site("app", "start", "-H")
    assert started.code == 0, started.text
    assert site.serving() == serves
    assert site("app", "exec", "-H", "-p", "-e", "X:7", 'echo "x is $X"').out == "x is 7\n"
    assert site("app", "logs", "-H", "-r", "web", "-g", "nothing-has-this").out == ""
    assert first != serves
    restarted = site("proxy", "restart", "-H")
    assert restarted.code == 0, restarted.text
    assert site.serving() == serves
