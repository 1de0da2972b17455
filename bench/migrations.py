#!/usr/bin/env python3
"""Measures the verdict on 300 migrations in 40 apps, besides Django's own start. Run in an environment with Django.

Prints the median of several runs, in seconds: Python and Django alone (`django.setup()` and the migration files read),
the whole (`shipway migrations`: probe, verdict, text), and what is left. Fails when that is over 3 s.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from shipway.app.migrations import Asked, judge_project  # noqa: E402  the package of this checkout
from shipway.migrations.render import render_verdicts  # noqa: E402

APPS, MIGRATIONS, FIELDS = 40, 300, 8
LIMIT_S = 3.0
SETTINGS = """SECRET_KEY = "of no use"
INSTALLED_APPS = {apps!r}
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "none.sqlite3"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
MANAGE = """import os, sys
if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
ALONE = """import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
from django.db.migrations.loader import MigrationLoader
MigrationLoader(None)
"""


def write_project(home: Path) -> None:
    """Write a project of 40 apps that refer to each other, with 300 migrations."""
    apps = [f"app{n}" for n in range(APPS)]
    (home / "settings.py").write_text(SETTINGS.format(apps=apps))
    (home / "manage.py").write_text(MANAGE)
    for number, app in enumerate(apps):
        place = home / app / "migrations"
        place.mkdir(parents=True)
        for file in (home / app / "__init__.py", place / "__init__.py"):
            file.write_text("")
        count = MIGRATIONS // APPS + (number < MIGRATIONS % APPS)
        for step in range(count):
            (place / f"{step + 1:04}_step.py").write_text(migration(app, number, step))


def migration(app: str, number: int, step: int) -> str:
    """Return the source of one migration: first the models, then one field and one index each."""
    head = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n"
    if step:
        field = f"migrations.AddField('thing', 'more{step}', models.CharField(max_length=20, default='x'))"
        index = f"migrations.AddIndex('thing', models.Index(fields=['more{step}'], name='{app}_ix{step}'))"
        return f"{head}    dependencies = [('{app}', '{step:04}_step')]\n    operations = [{field}, {index}]\n"
    fields = "".join(f"('f{n}', models.IntegerField(null=True))," for n in range(FIELDS))
    parent = f"('parent', models.ForeignKey('app{number - 1}.thing', models.CASCADE))," if number else ""
    depends = f"('app{number - 1}', '0001_step')," if number else ""
    make = f"[('id', models.BigAutoField(primary_key=True)),{fields}%s]"
    models = ", ".join(
        f"migrations.CreateModel('{name}', {make % (parent if name == 'Thing' else '')})"
        for name in ("Thing", "Other", "Third")
    )
    return f"{head}    dependencies = [{depends}]\n    operations = [{models}]\n"


def timed(work: object) -> float:
    """Return how long a call takes, in seconds."""
    begin = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="a Python with Django")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        write_project(home)

        def alone() -> None:
            subprocess.run((given.python, "-c", ALONE), cwd=home, check=True)

        def whole() -> None:
            answer = judge_project(Asked(home, given.python), lambda _: "")
            document = render_verdicts((verdict for _, verdict in answer.verdicts), answer.vendor)
            assert len(document["migrations"]) == MIGRATIONS

        alone(), whole()
        started = statistics.median(timed(alone) for _ in range(given.runs))
        took = statistics.median(timed(whole) for _ in range(given.runs))
    besides = took - started
    print(f"Python and Django {started:.2f} s, all {took:.2f} s, besides Django {besides:.2f} s (at most {LIMIT_S:g})")
    return int(besides > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
