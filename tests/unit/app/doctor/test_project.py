"""A project tree and its configuration in, codes with their places out: the cases of project_cases.toml."""

import tomllib
from pathlib import Path

import pytest
import yaml

from shipway.app.doctor.project import check_directory
from shipway.app.doctor.reading import read_project
from shipway.config.load import load_config
from shipway.core.errors import Finding

CASES = {
    case["name"]: case for case in tomllib.loads((Path(__file__).parent / "project_cases.toml").read_text())["case"]
}
SETTINGS = """\
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["shop.example.org"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.staticfiles"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "shop-db"}}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
LOGGING = {"handlers": {"console": {"class": "logging.StreamHandler"}}}

"""
FILES = {
    "manage.py": (
        "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
        "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n"
    ),
    "shop/__init__.py": "",
    "shop/settings.py": SETTINGS,
    "shop/urls.py": "from django.urls import path\nurlpatterns = [path('up', lambda request: None)]\n",
    "shop/wsgi.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\napplication = 1\n",
    "requirements.txt": "django==5.2.1\nwhitenoise==6.9\n",
    ".dockerignore": ".git\n",
    "Dockerfile": (
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
        'RUN SECRET_KEY=x python manage.py collectstatic --noinput\nUSER app\nCMD ["gunicorn", "shop.wsgi"]\n'
    ),
}
CONFIG = """\
service: shop
image: me/shop
registry: {server: registry.example.org, username: me, password: [PASSWORD]}
builder: {arch: amd64}
servers:
  web: {hosts: [a]}
proxy: {host: shop.example.org, ssl: true, app_port: 8000, healthcheck: {path: /up}}
env:
  clear: {}
  secret: [SECRET_KEY]
"""


def diagnosed(directory: Path, case: dict) -> tuple[Finding, ...]:
    files = {**FILES, **case.get("files", {})}
    for path, (old, new) in case.get("replace_files", {}).items():
        assert old in files[path]
        files[path] = files[path].replace(old, new)
    files["shop/settings.py"] += case.get("settings", "")
    for path, text in files.items():
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    text = CONFIG
    for old, new in case.get("replace", []):
        assert old in text
        text = text.replace(old, new)
    text = text.replace("clear: {}", f"clear: {yaml.safe_dump(case.get('clear', {}), default_flow_style=True).strip()}")
    config = load_config({"config/deploy.yml": f"{text}{case.get('config', '')}\n"})
    return check_directory(directory, read_project(directory, config), config, None, "config/deploy.yml")


@pytest.mark.parametrize("name", CASES)
def test_project(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    found = diagnosed(tmp_path, case)
    assert [f"{one.code} {one.where}" for one in found if not one.code.startswith("project.migrations")] == case[
        "wants"
    ]
    assert all(one.what and one.next for one in found)


def test_the_mend_names_the_variable_that_is_read(tmp_path: Path) -> None:
    debug, key = diagnosed(
        tmp_path,
        {"settings": "DEBUG = bool(os.environ.get('SHOP_DEBUG', '1'))\nSECRET_KEY = os.environ.get('SHOP_KEY', 'x')"},
    )
    assert debug.next == "SHOP_DEBUG: false under `env/clear`"
    assert "SHOP_KEY" in key.next


def test_no_value_of_a_secret_is_told(tmp_path: Path) -> None:
    (finding,) = diagnosed(tmp_path, {"settings": "SECRET_KEY = 'only-we-know'"})
    assert "only-we-know" not in repr(finding)


def test_without_a_configuration_the_files_alone_are_judged(tmp_path: Path) -> None:
    diagnosed(tmp_path, {"files": {"requirements.txt": "django\n"}})
    found = check_directory(tmp_path, read_project(tmp_path, None), None, None, "config/deploy.yml")
    assert {one.code for one in found} >= {"project.no_config", "project.unpinned"}


@pytest.mark.parametrize(
    "settings",
    [
        "ALLOWED_HOSTS = ALLOWED_HOSTS.append(ALLOWED_HOSTS)\nX = []\nX.append(X)\nLOGGING = {'handlers': X}",
        "DATABASES = {'default': {'ENGINE': 7, 'NAME': [[]]}}\nDEBUG = {}\nSECURE_PROXY_SSL_HEADER = ((1,),)",
        "ALLOWED_HOSTS = int(os.environ['SECRET_KEY'])\nMEDIA_ROOT = 5\nLOGGING = []\nSECRET_KEY = None",
        "DEBUG = ALLOWED_HOSTS = CSRF_TRUSTED_ORIGINS = INSTALLED_APPS = MIDDLEWARE = DATABASES = lambda: 1",
        "LOGGING = {'handlers': {'a': {'class': ['x'], 'filename': {}}}}\nCSRF_TRUSTED_ORIGINS = [1, None, '://[']",
    ],
)
def test_odd_settings_raise_nothing(settings: str, tmp_path: Path) -> None:
    diagnosed(tmp_path, {"settings": settings})
