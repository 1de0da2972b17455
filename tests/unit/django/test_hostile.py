"""Projects made to hurt their reader: each is answered in bounded time, and what is sound in it is still read."""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from shipway.django.facts import inspect_project
from shipway.django.tree import TextTree
from tests.unit.django.test_facts import PLAIN

PATIENCE_S = 60
"""Each case takes a second at most; without its bound it would take minutes, or all memory."""


def give_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


SETTINGS = {
    "star imports in a circle": "from .other import *\nfrom .settings import *\n",
    "brackets": "X = " + "[" * 5000 + "]" * 5000 + "\n",
    "signs": "X = " + "-" * 100_000 + "1\n",
    "a sum": "X = " + "+".join(["a"] * 50_000) + "\n",
    "attributes": "X = a" + ".b" * 50_000 + "\n",
    "elif": "if a: pass\n" + "".join(f"elif b{i}: pass\n" for i in range(5000)),
    "squares": "A = 10\n" + "A = A * A\n" * 80,
    "doubled lists": "A = [1]\n" + "A = A + A\n" * 80,
    "doubled texts": "A = 'x'\n" + "A = A + A\nB = f'{A}{A}'\nA = B\n" * 80,
    "doubled paths": "from pathlib import Path\nA = Path('x')\n" + "A = A / A\nA = A.joinpath(A)\n" * 80,
    "lists in lists compared": "A = [1]\nB = [1]\n" + "A = [A, A]\nB = [B, B]\n" * 60 + "C = A == B\nD = B in A\n",
    "replacements": "A = 'aaaaaaaaaaaaaaaaaaaa'\n" + "A = A.replace('a', A)\n" * 30,
    "a function calls itself": "def f(x):\n  return f(x) + f(x)\nDATABASES = f(1)\n",
    "two functions call each other": "def f(x):\n  return [g(x), g(x)]\ndef g(x):\n  return [f(x), f(x)]\nA = f(1)\n",
    "loops in loops": "L = [" + "1, " * 4000 + "]\nfor a in L:\n  for b in L:\n    for c in L:\n      X = 1\n",
    "open choices": "".join(f"if u{i}: A = [{i}]\nelse: A = ['x{i}']\n" for i in range(300)) + "B = A + A + A\n",
    "mistakes": "def f(:\n" * 3000,
    "exceptions": "try:\n  pass\nexcept " + "a.b ," * 20_000 + "\n",
    "a file of its own name": "from split_settings.tools import include\ninclude('*.py', 's*.py', '../*/*.py')\n",
}  # fmt: skip

FILES = {
    "merges in merges": {
        "docker-compose.yml": "a0: &a0 {k: v}\n"
        + "".join(f"a{i}: &a{i}\n  <<: [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n  b: [*a{i - 1}]\n" for i in range(1, 40))
        + "services: {web: *a39}\n"
    },
    "an anchor given twice": {"docker-compose.yml": "a: &a 1\nb: &a 2\nservices: {web: {image: *a}}\n"},
    "YAML in itself": {"docker-compose.yml": "services: &a\n  web: *a\n"},
    "YAML brackets": {"docker-compose.yml": "services: " + "[" * 3000},
    "TOML brackets": {"pyproject.toml": "a = " + "[" * 5000 + "]" * 5000},
    "JSON brackets": {"package.json": "[" * 100_000, "Pipfile.lock": "[" * 100_000},
    "requirements in a circle": {"requirements.txt": "-r a.txt\n-r requirements.txt\n", "a.txt": "-r a.txt\n"},
    "one long requirement": {"requirements.txt": "a" * 500_000 + "\n" + "a " * 200_000},
    "URLs in a circle": {"shop/urls.py": "urlpatterns = [" + "path('a/', include('shop.urls'))," * 200 + "]\n"},
    "lists of URLs in a circle": {
        "shop/urls.py": "".join(f"a{i} = [" + f"a{i + 1}, " * 100 + "]\n" for i in range(10)) + "urlpatterns = a0\n"
    },
    "long commands": {"run.sh": "celery " * 5000 + "\n" + "celery worker " * 4000},
    "a long Dockerfile": {"Dockerfile": "FROM python:3.12\nENV " + "A=b " * 100_000 + "\nCMD " + "gunicorn " * 50_000},
    "an endless line": {"Dockerfile": "FROM python:3.12\n" + "RUN a \\\n" * 100_000},
    "many modules": {f"shop/m{i}.py": "import os\nos.environ['A']\n" for i in range(5000)},
    "many files for uwsgi": {f"etc/uwsgi{i}.ini": f"[uwsgi]\nmodule = a{i}\n" for i in range(3000)}
    | {f"bin/{i}.sh": "echo\n" * 300 for i in range(3000)},
    "blanks": {
        "render.yaml": "DJANGO_SETTINGS_MODULE" + " " * 300_000,
        ".env.example": "\n" * 200_000 + "DJANGO_SETTINGS_MODULE",
        "setup.cfg": "[options]\ninstall_requires =\n" + " \n" * 100_000 + "x",
        "Dockerfile": "FROM python:3.12\nRUN cp " + "-a " * 30_000 + "\nRUN " + "cp a b" * 30_000,
    },
    "many directories on the path": {
        "shop/base.py": "import sys\n" + "".join(f"sys.path.insert(0, 'a{i}')\n" for i in range(5000)),
        **{f"a{i}/x.py": "" for i in range(5000)},
    },
    "an image that copies its settings from themselves": {
        "Dockerfile": "FROM python:3.12\nENV DJANGO_SETTINGS_MODULE=a.b\nRUN cp a/b.py a/b.py && cp ../../x a/b.py"
    },
    "paths upwards": {
        "Dockerfile": 'FROM python:3.12\nCOPY ../../etc/passwd /x.sh\nCMD ["/x.sh", "../../../etc/passwd", "gunicorn"]',
        "compose.yml": "services:\n  web:\n    build: .\n    env_file: [../../../etc/passwd, /etc/passwd]\n",
        "requirements.txt": "-r ../../../etc/passwd\n-r /etc/passwd\n",
    },
}  # fmt: skip


def inspected(files: dict[str, str]) -> None:
    found = inspect_project(TextTree({**PLAIN, **files}))
    assert found.facts["manage"].value == "manage.py"
    assert found.facts["settings"].value == "shop.settings"


@pytest.mark.parametrize("body", SETTINGS.values(), ids=SETTINGS.keys())
def test_settings(body: str) -> None:
    inspected({"shop/settings.py": body, "shop/other.py": "from .settings import *\n"})


@pytest.mark.parametrize("files", FILES.values(), ids=FILES.keys())
def test_files(files: dict[str, str]) -> None:
    inspected({"shop/settings.py": "ROOT_URLCONF = 'shop.urls'\n", **files})


def test_sound_settings_survive_unsound_lines() -> None:
    body = "X = '\\ud800'\nSTATIC_ROOT = X\nbroken = = 1\nINSTALLED_APPS = ['wagtail']\n\0\n"
    found = inspect_project(TextTree({**PLAIN, "shop/settings.py": body}))
    assert found.facts["wagtail"].value is True
    assert found.facts["static_root"].value == "?"
    str(found).encode()


def test_nothing_of_the_project_is_run() -> None:
    body = "import os\nos.environ['SHIPWAY_WAS_RUN'] = '1'\nraise SystemExit\n__import__('os').abort()\n"
    inspected({"shop/settings.py": body, "sitecustomize.py": body, "shop/__init__.py": body})
