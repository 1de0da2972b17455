"""What a verification sees from inside: each thing broken in a site that runs, found and named; and no false alarm."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.bare_server import own_servers
from tests.lab.fixtures import Lab
from tests.lab.pier import Pier

NUMBER = 38
GOOD = int(os.environ.get("SHIPWAY_TEST_VERIFICATIONS", "3"))
CACHE = """
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"{REDIS_URL[:-1]}1"}}
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_URL = "/media/"
"""
LABEL = "    label = models.CharField(max_length=80)\n"
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
SQL = ("accessory", "exec", "db", "--reuse", "--raw", "--", "psql", "-U", "pier", "-tA")


def with_uploads(made: Pier) -> Pier:
    """Give the example uploads in a volume, and a cache in Redis."""
    made.append("pier/settings.py", CACHE)
    made.edit("parcels/models.py", LABEL, LABEL + PHOTO)
    (made.folder / "parcels/migrations/0002_photo.py").write_text(MIGRATION)
    made.append("pier/urls.py", SERVE)
    made.edit("Dockerfile", "USER pier\n", "RUN mkdir media && chown pier media\nUSER pier\n")
    made.append("config/deploy.yml", f"\n{VOLUME}")
    made.append("config/deploy.yml", "\nverify:\n  retries: 0\n  timeout: 20\n  media: true\n  secure: true\n")
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


Found = dict[str, dict[str, Any]]


def verified(pier: Pier, code: int = 0) -> Found:
    """Verify, and return what came of each check, by its code."""
    answer = pier("verify", "--json")
    assert answer.status == code, f"{answer.out[-6000:]}\n{answer.err}"
    return {check["code"]: check for check in json.loads(answer.out)["checks"]}


def failures(found: Found) -> dict[str, str]:
    return {code: check["what"] for code, check in found.items() if check["state"] == "failed"}


def container(pier: Pier, role: str) -> str:
    return f"pier-{role}-{pier.release}"


@contextlib.contextmanager
def without(pier: Pier, name: str) -> Iterator[None]:
    """A container does not run."""
    assert pier.host.docker("stop", "-t", "10", name).status == 0
    try:
        yield
    finally:
        assert pier.host.docker("start", name).status == 0


@contextlib.contextmanager
def read_only(pier: Pier) -> Iterator[None]:
    """New sessions of the database cannot write."""
    pier.ok(*SQL, "-c", "alter database pier set default_transaction_read_only = on")
    try:
        yield
    finally:
        back = "alter database pier reset default_transaction_read_only"
        pier.ok(*SQL, "-c", "set default_transaction_read_only = off", "-c", back)


@contextlib.contextmanager
def second_scheduler(pier: Pier) -> Iterator[None]:
    """Somebody started another one, in the container of the worker."""
    words = ("celery", "-A", "pier", "beat", "--schedule", "/tmp/second", "--pidfile", "/tmp/second.pid")
    assert pier.host.docker("exec", "-d", container(pier, "worker"), *words).status == 0
    try:
        yield
    finally:
        end = "while ! kill $(cat /tmp/second.pid); do sleep 0.2; done"
        assert pier.host.docker("exec", container(pier, "worker"), "sh", "-c", end).status == 0


def test_what_is_broken_is_found_and_named_and_what_is_not_passes(pier: Pier) -> None:
    passes_every_time(pier)
    no_worker(pier)
    redis_down(pier)
    database_read_only(pier)
    two_schedulers(pier)
    uploads_without_a_volume(pier)
    a_process_that_was_killed(pier)
    a_storm_of_errors(pier)


def passes_every_time(pier: Pier) -> None:
    for _ in range(GOOD):
        found = verified(pier)
        assert failures(found) == {}
        skipped = {code for code, check in found.items() if check["state"] == "skipped"}
        assert skipped == {"verify.email"}, "the example sends no mail"


def no_worker(pier: Pier) -> None:
    with without(pier, container(pier, "worker")):
        found = verified(pier, code=4)
    assert set(failures(found)) == {"verify.workers", "verify.restarts"}
    assert failures(found)["verify.workers"] == f"worker on {pier.host.name} did not run"
    assert found["verify.probe_task"]["state"] == "skipped", "it is said once"


def redis_down(pier: Pier) -> None:
    with without(pier, "pier-redis"):
        found = verified(pier, code=4)
    wrong = failures(found)
    assert {"verify.workers", "verify.cache"} <= set(wrong) <= {"verify.workers", "verify.cache", "verify.errors"}
    assert "the cache `default` failed" in wrong["verify.cache"]
    assert "Celery could not ask its workers" in wrong["verify.workers"]


def database_read_only(pier: Pier) -> None:
    with read_only(pier):
        found = verified(pier, code=4)
    assert "read-only transaction" in failures(found)["verify.database"]


def two_schedulers(pier: Pier) -> None:
    with second_scheduler(pier):
        found = verified(pier, code=4)
    what = failures(found)["verify.scheduler"]
    assert what.startswith("2 schedulers ran, where there must be 1")
    assert container(pier, "worker") in what


def uploads_without_a_volume(pier: Pier) -> None:
    """A release that forgot the volume is turned back, and what served goes on."""
    serving = pier.release
    pier.edit("config/deploy.yml", VOLUME, "")
    pier.commit("Forget the volume")
    answer = pier("deploy", "--json")
    assert answer.status == 10, answer
    error = json.loads(answer.out.splitlines()[-1])["error"]
    assert "Parcel.photo" in json.dumps(error), error
    assert pier.release == serving
    pier.git("revert", "--no-edit", "HEAD")


def a_process_that_was_killed(pier: Pier) -> None:
    """Its engine starts it again, so it runs, and that it was started again is told."""
    pid = pier.host.docker("inspect", "--format", "{{.State.Pid}}", container(pier, "beat")).out.strip()
    assert pier.host.run("kill", "-KILL", pid).status == 0
    found = verified(pier, code=4)
    assert (
        "was started again" in failures(found)["verify.restarts"] or "did not run" in failures(found)["verify.restarts"]
    )


def a_storm_of_errors(pier: Pier) -> None:
    line = "ERROR django.request: Internal Server Error: /parcels/$i"
    storm = f"for i in $(seq 15); do echo '{line}'; done >/proc/1/fd/1"
    assert pier.host.docker("exec", container(pier, "web"), "sh", "-c", storm).status == 0
    found = verified(pier, code=4)
    assert f"web on {pier.host.name} logged 15 errors" in failures(found)["verify.errors"]
    assert "15 x ERROR django.request" in found["verify.errors"]["evidence"][0]
