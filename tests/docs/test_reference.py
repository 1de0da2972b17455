"""The reference against the source: verbs, exit codes, places on a host, keys of the configuration."""

import inspect
import re
from collections.abc import Iterator

import click
import pytest

from shipway.cli.reference import commands
from shipway.config.reference import WITHOUT_EFFECT
from shipway.config.schema import config_schema
from shipway.core.errors import Exit
from shipway.core.layout import Layout
from tests.docs.pages import REFERENCE, headings, section

COMMANDS = dict(commands())
LAYOUT = Layout("<root>", "<service>")
WORDS = {"name": "<name>", "release": "<release>", "role": "<role>", "unit_role": "<role>", "run": "<run>"}
PARTS = {"servers", "accessories", "x-shipway"}
"""Keys with chapters of their own, and the section that only repeats others."""


@pytest.mark.parametrize("words", COMMANDS)
def test_every_verb_and_option_is_in_the_reference(words: str) -> None:
    text = section(REFERENCE / "verbs.md", f"`shipway {words}`")
    for param in COMMANDS[words].params:
        if isinstance(param, click.Option) and not param.hidden:
            assert any(f"| `{shown}" in text for shown in (param.opts[0], ", ".join(param.opts))), param.opts
    assert "```sh\nshipway " in text


def test_every_exit_code_has_its_row() -> None:
    text = (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)
    assert rows == [(str(int(code)), code.name) for code in Exit]


def places() -> Iterator[str]:
    """Every path that `Layout` knows, with the words of the page for what varies."""
    for name, member in vars(Layout).items():
        if isinstance(member, property):
            yield getattr(LAYOUT, name)
        elif inspect.isfunction(member) and not name.startswith("_"):
            names = [parameter for parameter in inspect.signature(member).parameters if parameter != "self"]
            yield member(LAYOUT, *(WORDS[parameter] for parameter in names))


def test_every_place_on_a_host_has_its_row() -> None:
    text = (REFERENCE / "on-a-host.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(<root>[^`]*)` \|", text, re.MULTILINE))
    assert told == set(places())


SHARED = re.compile(r"verify/\w+/(?:required|timeout|retries)")
"""What every check may say is told once, at `verify`."""


def keys(schema: dict[str, object], path: str) -> Iterator[str]:
    """The paths of all keys of a section, those of its sections included."""
    options = [schema, *schema.get("anyOf", ())]
    for option in options:
        for name, inner in option.get("properties", {}).items():
            if path or name not in PARTS:
                yield f"{path}{name}"
                yield from keys(inner, f"{path}{name}/")


def test_every_key_of_the_configuration_has_its_heading() -> None:
    told = {re.sub(r"`([^`]+)`.*", r"\1", text) for text in headings(REFERENCE / "config.md") if text.startswith("`")}
    told |= {key for key in keys(config_schema(), "") if SHARED.fullmatch(key)}
    wanted = {key for key in keys(config_schema(), "") if not key.startswith(("env/", "registry/"))}
    assert wanted - told == set()
    assert len(wanted) > 100
    assert {name for names in WITHOUT_EFFECT.values() for name in names} - told == set()
