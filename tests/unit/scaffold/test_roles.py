"""Roles from other platforms' files, and from what the project uses."""

import pytest

from shipway.scaffold.roles import find_roles
from tests.unit.scaffold.projects import subject_of

CELERY = {
    "requirements.txt": "django==5.2\ncelery==5.4\n",
    "shop/celery.py": "from celery import Celery\napp = Celery('shop')\n",
    "shop/settings.py": "CELERY_BROKER_URL = 'redis://x'\nCELERY_BEAT_SCHEDULE = {'a': {}}\n",
}
WORKER = ("worker", "worker", "celery -A shop.celery worker --loglevel INFO")
BEAT = ("beat", "scheduler", "celery -A shop.celery beat --schedule /tmp/celerybeat-schedule --loglevel INFO")
WEB = ("web", "web", "")
CASES: dict[str, tuple[dict[str, str], list[tuple[str, str, str]]]] = {
    "nothing is said": ({}, [WEB]),
    "celery": (CELERY, [WEB, WORKER, BEAT]),
    "a Procfile that has only the site": (
        {**CELERY, "Procfile": "web: gunicorn shop.wsgi\n"},
        [("web", "web", "gunicorn shop.wsgi"), WORKER, BEAT],
    ),
    "beat inside the worker": (
        {**CELERY, "Procfile": "worker: celery -A shop worker -B\n"},
        [WEB, ("worker", "worker", "celery -A shop worker -B")],
    ),
    "beat of a Procfile": (
        {"Procfile": "beat: celery -A shop beat\nother: celery -A shop worker\n"},
        [
            WEB,
            ("worker", "worker", "celery -A shop worker"),
            ("beat", "scheduler", "celery -A shop beat --schedule /tmp/celerybeat-schedule"),
        ],
    ),
    "two workers keep their names": (
        {"Procfile": "mail: celery -A shop worker -Q mail\nfast: celery -A shop worker -Q fast\n"},
        [
            WEB,
            ("mail", "worker", "celery -A shop worker -Q mail"),
            ("fast", "worker", "celery -A shop worker -Q fast"),
        ],
    ),
    "what Shipway does itself, and runners, are left out": (
        {
            "Procfile": "release: python manage.py migrate\n"
            "web: python manage.py migrate && exec poetry run gunicorn shop.wsgi -b :${PORT:-5000}\n"
            "clock: uv run python manage.py clock\n"
        },
        [("web", "web", "gunicorn shop.wsgi -b :8000"), ("beat", "scheduler", "python manage.py clock")],
    ),
    "heroku.yml": (
        {"heroku.yml": "run:\n  web: uvicorn a.asgi:b\n  tasks:\n    command:\n      - python manage.py db_worker\n"},
        [("web", "web", "uvicorn a.asgi:b"), ("worker", "worker", "python manage.py db_worker")],
    ),
    "a compose file of a developer": (
        {
            "docker-compose.yml": "services:\n  web: {build: ., command: python manage.py runserver}\n"
            "  db: {image: postgres}\n  q:\n    build: .\n    command: python manage.py qcluster\n"
        },
        [WEB, ("worker", "worker", "python manage.py qcluster")],
    ),
    "more than one simple command": (
        {"fly.toml": "[processes]\nworker = 'cd x; python manage.py rqworker'\n"},
        [WEB, ("worker", "worker", "sh -c 'cd x; python manage.py rqworker'")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_roles(name: str) -> None:
    files, wanted = CASES[name]
    found = [(role.name, role.kind, role.cmd) for role in find_roles(subject_of(files))]
    assert found == wanted
