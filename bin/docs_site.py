"""Builds the documentation as a site: the pages of this repository, staged as they stand, through MkDocs."""

import logging
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDED = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")
_LINK = re.compile(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)")
CHAPTERS = {"docs/tutorial": "Tutorial", "docs/how-to": "How to", "docs/explanation": "Why and how"}
"""Where a page goes that mkdocs.yml does not place; any other directory of docs/ belongs to the reference."""


def pages() -> list[Path]:
    """Return the pages of the site, seen from the repository."""
    found = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*/README.md")]
    return [Path(name) for name in ADDED] + sorted(path.relative_to(ROOT) for path in found)


def linked_files(page: Path) -> Iterator[Path]:
    """Give the files, other than pages, that a page links to."""
    for link in _LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        target = (ROOT / page.parent / link).resolve()
        if target.is_file() and target.suffix != ".md" and target.is_relative_to(ROOT):
            yield target.relative_to(ROOT)


def stage(source: Path) -> None:
    """Copy the pages and what they link to into `source`, which is made anew."""
    shutil.rmtree(source, ignore_errors=True)
    for page in pages():
        for path in (page, *linked_files(page)):
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, source / path)


def placed(nav: list[object]) -> Iterator[str]:
    """Give the pages that a navigation names."""
    for item in nav:
        values = list(item.values()) if isinstance(item, dict) else [item]
        for value in values:
            if isinstance(value, list):
                yield from placed(value)
            else:
                yield str(value)


def complete(nav: list[dict[str, object]]) -> list[str]:
    """Put the pages that nobody placed at the end of their chapters; return them."""
    known = set(placed(list(nav)))
    chapters = {title: entries for part in nav for title, entries in part.items() if isinstance(entries, list)}
    missing = [str(path) for path in pages() if str(path) not in known]
    below: dict[str, list[object]] = {}
    for path in missing:
        directory = str(Path(path).parent)
        if path.startswith("examples/"):
            chapters["The project"].append(path)
        elif directory in CHAPTERS or directory == "docs/reference":
            chapters[CHAPTERS.get(directory, "Reference")].append(path)
        else:
            below.setdefault(directory, []).append(path)
    for directory, entries in below.items():
        title = Path(directory).name.replace("-", " ").capitalize()
        chapters["Reference"].append({f"{title}, each" if directory.endswith("migrations") else title: entries})
    return missing


def navigation() -> list[dict[str, object]]:
    """Return what mkdocs.yml places, as it stands there."""
    from mkdocs.utils.yaml import yaml_load

    with (ROOT / "mkdocs.yml").open(encoding="utf-8") as stream:
        return yaml_load(stream)["nav"]


def build() -> int:
    """Build the site, strictly; return the exit code."""
    try:
        from mkdocs.commands.build import build as build_site
        from mkdocs.config import load_config
        from mkdocs.exceptions import Abort
    except ImportError:
        sys.stderr.write("the site needs MkDocs: uv pip install --group dev, or bin/test docs\n")
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    stage(ROOT / "build" / "docs" / "source")
    config = load_config(str(ROOT / "mkdocs.yml"))
    complete(config["nav"])
    try:
        build_site(config)
    except Abort as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"the site is in {Path(config['site_dir']).relative_to(ROOT)}/index.html\n")
    return 0
