"""What a verification sees from inside: each thing broken in a site that runs, found and named; and no false alarm."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.bare_server import own_servers
from tests.lab.fixtures import Lab
from tests.lab.pier import Pier

NUMBER = 38
GOOD = 20
CACHE = """
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"{REDIS_URL[:-1]}1"}}
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_URL = "/media/"
"""
PHOTO = '    photo = models.FileField(blank=True, default="")\n'
SERVE = """
from django.conf import settings
from django.urls import re_path
from django.views.static import serve

urlpatterns.append(re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}))
"""
MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parcels", "0001_initial")]
    operations = [migrations.AddField("parcel", "photo", models.FileField(blank=True, default="", upload_to=""))]
"""
VOLUME = "volumes:\n  - pier-media:/app/media\n"
SQL = ("accessory", "exec", "db", "--reuse", "--raw", "--", "psql", "-U", "pier", "-tAc")


def with_uploads(made: Pier) -> Pier:
    """Give the example uploads in a volume, and a cache in Redis."""
    made.append("pier/settings.py", CACHE)
    made.edit("parcels/models.py", "    class Meta:\n        ordering = [\"-pk\"]\n\n    def __str__(self):\n        return self.label",
              f"{PHOTO}\n    class Meta:\n        ordering = [\"-pk\"]\n\n    def __str__(self):\n        return self.label")  # fmt: skip
    (made.folder / "parcels/migrations/0002_photo.py").write_text(MIGRATION)
    made.append("pier/urls.py", SERVE)
    made.edit("Dockerfile", "USER pier\n", "RUN mkdir media && chown pier media\nUSER pier\n")
    made.append("config/deploy.yml", f"\n{VOLUME}")
    made.append("config/deploy.yml", "\nverify:\n  media: true\n  secure: true\n")
    made.commit("Uploads and a cache")
    return made


@pytest.fixture(scope="module")
def pier(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pier]:
    """The example on a server of its own, with its worker and its scheduler."""
    place = tmp_path_factory.mktemp("operator")
    with own_servers(lab, place, (NUMBER,), bare=False) as (host,):
        made = Pier(lab, host, place / "pier").prepare()
        made.edit("config/deploy.yml", lab.ssh_config, str(place / "ssh_config"))
        with_uploads(made).ok("setup")
        yield made


def verified(pier: Pier, code: int = 0) -> dict[str, dict[str, Any]]:
    """Verify, and return what came of each check, by its code."""
    answer = pier("verify", "--json")
    assert answer.status == code, f"{answer.out[-6000:]}\n{answer.err}"
    return {check["code"]: check for check in json.loads(answer.out)["checks"]}


def failed(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {code: check["what"] for code, check in found.items() if check["state"] == "failed"}
