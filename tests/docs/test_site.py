"""The site of the documentation: each page has its place. That links lead somewhere is asked by building it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.pages import ROOT, name_of


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / "bin" / "docs_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nav(site: ModuleType) -> list[dict[str, object]]:
    return site.navigation()


def test_what_is_placed_exists(site: ModuleType, nav: list[dict[str, object]]) -> None:
    assert [page for page in site.placed(nav) if not (ROOT / page).is_file()] == []


def test_every_page_gets_a_place(site: ModuleType, nav: list[dict[str, object]]) -> None:
    site.complete(nav)
    placed = list(site.placed(nav))
    assert {str(page) for page in site.pages()} <= set(placed)
    assert len(placed) == len(set(placed))


def test_a_new_page_comes_last_in_its_chapter(site: ModuleType) -> None:
    chapters = ("Tutorial", "How to", "Why and how", "Reference", "The project")
    nav = [{title: []} for title in chapters]
    site.complete(nav)
    by_title = {title: part[title] for part, title in zip(nav, chapters, strict=True)}
    assert "docs/how-to/ci.md" in by_title["How to"]
    assert "docs/reference/gate.md" in by_title["Reference"]
    assert any(
        isinstance(one, dict) and "docs/reference/migrations/rename.md" in next(iter(one.values()))
        for one in by_title["Reference"]
    )


def test_the_pages_are_staged_where_their_links_expect_them(site: ModuleType, tmp_path: Path) -> None:
    site.stage(tmp_path / "source")
    staged = {name_of(ROOT / path.relative_to(tmp_path / "source")) for path in (tmp_path / "source").rglob("*.*")}
    assert {"README.md", "docs/how-to/ci.md", "examples/pier/README.md"} <= staged
