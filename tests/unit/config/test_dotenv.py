"""The dialect, case by case (dotenv_cases.toml), and positions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shipway.config.dotenv import Dotenv, Substitution, Variable, parse_dotenv
from shipway.config.dotenv_check import check_dotenv, check_variables, has_literal
from shipway.core.errors import ConfigError, Finding

CASES = tomllib.loads((Path(__file__).parent / "dotenv_cases.toml").read_text(encoding="utf-8"))["case"]
PATH = ".kamal/secrets"


def evaluate(parsed: Dotenv, environ: dict[str, str]) -> dict[str, str]:
    values: list[str] = []

    def known(variable: Variable) -> str | None:
        return environ.get(variable.name) if variable.entry is None else values[variable.entry]

    for entry in parsed.entries:
        text = ""
        for part in entry.parts:
            match part:
                case str():
                    text += part
                case Variable():
                    text += known(part) or ""
                case Substitution():
                    inner = (p if isinstance(p, str) else f"{{{known(p)}}}" if known(p) else p.text for p in part.parts)
                    text += f"<{''.join(inner)}>"
        values.append(text)
    return {entry.name: value for entry, value in zip(parsed.entries, values, strict=True)}


def positions(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{finding.code}:{finding.where.removeprefix(f'{PATH}:')}" for finding in findings]


@pytest.mark.parametrize("case", CASES, ids=lambda case: re.sub(r"\W+", "-", case["name"]))
def test_case(case: dict[str, Any]) -> None:
    environ = case.get("env", {})
    if "error" in case:
        with pytest.raises(ConfigError) as caught:
            parse_dotenv(case["text"], PATH)
        assert positions(caught.value.findings) == case["error"]
        return
    parsed = parse_dotenv(case["text"], PATH)
    assert evaluate(parsed, environ) == case["values"]
    warnings = (*check_dotenv(case["text"], PATH), *check_variables(parsed, environ, PATH))
    assert positions(warnings) == case.get("warnings", [])


def test_lines_of_entries_and_commands() -> None:
    parsed = parse_dotenv('\n# c\nA="x\n$(one)\n$(two)"\n\nB=\n "$(three)"\nC=1', PATH)
    lines = {entry.name: entry.line for entry in parsed.entries}
    commands = [part.line for entry in parsed.entries for part in entry.parts if isinstance(part, Substitution)]
    assert lines == {"A": 3, "B": 7, "C": 9}
    assert commands == [4, 5, 8]


def test_the_first_error_stands_in_front() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_dotenv("export A", PATH)
    assert (caught.value.where, "A=$A" in caught.value.findings[0].next) == (f"{PATH}:1", True)


@pytest.mark.parametrize(
    ("text", "expected"), [("A=1", True), ("A=$B", False), ("A=x@$B/y", False), ("A=$(c)", False), ("A=", False)]
)
def test_has_literal(text: str, *, expected: bool) -> None:
    assert has_literal(parse_dotenv(text, PATH)) is expected
