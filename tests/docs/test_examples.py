"""What the documentation shows: links lead somewhere, commands are understood, configurations load, files exist."""

import re
import shlex
from pathlib import Path

import click
import pytest

from shipway.cli.main import root
from shipway.cli.state import Session
from shipway.config.load import load_config
from tests.docs.pages import PAGES, REFERENCE, ROOT, anchors, fences, inline_code, name_of, prose

LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"[a-z][\w.-]*(?:/[\w.<>-]*)*")
SHELL_WORDS = {">", ">>", "|", "&&", "||", ";"}
PLACEHOLDERS = ("…", "VERB", "[OPTIONS]")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def shown_commands() -> list[tuple[str, str]]:
    """Every `shipway …` that a page shows, in a block of shell or in a sentence."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        blocks = [block for language in ("sh", "bash", "console", "") for block in fences(page, language)]
        lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
        mine = [line for line in (*lines, *inline_code(page)) if line.startswith("shipway ")]
        found += [(name_of(page), line) for line in mine if not any(word in line for word in PLACEHOLDERS)]
    return found


@pytest.mark.parametrize(("page", "line"), sorted(set(shown_commands())))
def test_commands_are_understood(page: str, line: str) -> None:
    words = shlex.split(re.split(r"\s*;", line)[0], comments=True)[1:]
    end = next((at for at, word in enumerate(words) if word in SHELL_WORDS or word.startswith(">")), len(words))
    parse(root, "shipway", words[:end], None)


def parse(command: click.Command, name: str, words: list[str], parent: click.Context | None) -> None:
    """Let click read `words` down to the last command, and run nothing. Raises click.UsageError."""
    try:
        context = command.make_context(name, list(words), parent, obj=Session())
    except click.exceptions.Exit:  # --help
        return
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            return
        inner_name, inner, inner_words = command.resolve_command(context, rest)
        assert inner is not None
        parse(inner, str(inner_name), inner_words, context)


OVERLAY = re.compile(r"# config/deploy\.([\w-]+)\.yml\n")


def shown_configurations() -> list[tuple[str, str]]:
    found = [(name_of(page), block) for page in PAGES for block in fences(page, "yaml") if not OVERLAY.match(block)]
    return [*found, *((str(f.relative_to(ROOT)), f.read_text()) for f in ROOT.glob("examples/*/config/deploy.yml"))]


def shown_destinations() -> list[tuple[str, str, str]]:
    """Files of destinations, each with the block before it on the page that is no such file."""
    found = []
    for page in PAGES:
        under = ""
        for block in fences(page, "yaml"):
            under = under if OVERLAY.match(block) else block
            found += [(name_of(page), under, block)] if OVERLAY.match(block) else []
    return found


@pytest.mark.parametrize(("place", "under", "over"), shown_destinations())
def test_destinations_load_over_what_stands_before_them(place: str, under: str, over: str) -> None:
    match = OVERLAY.match(over)
    assert match is not None
    name = match[1]
    files = {f"{place}/deploy.yml": under, f"{place}/deploy.{name}.yml": over}
    assert load_config(files, destination=name, destinations=(name,)).warnings == ()


@pytest.mark.parametrize(("place", "text"), shown_configurations(), ids=lambda word: word.partition("\n")[0][:40])
def test_configurations_load_without_a_finding(place: str, text: str) -> None:
    destination = "production" if "require_destination: true" in text else None
    assert load_config({f"{place}/deploy.yml": text}, destination=destination).warnings == ()


def test_the_pages_that_matter_show_something() -> None:
    assert len(shown_commands()) > 50
    assert {"README.md", "docs/how-to/first-deploy.md"} <= {place for place, _ in shown_configurations()}


def named_paths() -> list[str]:
    found = {code for code in inline_code(ROOT / "ARCHITECTURE.md") if PATH.fullmatch(code)}
    return sorted(path for path in found if "/" in path or path.endswith((".py", ".md")))


@pytest.mark.parametrize("path", named_paths())
def test_architecture_names_what_exists(path: str) -> None:
    """A path is meant from the root, from the package, from `core/` or from the reference; `<name>` is a new one."""
    fixed = path.partition("<")[0]
    bases = (ROOT, ROOT / "src" / "shipway", ROOT / "src" / "shipway" / "core", REFERENCE)
    assert fixed == "runs/" or any((base / fixed).exists() for base in bases)
