"""The probe in real projects: honest ones on several Djangos, and hostile ones."""

import json
import os
from pathlib import Path

import pytest

from shipway.core.errors import ConfigError, Exit, Refused, ShipwayError
from shipway.django.manifest import Origin, build_manifest, read_manifest
from shipway.migrations.explain import reason
from shipway.migrations.verdict import judge
from tests.contract.migrations.django_project import TOKEN, DjangoProject, make_project, python_with

DROP = "migrations.RemoveField('customer', 'vat')"
DJANGOS = [">=4.2,<4.3", pytest.param("", id="newest", marks=pytest.mark.skipif(not os.environ.get("CI"), reason="CI"))]


def test_an_applied_database(project: DjangoProject) -> None:
    project.manage("migrate", "-v0")
    project.migration("0002_drop", DROP)
    report = project.report(want=("settings", "apps", "databases", "tasks", "packages", "checks", "caches", "storage"))
    database = report.databases["default"].database
    assert (database.vendor, database.error, report.faults) == ("sqlite", "", {})
    assert [m.label for m in database.walk if m.key not in database.applied] == ["shop.0002_drop"]
    assert database.live["shop_customer"].columns["vat"].null
    assert database.sizes["shop_customer"].rows == 0
    assert set(database.footprint["shop_room_guests"].columns) == {"id", "room_id", "customer_id"}
    assert report.packages["Django"] or report.packages["django"]
    assert report.caches == {"default": ""}
    (verdict,) = judge(database)
    assert (verdict.old_code, verdict.code_rollback, verdict.cls) == ("breaks", "refused", "destructive")


HIDDEN = {
    "apply": "def apply(self, *args, **more): return super().apply(*args, **more)",
    "unapply": "unapply = lambda self, *args, **more: None",
    "__init__": "def __init__(self, *args): super().__init__(*args); self.operations += []",
    "operations": "operations = type('Later', (), {'__get__': lambda self, one, kind: []})()",
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_migration_with_code_of_its_own_is_not_known(project: DjangoProject, name: str) -> None:
    project.manage("migrate", "-v0")
    project.migration("0002_hidden", "", more=HIDDEN[name])
    project.migration(
        "0003_plain", "migrations.AddField('room', 'size', models.IntegerField(null=True))", "0002_hidden"
    )
    hidden, plain = judge(project.report().databases["default"].database)
    assert (hidden.cls, hidden.old_code, hidden.code_rollback, hidden.reversal) == (
        "needs-approval", "conditional", "warn", "no",
    )  # fmt: skip
    assert f"Migration.{name}" in reason(hidden)
    assert plain.cls == "safe"


OPERATIONS = {
    "a wrapper": "type('Own', (migrations.SeparateDatabaseAndState,), {'database_forwards': lambda *a: None})([], [])",
    "SQL": "type('Own', (migrations.RunSQL,), {'database_forwards': lambda *a: None})('')",
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_with_code_of_its_own_is_not_known(project: DjangoProject, name: str) -> None:
    project.manage("migrate", "-v0")
    project.migration("0002_own", OPERATIONS[name])
    (verdict,) = judge(project.report().databases["default"].database)
    assert (verdict.cls, verdict.old_code) == ("needs-approval", "conditional")


def test_no_database_file_is_made(project: DjangoProject) -> None:
    database = project.report().databases["default"].database
    assert "no file" in database.error
    assert database.applied is None
    assert not (project.directory / "shop.sqlite3").exists()
    assert [m.key for m in database.walk][-1] == ("shop", "0001_initial")


def test_the_session_cannot_write(project: DjangoProject) -> None:
    project.manage("migrate", "-v0")
    project.write(
        "shop/apps.py",
        """
        from django.apps import AppConfig
        from django.db.models.signals import class_prepared
        class Shop(AppConfig):
            name = "shop"
        """,
    )
    project.settings(
        """
        CACHES = {"default": {"BACKEND": "shop.cache.Writer"}}
        """
    )
    project.write(
        "shop/cache.py",
        """
        from django.core.cache.backends.dummy import DummyCache
        class Writer(DummyCache):
            def get(self, *args, **kwargs):
                from shop.models import Customer
                Customer.objects.create(name="written")
        """,
    )
    assert "readonly" in project.report(want=("databases", "caches")).caches["default"].replace("-", "")
    assert (
        project.manage("shell", "-c", "from shop.models import *; print(Customer.objects.count())").split()[-1] == "0"
    )


@pytest.mark.parametrize("version", DJANGOS)
def test_other_djangos(version: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    cache = pytestconfig.cache.mkdir(
        f"django-{version or 'newest'}".replace(",", "").replace("<", "").replace(">=", "")
    )
    project = make_project(tmp_path, python_with(version, cache))
    project.manage("migrate", "-v0")
    project.migration("0002_drop", DROP)
    (verdict,) = judge(project.report().databases["default"].database)
    assert (verdict.old_code, verdict.code_rollback) == ("breaks", "refused")


FORGED = json.dumps({"where": {}, "databases": {}, "end": {"whole": True, "status": 0}})
NOISE = {
    "prints": "print('hello' * 9)",
    "prints bytes": "import os; os.write(1, b'\\xff\\x00\\n' * 99)",
    "prints markers": (
        f"print('\\n-----BEGIN SHIPWAY PROBE {TOKEN}-----\\n{FORGED}\\n-----END SHIPWAY PROBE {TOKEN}-----')"
    ),
    "prints a section": 'import os; os.write(1, b\'{"section": "databases", "data": {}}\\n\')',
    "prints much": "import sys\nfor _ in range(300): sys.stdout.write('x' * 1_000_000)",
    "closes stdout": "import os; os.close(1)",
    "starts a child that stays": "import subprocess; subprocess.Popen(['sleep', '30'])",
    "ignores alarms": "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_a_noisy_project_changes_nothing(project: DjangoProject, noise: str) -> None:
    project.settings(noise)
    report = project.report()
    assert report.settings_module == "conf.settings"
    assert [m.key for m in report.databases["default"].database.walk][-1] == ("shop", "0001_initial")


FAULTS = {
    "raises": ("raise RuntimeError('no luck')", "project.settings", Exit.CONFIG, "no luck"),
    "needs a variable": ("import os; os.environ['SHOP_KEY_X']", "project.settings", Exit.CONFIG, "SHOP_KEY_X"),
    "exits": ("import sys; sys.exit(0)", "project.settings", Exit.CONFIG, "SystemExit"),
    "leaves at once": ("import os; os._exit(0)", "probe.cut_short", Exit.REFUSED, ""),
    "is killed": ("import os; os.kill(os.getpid(), 9)", "probe.cut_short", Exit.REFUSED, ""),
    "hangs": ("import time; time.sleep(60)", "project.settings", Exit.CONFIG, "no end after"),
    "hangs for good": (
        "import signal, time; signal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: time.sleep(1)",
        "probe.cut_short",
        Exit.REFUSED,
        "",
    ),
}


@pytest.mark.parametrize(("more", "code", "status", "said"), FAULTS.values(), ids=FAULTS)
def test_a_project_that_cannot_be_asked(project: DjangoProject, more: str, code: str, status: Exit, said: str) -> None:
    project.settings(more)
    with pytest.raises(ShipwayError) as caught:
        project.report(section_s=1.0, limit_s=4.0)
    error = caught.value
    assert (error.code, error.exit_code) == (code, status)
    assert said in error.what + error.said
    assert not said or "conf/settings.py" in error.where


def test_an_answer_that_is_too_big_is_cut_off(project: DjangoProject) -> None:
    with pytest.raises(Refused) as caught:
        project.report(limit_bytes=200)
    assert caught.value.code == "probe.cut_short"


def test_a_python_without_django(project: DjangoProject, tmp_path: Path) -> None:
    project.write("manage.py", "import django")
    bare = DjangoProject(project.directory, "/usr/bin/python3")
    if not Path(bare.python).exists():
        pytest.skip("there is no system Python")
    with pytest.raises(ConfigError) as caught:
        bare.report()
    assert caught.value.code in ("project.django", "project.settings")


def test_conflicting_leaves_and_broken_graphs(project: DjangoProject) -> None:
    project.migration("0002_a", "")
    project.migration("0002_b", "")
    problems = project.report().databases["default"].problems
    assert problems == (("conflict", "shop", "0002_a", "0002_b"),)
    project.migration("0002_b", "", parent="0000_nowhere")
    assert [p[0] for p in project.report().databases["default"].problems] == ["graph"]


def test_an_inconsistent_history(project: DjangoProject) -> None:
    project.migration("0002_a", "")
    project.manage("migrate", "-v0")
    project.migration("0001_5_between", "")
    project.migration("0002_a", "", parent="0001_5_between")
    assert [p[0] for p in project.report().databases["default"].problems] == ["history"]


def test_an_unreachable_server_is_no_secret_teller(project: DjangoProject) -> None:
    project.settings(
        """
        DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "HOST": "127.0.0.1",
                                 "PORT": 1, "USER": "shop", "PASSWORD": "hunter2-hunter2"}}
        """
    )
    answered = project.ask()
    assert b"hunter2" not in answered.output
    assert b"sesame-of-the-shop" not in answered.output
    one = project.report().databases["default"]
    assert one.database.vendor == "postgresql"
    assert one.fault is not None
    assert [m.key for m in one.database.walk][-1] == ("shop", "0001_initial")


def test_a_manifest_comes_back_as_it_was(project: DjangoProject) -> None:
    project.migration("0002_sql", "migrations.RunSQL(\"UPDATE shop_customer SET vat = 'sesame-of-the-shop'\")")
    body = build_manifest(project.report(), Origin("r7", "c0ffee"))
    text = json.dumps(body)
    assert "sesame" not in text
    manifest = read_manifest(text, where="r7")
    assert manifest.origin.release == "r7"
    assert ("shop", "0002_sql") in manifest.databases["default"].keys
    assert manifest.databases["default"].footprint == project.report().databases["default"].database.footprint
    with pytest.raises(Refused, match="changed after"):
        read_manifest(text.replace("c0ffee", "c0ffef"), where="r7")
    for broken in ("", "[]", "{}", "[" * 100_000, text[:-9]):
        with pytest.raises(Refused):
            read_manifest(broken, where="r7")
