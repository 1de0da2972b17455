"""The models that a project's migrations lead to, written into its `models.py`."""

import subprocess

from tests.contract.migrations.django_project import DjangoProject

SOURCE = """
import os, sys
sys.path.insert(0, ".")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings")
import django
django.setup()
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.serializer import serializer_factory

state = MigrationLoader(None).project_state()
left = [model for (app, _), model in state.models.items() if app == "shop"]
imports, classes = {"from django.db import models"}, []

def parent(base):
    return state.models[tuple(base.lower().split("."))] if isinstance(base, str) else None

def text(value):
    written, needed = serializer_factory(value).serialize()
    imports.update(needed)
    return written

while left:
    model = next(m for m in left if not any(parent(base) is one for base in m.bases for one in left))
    left.remove(model)
    bases = ", ".join(parent(base).name if parent(base) else "models.Model" for base in model.bases)
    meta = {key: value for key, value in model.options.items() if value}
    lines = [f"class {model.name}({bases}):", *(f"    {name} = {text(field)}" for name, field in model.fields.items())]
    lines += ["    class Meta:", "        app_label = 'shop'", *(f"        {k} = {text(v)}" for k, v in meta.items())]
    classes.append("\\n".join(lines))
print("\\n".join(sorted(imports)), *classes, sep="\\n\\n")
"""


def follow_migrations(project: DjangoProject) -> None:
    ran = subprocess.run(
        (project.python, "-c", SOURCE), cwd=project.directory, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    project.write("shop/models.py", ran.stdout)
