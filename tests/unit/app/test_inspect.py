"""The example of the repository, inspected: every fact."""

from pathlib import Path

import pytest

from shipway.app.inspect import inspect_directory, inspection_document
from shipway.core.errors import ConfigError
from shipway.django.fact import Inspection

HARBOR = Path(__file__).parents[3] / "examples" / "harbor"
FACTS = {
    "root": ".",
    "manage": "manage.py",
    "settings": "harbor.settings",
    "wsgi": "harbor.wsgi:application",
    "asgi": None,
    "interface": "wsgi",
    "server": "gunicorn",
    "python": None,
    "django": "5.2",
    "package_manager": "pip",
    "lock": "requirements.txt",
    "dependency_groups": None,
    "system_libraries": [],
    "frontend": None,
    "database": "sqlite3",
    "geodjango": False,
    "cache": None,
    "queue": "django-tasks",
    "celery_app": None,
    "scheduler": None,
    "whitenoise": False,
    "static": "collected",
    "static_root": "staticfiles",
    "static_url": "/static/",
    "static_storage": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    "media_root": "media",
    "media_storage": "django.core.files.storage.FileSystemStorage",
    "health": "/up",
    "wagtail": False,
    "channels": False,
    "dockerfiles": [],
    "procfile": None,
    "compose": [],
    "platforms": ["config/deploy.yml"],
    "release_command": None,
    "env_required": ["SECRET_KEY"],
    "env_known": [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "DEBUG",
        "DJANGO_SETTINGS_MODULE",
        "HSTS_S",
        "HTTPS",
        "LOG_LEVEL",
        "MEDIA_ROOT",
        "REPORT_EVERY_S",
        "SHIPWAY_RELEASE",
        "SHIPWAY_VERSION",
        "STATIC_ROOT",
        "TRUSTED_ORIGINS",
        "WEB_CONCURRENCY",
    ],
}


@pytest.fixture(scope="module")
def harbor() -> Inspection:
    return inspect_directory(str(HARBOR))


def test_every_fact_of_the_example(harbor: Inspection) -> None:
    document = inspection_document(harbor)
    facts = dict(document["facts"])
    variables = facts.pop("env")
    assert facts == FACTS
    assert [one["name"] for one in variables] == FACTS["env_known"]
    assert all(set(one) == {"name", "required", "file", "line"} for one in variables)


def test_its_evidence_names_lines_that_say_so(harbor: Inspection) -> None:
    words = {
        "settings": "harbor.settings",
        "django": "django==5.2",
        "database": "DATABASES",
        "queue": "django_tasks",
        "health": '"up"',
        "static_root": "STATIC_ROOT",
        "server": "gunicorn",
    }
    evidence = inspection_document(harbor)["evidence"]
    for name, word in words.items():
        place = evidence[name]["places"][0]
        assert word in (HARBOR / place["file"]).read_text().splitlines()[place["line"] - 1], name
    for one in harbor.variables:
        lines = (HARBOR / one.file).read_text().splitlines()
        assert one.name in "\n".join(lines[one.line - 1 : one.line + 1]) or one.name == "DATABASE_URL", one


def test_what_is_no_project(tmp_path: Path) -> None:
    for place, code in ((tmp_path, "inspect.no_project"), (tmp_path / "missing", "inspect.no_directory")):
        with pytest.raises(ConfigError) as caught:
            inspect_directory(str(place))
        assert caught.value.code == code
        assert caught.value.next
