"""Reading the Markdown of this repository, as far as its tests need."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fences(page: Path, language: str) -> list[str]:
    """The bodies of the code blocks of a language; "" is a block without one."""
    return [body for word, body in _FENCE.findall(page.read_text(encoding="utf-8")) if word == language]


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def inline_code(page: Path) -> Iterator[str]:
    return (" ".join(code.split()) for code in _INLINE.findall(_HEADING.sub("", prose(page))))


def headings(page: Path) -> list[str]:
    return [text.strip() for text in _HEADING.findall(prose(page))]


def anchors(page: Path) -> set[str]:
    """What `page.md#…` may name: GitHub's rule for headings."""
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings(page)}


def section(page: Path, heading: str) -> str:
    """The text under a heading, up to the next one of any level."""
    _, found, rest = page.read_text(encoding="utf-8").partition(f"# {heading}\n")
    assert found, f"{name_of(page)} has no heading {heading}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
