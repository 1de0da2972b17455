"""Names and texts of strangers, everywhere they can come from: what is written stays well-formed, or is refused."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from shipway.config.load import load_config
from shipway.core.errors import ConfigError
from shipway.django.dockerfile import parse_dockerfile
from tests.unit.scaffold.projects import drafts_of

HARD = st.text(alphabet="a/.'\"\\\n\r\t $`;&|<>(){}[]*?!#%=:,-é\x00\x1b\u2028", max_size=12)
KEYWORD = re.compile(r"(FROM|RUN|ENV|COPY|WORKDIR|USER|EXPOSE|CMD|#)( |$)")


def project(text: str) -> dict[str, str]:
    quoted = json.dumps(text)
    return {
        "Procfile": f"web: gunicorn shop.wsgi {text}\nwo{text}: python manage.py x {text}\n",
        "fly.toml": f"[processes]\n{quoted} = {quoted}\n" if "\x1b" not in text and "\x00" not in text else "",
        "package.json": json.dumps({"scripts": {"build": text}, "engines": {"node": text}}),
        "requirements.txt": f"django==5.2\ngunicorn==23.0\ncelery==5\n-r {text}\n",
        ".nvmrc": text,
        "shop/celery.py": f"from celery import Celery\napp = Celery({quoted})\n",
        "shop/settings.py": (
            f"import os\nSECRET_KEY = os.environ['SECRET_KEY']\nA = os.environ[{quoted}]\nB = os.environ['B']\n"
            f"STATIC_ROOT = {quoted}\nMEDIA_ROOT = {quoted}\nSTATIC_URL = {quoted}\nROOT_URLCONF = {quoted}\n"
            f"DATABASES = {{'default': {{'ENGINE': 'django.db.backends.postgresql', 'NAME': {quoted}}}}}\n"
        ),
    }


@settings(max_examples=60, deadline=None)
@given(HARD, st.sampled_from(("docker", "venv")))
def test_what_is_written_is_well_formed(text: str, runtime: str) -> None:
    drafts = drafts_of(project(text), server="192.0.2.10", site="shop.example.org", runtime=runtime)
    files = {one.path: one.text for one in drafts.files}
    assert load_config({"config/deploy.yml": files["config/deploy.yml"]}).warnings == ()
    if runtime == "docker":
        check_dockerfile(files["Dockerfile"])


@settings(max_examples=60, deadline=None)
@given(HARD.filter(bool))
def test_directories_with_such_names_are_refused_or_written_well(name: str) -> None:
    place = name.strip("/.\n\r") or "a"
    files = dict.fromkeys(("manage.py", "shop/settings.py", "shop/wsgi.py", "shop/__init__.py"), "(gone)")
    files |= {
        f"{place}/manage.py": "execute_from_command_line()",
        f"{place}/requirements.txt": "django==5.2\ngunicorn==23\n",
    }
    try:
        drafts = drafts_of(files)
    except ConfigError as error:
        refusal = error.code
    else:
        refusal = ""
    assert refusal in ("", "init.odd_name")
    if refusal:
        return
    texts = {one.path.rpartition("/")[2]: one.text for one in drafts.files}
    check_dockerfile(texts["Dockerfile"])
    load_config({"config/deploy.yml": texts["deploy.yml"]})


def check_dockerfile(text: str) -> None:
    """Every line begins an instruction or goes on with one, and the order of instructions is ours."""
    is_going_on = False
    for line in text.split("\n"):
        assert line == "" or is_going_on or KEYWORD.match(line), line
        assert all(letter.isprintable() for letter in line), line
        is_going_on = line.endswith("\\")
    found = [one.keyword for one in parse_dockerfile("Dockerfile", text).instructions]
    assert found[0] == "FROM"
    assert found[-3:] == ["USER", "EXPOSE", "CMD"]
    last = parse_dockerfile("Dockerfile", text).instructions[-1]
    assert all(isinstance(word, str) for word in json.loads(last.text))
