"""What a Dockerfile lacks: a text, and the codes with their lines."""

import pytest

from shipway.django.dockerfile import parse_dockerfile
from shipway.scaffold.review import review_dockerfile
from tests.unit.scaffold.projects import subject_of

PROJECT = {
    "requirements.txt": "django==5.2\n",
    "shop/settings.py": "MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']\n",
    ".dockerignore": ".git\n",
}
GOOD = """\
FROM python:3.12-slim AS base
RUN useradd app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
RUN SECRET_KEY=x python manage.py collectstatic --noinput
USER app
CMD ["gunicorn", "shop.wsgi"]
"""
CASES = {
    "good": (GOOD, []),
    "root by its number": (GOOD.replace("USER app", "USER 0"), ["dockerfile.runs_as_root Dockerfile:7"]),
    "no user": (GOOD.replace("USER app\n", ""), ["dockerfile.runs_as_root Dockerfile"]),
    "a user of an earlier stage": (GOOD.replace("CMD", "FROM base\nCMD"), []),
    "secrets": (
        GOOD.replace("USER", "ARG NPM_TOKEN\nENV A=1 \\\n  DB_PASSWORD='x y'\nENV SECRET_KEY=\nUSER"),
        ["dockerfile.secret Dockerfile:7", "dockerfile.secret Dockerfile:8"],
    ),
    "debug": (GOOD.replace("USER", "ENV DJANGO_DEBUG true\nUSER"), ["dockerfile.debug Dockerfile:7"]),
    "latest": (GOOD.replace("python:3.12-slim", "registry:5000/python:latest"), ["dockerfile.latest Dockerfile:1"]),
    "a digest": (GOOD.replace("python:3.12-slim", "python@sha256:1"), []),
    "no lock": (GOOD.replace("-r requirements.txt", "django"), ["dockerfile.no_lock Dockerfile:4"]),
    "shell": (
        GOOD.replace('["gunicorn", "shop.wsgi"]', "gunicorn shop.wsgi"),
        ["dockerfile.shell_form Dockerfile:8"],
    ),
    "exec in a shell": (GOOD.replace('["gunicorn", "shop.wsgi"]', "exec gunicorn shop.wsgi"), []),
    "sources first": (
        GOOD.replace("COPY requirements.txt .", "COPY --chown=app . ."),
        ["dockerfile.copies_first Dockerfile:3"],
    ),
    "nothing collected": (
        "".join(line for line in GOOD.splitlines(keepends=True) if "collect" not in line),
        ["dockerfile.no_collectstatic Dockerfile"],
    ),
    "nothing at all": ("", ["dockerfile.runs_as_root Dockerfile", "dockerfile.no_collectstatic Dockerfile"]),
}


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str) -> None:
    text, wanted = CASES[name]
    found = review_dockerfile(subject_of(PROJECT), parse_dockerfile("Dockerfile", text))
    assert [f"{one.code} {one.where}" for one in found] == wanted
    assert all(one.next for one in found)


def test_no_ignore() -> None:
    subject = subject_of({**PROJECT, ".dockerignore": "(gone)"})
    found = review_dockerfile(subject, parse_dockerfile("Dockerfile", GOOD))
    assert [one.code for one in found] == ["dockerfile.no_ignore"]
