"""`shipway --help` and every verb's `--help`: what they say, and what they must not import."""

import subprocess
import sys

import pytest

from shipway.cli.main import main
from shipway.cli.table import VERBS

# What may be paid for by `shipway --help`: the standard library's small modules are not listed.
ALLOWED = {"click", "shipway"}
HEAVY = {"asyncio", "rich", "yaml", "subprocess", "ssl", "socket", "json.tool"}
OURS = {
    "shipway",
    "shipway.cli",
    "shipway.cli.group",
    "shipway.cli.main",
    "shipway.cli.render",
    "shipway.cli.render.error",
    "shipway.cli.render.text",
    "shipway.cli.state",
    "shipway.cli.table",
    "shipway.core",
    "shipway.core.errors",
}


def loaded_after(code: str) -> set[str]:
    script = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before), sep='\\n')"
    answer = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=True, timeout=60)
    return set(answer.stdout.split("\0")[-1].split())


def test_the_start_imports_only_what_it_needs() -> None:
    loaded = loaded_after("import shipway.cli.main")
    assert {name for name in loaded if name.partition(".")[0] == "shipway"} == OURS
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - ALLOWED
    assert not {name for name in foreign if not name.startswith("_")}
    assert not loaded & (HEAVY)


def test_help_imports_no_verb() -> None:
    loaded = loaded_after(
        "from shipway.cli.main import main\n"
        "import io; sys.stdout = io.StringIO(); code = main(['--help']); sys.stdout = sys.__stdout__; assert code == 0"
    )
    assert not {name for name in loaded if name.startswith("shipway.cli.verbs")}
    assert not loaded & HEAVY


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, entry in VERBS.items():
        assert f"  {name} " in text
        assert entry.help in " ".join(text.split())


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_explains_itself_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert VERBS[name].help in " ".join(text.split())
    assert f"shipway {name}" in text.partition("Examples:")[2]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["depoly"], "`deploy`"),
        (["xyzzy"], "deploy, plan"),
        (["deploy", "--destinatoin", "x"], "--destination"),
        (["lock", "relase"], "`release`"),
        (["rollback", "r1", "r2"], "r2"),
        (["maintenance", "onn"], "on"),
        (["plan", "deploy", "r4"], "release"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert hint in err
    assert err.startswith("error[usage.wrong]: ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert main(["--version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(second)
