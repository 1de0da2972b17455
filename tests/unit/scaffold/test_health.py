"""The health view: offered where there is none, and written into a URLconf that can be changed safely."""

import ast
from difflib import ndiff

import pytest

from shipway.scaffold.health import VIEW, offer_health
from tests.unit.scaffold.projects import subject_of

SETTINGS = {"shop/settings.py": "ROOT_URLCONF = 'shop.urls'\n"}
LIST = "urlpatterns = [\n    path('', index),\n]\n"


@pytest.mark.parametrize(
    "urls",
    [
        f"from django.urls import path\n\n{LIST}",
        f'"""Ours."""\nfrom __future__ import annotations\nfrom django.urls import (\n    include,\n)\n\n{LIST}',
        f"from django.urls import path as p\n{LIST}urlpatterns += static('/x')\n",
        "from ours import urlpatterns",
        "from django.urls import URLPattern\nurlpatterns: list[URLPattern] = []",
    ],
)
def test_the_route_comes_first_and_nothing_else_changes(urls: str) -> None:
    view = offer_health(subject_of({**SETTINGS, "shop/urls.py": urls}))
    assert view is not None
    assert view.urls is not None
    assert [line for line in ndiff(urls.splitlines(), view.urls.splitlines()) if line.startswith("- ")] == []
    names = [one.name for node in ast.parse(view.urls).body if isinstance(node, ast.ImportFrom) for one in node.names]
    assert {"path", "up"} <= set(names)
    assert view.urls.endswith('urlpatterns = [path("up", up), *urlpatterns]\n')
    assert view.path == "shop/health.py"
    ast.parse(VIEW)


@pytest.mark.parametrize(
    "urls",
    [
        "",
        "urlpatterns = [",
        "from a import b\r\nurlpatterns = []\r\n",
        "import x\n",
        "from os import path\nurlpatterns = []\n",
        "from ours import up\nurlpatterns = []\n",
    ],
)
def test_what_cannot_be_changed_safely_is_left_to_a_person(urls: str) -> None:
    view = offer_health(subject_of({**SETTINGS, "shop/urls.py": urls}))
    assert view is not None
    assert view.urls is None
    assert "from shop.health import up" in view.lines


def test_not_offered_where_there_is_one_or_no_urlconf() -> None:
    urls = "from django.urls import path\nurlpatterns = [path('up', up)]\n"
    assert offer_health(subject_of({**SETTINGS, "shop/urls.py": urls})) is None
    assert offer_health(subject_of({})) is None


def test_a_module_below_src() -> None:
    gone = dict.fromkeys(("shop/settings.py", "shop/wsgi.py", "shop/__init__.py"), "(gone)")
    files = {"src/shop/settings.py": "ROOT_URLCONF = 'shop.urls'\n", "src/shop/urls.py": f"import a\n{LIST}"}
    view = offer_health(subject_of({**gone, **files}))
    assert view is not None
    assert (view.path, "from shop.health import up" in view.lines) == ("src/shop/health.py", True)
