"""A small Django project on disk, and the Pythons that can run it."""

import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from shipway.adapters.interpreter import Answered, run_program
from shipway.django.answer import parse_answer
from shipway.django.probe_source import ProbeOptions, build_probe
from shipway.django.report import Report
from tests.absent import absent

TOKEN = "0123456789abcdef" * 2
MANAGE = """\
import os, sys
if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
SETTINGS = """\
SECRET_KEY = "sesame-of-the-shop"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
"""
MODELS = """\
from django.db import models
class Customer(models.Model):
    name = models.CharField(max_length=60)
    vat = models.CharField(max_length=20, null=True)
class Room(models.Model):
    guests = models.ManyToManyField(Customer)
"""
HEAD = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n"


@dataclass(frozen=True)
class DjangoProject:
    """A project whose app `shop` has one migration. `python` runs it."""

    directory: Path
    python: str

    def manage(self, *words: str) -> str:
        ran = subprocess.run(
            (self.python, "manage.py", *words), cwd=self.directory, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def write(self, path: str, text: str) -> None:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    def settings(self, more: str) -> None:
        self.write("conf/settings.py", SETTINGS + textwrap.dedent(more))

    def migration(self, name: str, operations: str, parent: str = "0001_initial", more: str = "") -> None:
        body = f"    dependencies = [('shop', '{parent}')]\n    operations = [{operations}]\n    {more}\n"
        self.write(f"shop/migrations/{name}.py", HEAD + body)

    def ask(self, **options: object) -> Answered:
        chosen = ProbeOptions(**{"limit_s": 60.0, "want": ("databases", "settings"), **options})
        source = build_probe(TOKEN, chosen)
        return run_program(self.python, source, self.directory, limit_s=chosen.limit_s + 30, limit_bytes=64_000_000)

    def report(self, **options: object) -> Report:
        answered = self.ask(**options)
        return parse_answer(answered.output, TOKEN, said=answered.said)


def make_project(directory: Path, python: str = sys.executable, models: str = MODELS) -> DjangoProject:
    project = DjangoProject(directory, python)
    for path, text in {"manage.py": MANAGE, "shop/models.py": models, "conf/settings.py": SETTINGS}.items():
        project.write(path, text)
    for path in ("conf", "shop", "shop/migrations"):
        project.write(f"{path}/__init__.py", "")
    project.manage("makemigrations", "shop", "-v0")
    (directory / "shop.sqlite3").unlink(missing_ok=True)  # its check of the history makes an empty one
    return project


def python_with(django: str, cache: Path, *packages: str) -> str:
    """Return a Python with Django `django` in a virtualenv that is kept for the next time."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        absent("uv is not installed")
    python = cache / "bin" / "python"
    if not python.exists():
        subprocess.run((uv, "venv", "--quiet", "--clear", "--python", sys.executable, cache), check=True)
        install = (uv, "pip", "install", "--quiet", "--python", python, f"django{django}", *packages)
        subprocess.run(install, check=True)
    return str(python)
