"""Reading a project from its files."""

import pytest

from shipway.django.project import Project, read_project

MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (
            ["manage.py", "shop/wsgi.py", "shop/asgi.py", "requirements.txt"],
            Project("manage.py", "shop.settings", "shop.wsgi", "shop.asgi", "requirements", "requirements.txt"),
        ),
        (
            ["src/manage.py", "src/shop/wsgi.py", "tests/fake/manage.py", "tests/fake/deep/wsgi.py", "uv.lock"],
            Project("src/manage.py", "shop.settings", "shop.wsgi", "", "uv", "uv.lock"),
        ),
        (
            ["manage.py", "deploy/wsgi.py", "uv.lock", "requirements.txt"],
            Project("manage.py", "shop.settings", "deploy.wsgi", "", "uv", "uv.lock"),
        ),
        (["manage.py", "a/wsgi.py", "b/wsgi.py"], Project("manage.py", "shop.settings")),
        (["README.md"], Project()),
    ],
    ids=["startproject", "src", "elsewhere", "two candidates", "nothing"],
)
def test_what_is_found(paths: list[str], expected: Project) -> None:
    assert read_project(paths, lambda _path: MANAGE) == expected


def test_settings_package_has_its_entry_point_above() -> None:
    manage = 'os.environ.setdefault(\n    "DJANGO_SETTINGS_MODULE", "config.settings.local")'
    found = read_project(["manage.py", "config/wsgi.py", "old/wsgi.py"], lambda _path: manage)
    assert (found.settings_module, found.wsgi) == ("config.settings.local", "config.wsgi")
