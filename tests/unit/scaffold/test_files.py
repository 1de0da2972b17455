"""What init writes for small projects: cases/NAME.toml in, cases/NAME.txt out.

A new case is a .toml file; `python -m tests.unit.scaffold.test_files` in the root of the repository writes the .txt
files anew, and git shows what became different.
"""

import pytest

from shipway.config.load import load_config
from shipway.config.summary import needed_secrets
from shipway.django.dockerfile import parse_dockerfile
from shipway.scaffold.files import Drafts
from shipway.scaffold.review import review_dockerfile
from tests.unit.scaffold.projects import CASES, case_drafts, drafts_of, shown, subject_of

NAMES = sorted(path.stem for path in CASES.glob("*.toml"))


def text_of(drafts: Drafts, path: str) -> str:
    return next((one.text for one in drafts.files if one.path.endswith(path)), "")


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str) -> None:
    assert shown(case_drafts(name)) == (CASES / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_our_own_loader_has_nothing_to_say(name: str) -> None:
    drafts = case_drafts(name)
    config = load_config({"config/deploy.yml": text_of(drafts, "deploy.yml")})
    assert config.warnings == ()
    assert "web" in [role.name for role in config.roles]
    stub = text_of(drafts, ".kamal/secrets")
    wanted = set(needed_secrets(config))
    named = {line.partition("=")[0] for line in stub.splitlines() if line and not line.startswith("#")}
    assert wanted == named


@pytest.mark.parametrize("name", NAMES)
def test_our_own_review_has_nothing_to_say_about_our_dockerfile(name: str) -> None:
    text = text_of(case_drafts(name), "Dockerfile")
    if not text:
        return
    subject = subject_of({"Dockerfile": text, ".dockerignore": ""})
    codes = {one.code for one in review_dockerfile(subject, parse_dockerfile("Dockerfile", text))}
    assert codes <= {"dockerfile.no_lock", "dockerfile.no_collectstatic"}, "those two are the project's own"
    assert not [word for word in ("--mount", "syntax=", "<<") if word in text], "a classic builder has none of them"


def test_a_dockerfile_for_developers_is_not_the_one_that_is_deployed() -> None:
    text = "FROM python:3.12\nRUN pip install -r requirements.txt\nCMD python manage.py runserver\n"
    drafts = drafts_of({"Dockerfile.dev": text, "requirements.txt": "django==5.2\ngunicorn==23\n"})
    assert text_of(drafts, "Dockerfile").startswith("# Written by")
    assert not [one for one in drafts.findings if one.code.startswith("dockerfile.")]


@pytest.mark.parametrize(
    ("end", "port"),
    [
        ("EXPOSE 9000/tcp\nCMD gunicorn shop.wsgi", 9000),
        ('CMD ["gunicorn", "shop.wsgi", "-b", ":5000"]', 5000),
        ('CMD ["uvicorn", "shop.asgi:application", "--host", "0.0.0.0", "--port", "80"]', 80),
        ("CMD gunicorn shop.wsgi --bind=0.0.0.0:8080", 8080),
        ("EXPOSE $PORT\nCMD gunicorn shop.wsgi", 8000),
        ("EXPOSE 99999999999\nCMD gunicorn shop.wsgi", 8000),
    ],
)
def test_the_port_of_a_dockerfile_that_is_kept(end: str, port: int) -> None:
    files = {
        "Dockerfile": f"FROM python:3.12\nRUN pip install -r requirements.txt\n{end}\n",
        "requirements.txt": "django",
    }
    config = load_config({"config/deploy.yml": text_of(drafts_of(files), "deploy.yml")})
    proxy = next(role.proxy for role in config.roles if role.name == "web")
    assert proxy is not None
    assert proxy.app_port == port


if __name__ == "__main__":
    for one in NAMES:
        (CASES / f"{one}.txt").write_text(shown(case_drafts(one)))
