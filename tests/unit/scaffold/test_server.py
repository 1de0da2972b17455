"""Which server the image starts, with which words."""

import pytest

from shipway.scaffold.roles import find_roles
from shipway.scaffold.server import check_server, find_server
from tests.unit.scaffold.projects import subject_of

ASGI = {"shop/wsgi.py": "(gone)", "shop/asgi.py": "application = 1\n"}
CASES = [
    ("gunicorn==23", {}, "gunicorn shop.wsgi:application --bind 0.0.0.0:8000"),
    ("waitress==3", {}, "waitress-serve --listen=0.0.0.0:8000 shop.wsgi:application"),
    ("granian==2", {}, "granian --interface wsgi shop.wsgi:application --host 0.0.0.0 --port 8000"),
    ("uvicorn==0.34", ASGI, "uvicorn shop.asgi:application --host 0.0.0.0 --port 8000"),
    ("daphne==4", ASGI, "daphne shop.asgi:application --bind 0.0.0.0 --port 8000"),
    ("hypercorn==0.17", ASGI, "hypercorn shop.asgi:application --bind 0.0.0.0:8000"),
    (
        "gunicorn==23\nuvicorn-worker==0.3",
        ASGI,
        "gunicorn shop.asgi:application --worker-class uvicorn_worker.UvicornWorker --bind 0.0.0.0:8000",
    ),
    ("gunicorn==23", {"Procfile": "web: gunicorn shop.wsgi -w 4\n"}, "gunicorn shop.wsgi -w 4 --bind 0.0.0.0:8000"),
    (
        "gunicorn==23",
        {"Procfile": "web: gunicorn shop.wsgi -b 127.0.0.1:$PORT\n"},
        "gunicorn shop.wsgi -b 0.0.0.0:8000",
    ),
    (
        "gunicorn==23",
        {"Procfile": "web: gunicorn -b unix:/tmp/x shop.wsgi\n"},
        "gunicorn shop.wsgi:application --bind 0.0.0.0:8000",
    ),
    (
        "gunicorn==23",
        {"Procfile": "web: newrelic-admin run-program gunicorn shop.wsgi $MORE\n"},
        "gunicorn shop.wsgi:application --bind 0.0.0.0:8000",
    ),
]


@pytest.mark.parametrize(("packages", "files", "words"), CASES)
def test_command(packages: str, files: dict[str, str], words: str) -> None:
    subject = subject_of({**files, "requirements.txt": f"django==5.2\n{packages}\n"})
    server = find_server(subject, find_roles(subject)[0])
    assert " ".join(server.argv) == words
    assert check_server(server, subject) == ()


@pytest.mark.parametrize(
    ("files", "hint"),
    [
        ({"requirements.txt": "django==5.2\n"}, "write gunicorn with its version into requirements.txt"),
        ({"uv.lock": '[[package]]\nname = "django"\nversion = "5.2"\n'}, "uv add gunicorn"),
        ({**ASGI, "poetry.lock": '[[package]]\nname = "django"\nversion = "5.2"\n'}, "poetry add uvicorn"),
    ],
)
def test_none_is_said_with_the_command_that_adds_it(files: dict[str, str], hint: str) -> None:
    subject = subject_of(files)
    found = check_server(find_server(subject, find_roles(subject)[0]), subject)
    assert [(one.code, one.next) for one in found] == [("init.no_server", hint)]
