"""Secrets of a project, read from real files, with real commands run by a real shell."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from shipway.adapters.secrets.files import FileSecrets
from shipway.adapters.secrets.programs import MAX_OUTPUT_BYTES
from shipway.core.errors import ConfigError, Exit
from tests.unit.adapters.secrets.fake_cli import FakeClis

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQ+/kq==\n-----END PRIVATE KEY-----\n"
HOSTILE = """p$HOME"'`x`\\${A}$(id) ;*é"""


class Project:
    def __init__(self, root: Path, clis: FakeClis) -> None:
        self.root, self.clis = root, clis

    def write(self, text: str, name: str = ".kamal/secrets", mode: int = 0o600) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def secrets(self, destination: str = "", limit_s: float = 30.0, **environ: str) -> FileSecrets:
        return FileSecrets(self.clis.programs(self.root, limit_s, **environ), destination=destination)

    def values(self, text: str, **environ: str) -> dict[str, str]:
        self.write(text)
        secrets = self.secrets(**environ)
        return secrets.resolve(secrets.names())

    def error(self, text: str, *names: str, limit_s: float = 30.0) -> ConfigError:
        self.write(text)
        with pytest.raises(ConfigError) as caught:
            self.secrets(limit_s=limit_s).resolve(names or ("A",))
        return caught.value


@pytest.fixture
def project(tmp_path: Path, clis: FakeClis) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, clis)


def test_the_destination_is_merged_over_the_common_file_and_the_plain_one_not_read(project: Project) -> None:
    project.write("A=common\nB=common\nX=of-common", ".kamal/secrets-common")
    project.write("A=plain")
    project.write("A=production\nC=[$X]", ".kamal/secrets.production")
    plain, production = project.secrets(), project.secrets("production")
    assert plain.resolve(("A", "B")) == {"A": "plain", "B": "common"}
    assert production.resolve(("A", "B", "C")) == {"A": "production", "B": "common", "C": "[]"}
    assert production.names() == ("A", "B", "X", "C")


def test_missing_names_are_told_all_at_once_with_the_next_step(project: Project) -> None:
    project.write("A=1", ".kamal/secrets-common")
    project.write("B=1")
    with pytest.raises(ConfigError) as caught:
        project.secrets("staging").resolve(("B", "A", "C"))
    error = caught.value
    assert (error.code, error.exit_code) == ("secrets.missing", Exit.CONFIG)
    assert [finding.what for finding in error.findings] == [
        "Secret 'B' not found in .kamal/secrets-common",
        "Secret 'C' not found in .kamal/secrets-common",
    ]
    assert "`B=…` to .kamal/secrets.staging" in error.findings[0].next
    assert ".kamal/secrets is not read" in error.findings[0].next


def test_no_files_at_all(project: Project) -> None:
    with pytest.raises(ConfigError) as caught:
        project.secrets().reveal("A")
    assert caught.value.what == "Secret 'A' not found, no secret files (.kamal/secrets-common, .kamal/secrets) provided"


def test_answers_of_commands_are_data(project: Project) -> None:
    (project.root / "password").write_text(HOSTILE + "\n", encoding="utf-8")
    (project.root / "key.pem").write_text(PEM, encoding="utf-8")
    text = """
A=$(cat password)
B="<$A>"
C=$(printf '%s' "$A")
D=$(printf '%s' '$A')
KEY=$(cat key.pem)
COPY=$(printf '%s\\\\n' "$KEY")
"""
    values = project.values(text, HOME="/root")
    assert values["A"] == values["C"] == values["D"] == HOSTILE
    assert values["B"] == f"<{HOSTILE}>"
    assert values["KEY"] == values["COPY"] == PEM.removesuffix("\n")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("printf abc", "abc"),
        ("printf 'a\\\\n'", "a"),
        ("printf 'a\\\\n\\\\n'", "a\n"),
        ("printf 'a\\\\r\\\\n'", "a"),
        ("true", ""),
        ("echo warned >&2; echo a", "a"),
        ("echo a b | awk '{print $2}'", "b"),
        ("for i in 1 2; do printf $i; done", "12"),
        ("cat", ""),
        ("env | awk '/^SHIPWAY/'", ""),
    ],
)
def test_what_a_command_gives(command: str, expected: str, project: Project) -> None:
    assert project.values(f"A=$({command})") == {"A": expected}


def test_values_are_in_no_argument_vector(project: Project) -> None:
    look = "cat /proc/$PPID/cmdline /proc/self/cmdline | tr '\\\\0' ' '"
    values = project.values(
        f"PASSWORD=hunter2\nA=$(: $PASSWORD; {look})\nB=$(: $PASSWORD; cat /proc/\\$\\$/cmdline | tr '\\\\0' ' ')"
    )
    assert "eval" in values["B"]
    assert "hunter2" not in values["A"] + values["B"]


def test_a_big_answer_arrives_whole(project: Project) -> None:
    assert len(project.values("A=$(yes | head -c 300000)")["A"]) == 299_999


@pytest.mark.parametrize(
    ("command", "code", "reason"),
    [
        ("nowhere-to-be-found --secret x", "secrets.missing_command", "(`nowhere-to-be-found`) was not found"),
        ("nowhere-to-be-found | cat", "secrets.command_failed", "answered nothing"),
        ("echo partial; exit 3", "secrets.command_failed", "(`echo`) exited 3"),
        ("kill -9 \\$\\$", "secrets.command_failed", "exited 137"),
        ("yes", "secrets.command_failed", f"answered more than {MAX_OUTPUT_BYTES} bytes"),
        ("printf 'a\\\\000b'", "secrets.command_failed", "zero byte"),
        ("printf '\\\\377'", "secrets.command_failed", "no UTF-8"),
        ("echo 'a", "secrets.command_failed", "exited 2"),
    ],
)
def test_a_command_that_gives_no_value(command: str, code: str, reason: str, project: Project) -> None:
    error = project.error(f"\nA=$({command})")
    assert (error.code, error.where, error.exit_code) == (code, ".kamal/secrets:2", Exit.CONFIG)
    assert reason in error.what
    assert error.what.startswith("could not read `A`: its command")
    assert error.next


def test_a_hanging_command_is_ended_with_what_it_started(project: Project) -> None:
    pid = project.root / "pid"
    error = project.error(f"A=$(sleep 300 & echo \\$! >{pid}; wait)", limit_s=0.5)
    assert "did not end in time" in error.what
    stat = Path("/proc", pid.read_text().strip(), "stat")
    deadline = time.monotonic() + 10  # the signal was sent; the kernel may take its time
    while _lives(stat) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(stat)


def _lives(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_errors_quote_what_a_command_said_without_values(project: Project) -> None:
    text = 'KNOWN=hunter2\nA=$(echo "no $KNOWN, no ${ENVIRON}, no partial1" >&2; echo partial1; exit 1)'
    error = project.error(text, "KNOWN", "A")
    assert "no [redacted]" in error.what
    assert "hunter2" not in error.what
    assert "partial1" not in error.what


def test_one_error_names_all_that_fail_and_why(project: Project) -> None:
    text = "\nALL=$(false)\nA=$(printf '%s' $ALL)\nB=x$ALL\nC=1\nD=$(exit 4)"
    error = project.error(text, "A", "B", "C", "D", "E")
    assert error.code == "secrets.unresolved"
    assert error.what == "could not read 4 secrets: `A`, `B`, `D`, `E`"
    told = [(finding.where, finding.what) for finding in error.findings]
    assert told[0] == (".kamal/secrets:2", "could not read `ALL`: its command (`false`) exited 1")
    assert told[1:3] == [
        (".kamal/secrets:3", "could not read `A`, which needs `ALL`"),
        (".kamal/secrets:4", "could not read `B`, which needs `ALL`"),
    ]
    assert [where for where, _ in told[3:]] == [".kamal/secrets:6", ".kamal/secrets"]


def test_commands_run_once_in_order_and_only_when_needed(project: Project) -> None:
    text = "A=$(echo a >>log; echo 1)\nB=$(echo b >>log; echo 2)\nC=$(echo c >>log; echo 3)\nD=$A$B"
    project.write(text)
    secrets = project.secrets()
    assert list(secrets.names()) == ["A", "B", "C", "D"]
    assert secrets.resolve(("D", "B", "A")) == {"D": "12", "B": "2", "A": "1"}
    assert secrets.reveal("D") == "12"
    assert (project.root / "log").read_text() == "a\nb\n"


@pytest.mark.parametrize("tool", ["kamal", "shipway"])
def test_our_own_commands_run_in_process(tool: str, project: Project) -> None:
    answer = {"A": {"computed": HOSTILE}, "KEY": {"computed": PEM}}
    project.clis.add(
        "doppler",
        {"me --json": [{}], "secrets get A KEY --json -p p -c c": [{"stdout": json.dumps(answer)}]},
    )
    project.clis.script(tool, "#!/bin/sh\necho really run; exit 1\n")
    text = f"""
WHERE=p/c
NAMES="A KEY"
SECRETS=$({tool} secrets fetch --adapter doppler --from $WHERE $NAMES)
A=$({tool} secrets extract A $SECRETS)
B="$( {tool}  secrets  extract A ${{SECRETS}} --inline)"
C=$({tool} secrets extract KEY "$SECRETS")
D=$(printf '%s' $SECRETS)
"""
    values = project.values(text)
    assert values["A"] == values["B"] == HOSTILE
    assert values["C"] == PEM.removesuffix("\n")
    assert json.loads(values["D"]) == {"A": HOSTILE, "KEY": PEM}
    assert len(project.clis.calls()) == 2


@pytest.mark.parametrize(
    ("command", "code", "what"),
    [
        ("kamal secrets fetch -a nope X", "secrets.unknown_adapter", "Unknown secrets adapter: nope"),
        ("kamal secrets fetch X", "secrets.inline", "words that it does not take"),
        ("kamal secrets fetch -a test X", "secrets.missing_account", "No value provided"),
        ("kamal secrets fetch -a doppler X", "secrets.missing_cli", "Doppler CLI is not installed"),
        ("kamal secrets extract X $JSON", "secrets.not_extracted", "Could not find secret X"),
        ("kamal secrets extract X $TEXT", "secrets.no_json", "no JSON"),
        ("kamal secrets extract X $NONE", "secrets.inline", "words that it does not take"),
        ("kamal secrets fetch -a test --account a X | cat", "secrets.inline", "`|` means nothing"),
        ("kamal secrets print", "secrets.inline", "cannot stand in it"),
        ("shipway secrets frobnicate", "secrets.inline", "is no command"),
        ('kamal secrets fetch "a', "secrets.inline", "could not be read"),
    ],
)
def test_our_own_commands_name_the_line(command: str, code: str, what: str, project: Project) -> None:
    error = project.error(f'JSON=\'{{"Y":"hunter2"}}\'\nTEXT=hunter2\nA=$({command})')
    assert (error.code, error.where) == (code, ".kamal/secrets:3")
    assert what in error.what
    assert "hunter2" not in error.what + error.next


@pytest.mark.parametrize(
    ("text", "mode", "levels"),
    [
        ("A=1", 0o600, []),
        ("A=1", 0o640, ["warning"]),
        ("A=1", 0o604, ["warning"]),
        ("A=$(f)\nB=$C", 0o644, ["info"]),
    ],
)
def test_a_readable_file_is_a_finding(text: str, mode: int, levels: list[str], project: Project) -> None:
    project.write(text, mode=mode)
    found = [finding for finding in project.secrets(C="x").findings() if finding.code == "secrets.world_readable"]
    assert [finding.level for finding in found] == levels
    assert all(finding.next == "chmod 600 .kamal/secrets" for finding in found)


def test_doubtful_lines_are_findings(project: Project) -> None:
    project.write("A-B=1\nC=$NOPE")
    found = [(finding.code, finding.where) for finding in project.secrets().findings()]
    assert found == [("secrets.ignored_line", ".kamal/secrets:1"), ("secrets.unset_variable", ".kamal/secrets:2")]


def test_a_file_that_is_no_text_names_the_line(project: Project) -> None:
    project.write("")
    (project.root / ".kamal/secrets").write_bytes(b"A=1\nB=\xff\n")
    with pytest.raises(ConfigError) as caught:
        project.secrets()
    assert (caught.value.code, caught.value.where) == ("secrets.unreadable", ".kamal/secrets:2")


def test_redact_masks_known_values_and_their_lines(project: Project) -> None:
    project.write(f'KEY="{PEM}"\nA=$(echo hunter2)')
    secrets = project.secrets()
    assert secrets.reveal("A") == "hunter2"
    assert secrets.redact("MIIEvQ+/kq== hunter2 a") == "[redacted] [redacted] a"
