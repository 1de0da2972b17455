"""Hooks: real scripts with what they are told, what they may see, and what it means when they fail."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shipway.adapters.redact import Redactor
from shipway.adapters.secrets.files import FileSecrets
from shipway.adapters.secrets.programs import Programs
from shipway.app.call import Caller
from shipway.app.hooks import KAMAL_NAMES, Hooks, outer_run
from shipway.app.service import NeededSecrets
from shipway.config.hooks import Hooks as Settings
from shipway.core.errors import ConfigError, Refused
from shipway.core.events import Event
from shipway.engine.world import StopRequest

FACTS = dict.fromkeys(KAMAL_NAMES - {"RUNTIME"}, "told") | {"SERVICE": "shop", "VERSION": "c0ffee" * 7}
SECRETS = {"API_TOKEN": "planted-token-1234", "PEM": "-----BEGIN-----\nplanted-line-of-a-key\n-----END-----"}
ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/home/ann",
    "CI": "true",
    "GIVEN_BY_CI": SECRETS["API_TOKEN"],
    "URL": f"https://u:{SECRETS['API_TOKEN']}@x",
    "KAMAL_RUNTIME": "from an outer run",
    "SHIPWAY_OUTCOME": "from an outer run",
}
DUMP = "#!/bin/sh\nenv -0 >env\n"


class Yard:
    """A project with hooks."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.events = directory, list[Event]()
        (directory / "hooks").mkdir()
        (directory / ".kamal").mkdir()
        lines = "".join(f'{name}="{value}"\n' for name, value in SECRETS.items())
        (directory / ".kamal" / "secrets").write_text(lines)

    def write(self, name: str, text: str, mode: int = 0o755) -> None:
        (self.directory / "hooks" / name).write_text(text)
        (self.directory / "hooks" / name).chmod(mode)

    def hooks(self, *, is_verbose: bool = False, environ: dict[str, str] = ENVIRON, **settings) -> Hooks:
        source = FileSecrets(Programs(self.directory, {}), ".kamal/secrets")
        secrets = NeededSecrets(source, tuple(SECRETS))
        return Hooks(
            self.directory / "hooks", str(self.directory), Settings(**settings), secrets, Redactor.of(secrets),
            Caller(listen=self.events.append, is_verbose=is_verbose), lambda: FACTS, environ,
        )  # fmt: skip

    def run(self, name: str, told: dict[str, str] | None = None, stop: StopRequest | None = None, **settings) -> bool:
        return asyncio.run(self.hooks(**settings).run(name, told, stop))

    def env(self) -> dict[str, str]:
        pairs = (self.directory / "env").read_text().split("\0")
        return dict(pair.split("=", 1) for pair in pairs if pair)

    def output(self) -> list[str]:
        return [event.detail for event in self.events if event.kind == "hook.output"]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def test_a_hook_that_is_not_there_is_not_run(yard: Yard) -> None:
    assert yard.run("pre-deploy") is False
    assert yard.events == []


def test_a_hook_is_told_what_kamal_tells_and_more(yard: Yard) -> None:
    yard.write("post-deploy", DUMP)
    assert yard.run("post-deploy", {"RUNTIME": "12", "RELEASE": "r3", "LOCK": "true"})
    env = yard.env()
    for name in KAMAL_NAMES:
        assert env[f"KAMAL_{name}"] == env[f"SHIPWAY_{name}"]
    assert (env["KAMAL_RUNTIME"], env["KAMAL_LOCK"], env["SHIPWAY_RELEASE"]) == ("12", "true", "r3")
    assert env["KAMAL_SERVICE_VERSION"] == "shop@c0ffeec"
    assert "KAMAL_RELEASE" not in env
    assert "SHIPWAY_OUTCOME" not in env  # that of an outer run is not this one's
    assert (env["CI"], env["HOME"], env["SHIPWAY_HOOK"]) == ("true", "/home/ann", "post-deploy")


@pytest.mark.parametrize(
    "name", ["pre-connect", "pre-build", "pre-deploy", "pre-app-boot", "post-app-boot", "post-deploy", "deploy-failed"]
)
def test_no_hook_sees_a_secret_unless_the_configuration_says_so(yard: Yard, name: str) -> None:
    yard.write(name, DUMP)
    yard.run(name)
    seen = (yard.directory / "env").read_text()
    assert "planted" not in seen
    assert "GIVEN_BY_CI" not in seen
    yard.run(name, secrets=("API_TOKEN",))
    assert yard.env()["API_TOKEN"] == SECRETS["API_TOKEN"]
    assert "PEM" not in yard.env()
    yard.run(name, gives_all=True)
    assert {key: yard.env()[key] for key in SECRETS} == SECRETS


def test_a_secret_that_is_not_there(yard: Yard) -> None:
    yard.write("pre-deploy", DUMP)
    with pytest.raises(ConfigError) as caught:
        yard.run("pre-deploy", secrets=("NOT_THERE",))
    assert caught.value.code == "secrets.missing"


@pytest.mark.parametrize(
    ("text", "mode", "why", "said"),
    [
        ("#!/bin/sh\necho one; echo two >&2; exit 3\n", 0o755, "exit status 3", "two"),
        ("#!/bin/sh\nexit 0\n", 0o644, "not executable", ""),
        ("#!/nowhere/at/all\n", 0o755, "exit status 12", ""),
        ("#!/bin/sh\nkill -9 $$\n", 0o755, "exit status -9", ""),
    ],
)
def test_a_hook_that_fails(yard: Yard, text: str, mode: int, why: str, said: str) -> None:
    yard.write("pre-deploy", text, mode)
    with pytest.raises(Refused) as caught:
        yard.run("pre-deploy")
    assert (caught.value.code, caught.value.exit_code) == ("hook.failed", 4)
    assert why in caught.value.what
    assert said in caught.value.said
    assert caught.value.next


def test_the_hint_names_the_key_for_secrets_only_where_it_can_help(yard: Yard) -> None:
    yard.write("pre-deploy", "#!/bin/sh\nexit 1\n")
    hints = []
    for settings in ({}, {"gives_all": True}):
        with pytest.raises(Refused) as caught:
            yard.run("pre-deploy", **settings)
        hints.append("`hooks: {secrets: [NAME]}`" in caught.value.next)
    assert hints == [True, False]


def test_a_script_without_a_first_line_is_a_shell_script(yard: Yard) -> None:
    yard.write("pre-deploy", "echo $0 >here\n")
    assert yard.run("pre-deploy")
    assert (yard.directory / "here").read_text().endswith("hooks/pre-deploy\n")


@pytest.mark.parametrize(
    ("settings", "is_verbose", "is_shown"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"output": "verbose"}, False, True),
        ({"output": "quiet"}, True, False),
        ({"outputs": {"pre-deploy": "verbose"}}, False, True),
        ({"outputs": {"pre-build": "verbose"}}, False, False),
    ],
)
def test_output_is_shown_as_configured_and_without_secrets(
    yard: Yard, settings: dict[str, object], *, is_verbose: bool, is_shown: bool
) -> None:
    yard.write("pre-deploy", '#!/bin/sh\nprintf "%s\\nlast" "$API_TOKEN"\n')
    yard.run("pre-deploy", secrets=("API_TOKEN",), is_verbose=is_verbose, **settings)
    assert yard.output() == (["[API_TOKEN redacted]", "last"] if is_shown else [])


def test_what_a_failing_hook_said_is_redacted(yard: Yard) -> None:
    yard.write("pre-deploy", '#!/bin/sh\necho "no $API_TOKEN" >&2; exit 1\n')
    with pytest.raises(Refused) as caught:
        yard.run("pre-deploy", secrets=("API_TOKEN",))
    assert caught.value.said == "no [API_TOKEN redacted]"


def test_a_hook_that_hangs_is_ended(yard: Yard) -> None:
    yard.write("pre-deploy", "#!/bin/sh\nsleep 600 & echo $! >pid; wait\n")
    with pytest.raises(Refused) as caught:
        yard.run("pre-deploy", limit_s=0.3)
    assert "longer than 0.3 s" in caught.value.what
    assert_ended(int((yard.directory / "pid").read_text()))


def stop_by_request(yard: Yard, is_there: Callable[[], bool]) -> None:
    async def main() -> None:
        stop = StopRequest()
        running = asyncio.create_task(yard.hooks().run("pre-app-boot", None, stop))
        await until(is_there)
        stop.request("SIGINT was received")
        assert await running is True

    asyncio.run(main())


def stop_by_cancelling(yard: Yard, is_there: Callable[[], bool]) -> None:
    async def main() -> None:
        running = asyncio.create_task(yard.hooks().run("pre-app-boot"))
        await until(is_there)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())


async def until(is_there: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_there():  # noqa: ASYNC110  a file tells, not an event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("stop", [stop_by_request, stop_by_cancelling])
def test_ctrl_c_ends_a_hook(yard: Yard, stop: Callable[[Yard, Callable[[], bool]], None]) -> None:
    yard.write("pre-app-boot", "#!/bin/sh\nsleep 600 & echo $! >pid.new; mv pid.new pid; wait\n")
    stop(yard, (yard.directory / "pid").exists)
    assert_ended(int((yard.directory / "pid").read_text()))


def assert_ended(pid: int) -> None:
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("it still runs")


def test_what_a_hook_leaves_in_the_background_goes_on(yard: Yard) -> None:
    yard.write("pre-connect", "#!/bin/sh\nsleep 30 & echo $! >pid\n")
    assert yard.run("pre-connect")
    pid = int((yard.directory / "pid").read_text())
    os.kill(pid, signal.SIGTERM)  # raises when it is gone


def test_a_hook_does_not_run_within_itself(yard: Yard) -> None:
    yard.write("pre-connect", DUMP)
    yard.write("pre-deploy", DUMP)
    environ = {**ENVIRON, "SHIPWAY_HOOK": "pre-connect"}
    assert yard.run("pre-connect", environ=environ) is False
    assert yard.run("pre-deploy", environ=environ)
    assert yard.env()["SHIPWAY_HOOK"] == "pre-connect,pre-deploy"


@pytest.mark.parametrize(
    ("environ", "run"),
    [
        ({}, ""),
        ({"SHIPWAY_RUN": "r"}, ""),
        ({"SHIPWAY_RUN": "r", "SHIPWAY_LOCK": "false"}, ""),
        ({"SHIPWAY_RUN": "r", "SHIPWAY_LOCK": "true"}, "r"),
        ({"KAMAL_LOCK": "true"}, ""),
        ({"SHIPWAY_RUN": "r", "KAMAL_LOCK": "true"}, "r"),
    ],
)
def test_the_lock_of_an_outer_run_is_known_by_that_run(environ: dict[str, str], run: str) -> None:
    assert outer_run(environ) == run
