"""Which apps lack migrations: asked of a real Django in a process of its own, and answers that make no sense."""

import subprocess
import sys
from pathlib import Path

import pytest

from shipway.django.missing_source import missing_source, parse_missing

TOKEN = "0123456789abcdef"
MANAGE = """\
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    print("noise of the project")
    execute_from_command_line(sys.argv)
"""
SETTINGS = """\
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "goods"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "nowhere.invalid", "NAME": "x"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
MODEL = "from django.db import models\nclass Good(models.Model):\n    name = models.TextField()\n"
MIGRATION = """\
from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Good", [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("name", models.TextField()),
    ])]
"""


def ask(directory: Path, model: str) -> tuple[str, ...] | None:
    files = {
        "manage.py": MANAGE,
        "shop/__init__.py": "",
        "shop/settings.py": SETTINGS,
        "goods/__init__.py": "",
        "goods/models.py": model,
        "goods/migrations/__init__.py": "",
        "goods/migrations/0001_initial.py": MIGRATION,
    }
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    source = missing_source(TOKEN, "manage.py")
    done = subprocess.run((sys.executable, "-"), input=source.encode(), cwd=directory, capture_output=True, check=False)
    return parse_missing(done.stdout, TOKEN)


def test_nothing_is_missing_and_no_database_is_asked(tmp_path: Path) -> None:
    assert ask(tmp_path, MODEL) == ()


def test_a_changed_model_is_found(tmp_path: Path) -> None:
    assert ask(tmp_path, MODEL + "    price = models.IntegerField()\n") == ("goods",)


def test_a_project_that_cannot_be_loaded_gives_no_answer(tmp_path: Path) -> None:
    assert ask(tmp_path, "raise RuntimeError\n") is None


@pytest.mark.parametrize(
    "body", ["", "{}", '{"a": 1}', '["a b"]', '["../x"]', "[1]", "[[" * 5000, '["' + "a" * 300 + '"]', "null"]
)
def test_hostile_answers(body: str) -> None:
    output = f"\n-----BEGIN {TOKEN}-----\n{body}\n-----END {TOKEN}-----\n".encode()
    assert parse_missing(output, TOKEN) is None
    assert parse_missing(b"x" + output.replace(b"END", b"EMD"), TOKEN) is None
    assert parse_missing(output, "f" * 16) is None
