"""Services tried from inside a real project: PostgreSQL, Redis, a mail server, files; good ones, and each broken."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipway.adapters.interpreter import run_program
from shipway.core.errors import Refused, ShipwayError
from shipway.core.inside import Inside, Tried
from shipway.django.inside import parse_inside
from shipway.django.inside_source import InsideOptions, inside_source
from shipway.verification.services import judge_service
from tests.contract.migrations.django_project import TOKEN, DjangoProject
from tests.contract.migrations.postgres import BIN, as_owner, postgres
from tests.contract.migrations.redis import redis

MARK = "c0ffee" * 4
SESSIONS = """
INSTALLED_APPS = ["shop", "django.contrib.sessions", "django.contrib.contenttypes", "django.contrib.auth"]
"""
WITH_FILE = """\
from django.db import models
class Customer(models.Model):
    photo = models.FileField()
"""


def ask(project: DjangoProject, *want: str, **options: object) -> Inside:
    chosen = InsideOptions(MARK, want=want, **{"ask_s": 5.0, **options})
    answered = run_program(
        project.python, inside_source(TOKEN, chosen), project.directory, limit_s=90, limit_bytes=9_000_000
    )
    return parse_inside(answered.output, TOKEN, said=answered.said)


def one(project: DjangoProject, kind: str, **options: object) -> Tried:
    (found,) = ask(project, kind, **options).services[kind]
    return found


COUNT = "from django.contrib.sessions.models import Session; print(Session.objects.count())"


def sessions(project: DjangoProject) -> int:
    return int(project.manage("shell", "-v0", "-c", COUNT).split()[-1])


@pytest.fixture
def shop(project: DjangoProject) -> DjangoProject:
    project.settings(SESSIONS)
    project.manage("migrate", "-v0")
    return project


def test_a_database_is_read_and_written_and_nothing_is_left(shop: DjangoProject) -> None:
    found = one(shop, "database")
    assert (found.fault, found.vendor, found.table, found.wrote) == ("", "sqlite", "django_session", True)
    assert sessions(shop) == 0
    assert not one(shop, "database", write=False).wrote
    answer = judge_service("database", ask(shop, "database"))
    assert answer.state == "passed"
    assert "written to and rolled back" in answer.evidence[0]


def test_without_sessions_another_table_is_touched(project: DjangoProject) -> None:
    project.manage("migrate", "-v0")
    assert one(project, "database").table in ("shop_customer", "shop_room")


def test_a_missing_file_is_not_made(project: DjangoProject) -> None:
    assert "there is no file" in one(project, "database").fault
    assert not (project.directory / "shop.sqlite3").exists()


ROUTER = """
DATABASES["replica"] = {**DATABASES["default"]}
DATABASE_ROUTERS = ["conf.routers.Split"]
"""


def test_an_alias_to_which_nobody_writes_is_only_read(shop: DjangoProject) -> None:
    shop.write("conf/routers.py", "class Split:\n    def db_for_read(self, model, **hints): return 'replica'\n")
    shop.settings(SESSIONS + ROUTER)
    found = {one.name: one.wrote for one in ask(shop, "database").services["database"]}
    assert found == {"default": True, "replica": False}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as place:
        yield place


def on_postgres(project: DjangoProject, place: str, name: str) -> None:
    words = (str(BIN / "psql"), "-h", place, "-U", "postgres", "-qc", f"CREATE DATABASE {name}")
    as_owner(*words)
    database = f'{{"ENGINE": "django.db.backends.postgresql", "NAME": "{name}", "HOST": "{place}", "USER": "postgres"}}'
    project.settings(SESSIONS + f'DATABASES = {{"default": {database}}}\n')
    project.manage("migrate", "-v0")


def test_postgres_is_written_to_and_rolled_back(project: DjangoProject, server: str) -> None:
    on_postgres(project, server, "good")
    found = one(project, "database")
    assert (found.fault, found.vendor, found.wrote) == ("", "postgresql", True)
    assert sessions(project) == 0


def test_a_read_only_postgres_is_named(project: DjangoProject, server: str) -> None:
    on_postgres(project, server, "shut")
    sql = "ALTER DATABASE shut SET default_transaction_read_only = on"
    as_owner(str(BIN / "psql"), "-h", server, "-U", "postgres", "-qc", sql)
    answer = judge_service("database", ask(project, "database"))
    assert answer.state == "failed"
    assert "read-only transaction" in answer.what
    assert ask(project, "database", write=False).services["database"][0].fault == ""


CACHES = """
CACHES = {{
    "default": {{"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://{0}/0"}},
    "none": {{"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
}}
"""
FORGETS = """
from django.core.cache.backends.locmem import LocMemCache
class Forgets(LocMemCache):
    def set(self, *args, **kwargs): pass
"""


def test_caches_in_redis(shop: DjangoProject) -> None:
    with redis() as at:
        shop.settings(SESSIONS + CACHES.format(at))
        inside = ask(shop, "cache")
        assert judge_service("cache", inside).state == "passed", inside
        assert "keeps nothing" in inside.services["cache"][1].skipped
    answer = judge_service("cache", ask(shop, "cache"))
    assert answer.state == "failed"
    assert "cache `default` failed" in answer.what
    assert "refused" in answer.what


def test_a_cache_that_swallows_its_errors_is_found(shop: DjangoProject) -> None:
    shop.write("shop/cache.py", FORGETS)
    shop.settings(SESSIONS + 'CACHES = {"default": {"BACKEND": "shop.cache.Forgets"}}\n')
    assert "did not give back" in judge_service("cache", ask(shop, "cache")).what


@pytest.fixture
def smtp() -> Iterator[tuple[int, list[str]]]:
    """A mail server that hears who comes: real enough for a greeting, a login and a farewell."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard: list[str] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, connection.makefile("rwb") as lines:
                    lines.write(b"220 mail\r\n")
                    lines.flush()
                    for line in lines:
                        heard.append(line.split()[0].decode().upper())
                        says = {"EHLO": b"250-mail\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 in\r\n"}
                        is_guest = b"AGd1ZXN0" in line
                        lines.write(b"535 no\r\n" if is_guest else says.get(heard[-1], b"250 ok\r\n"))
                        lines.flush()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)


def test_the_mail_server_is_opened_and_nothing_is_sent(shop: DjangoProject, smtp: tuple[int, list[str]]) -> None:
    port, heard = smtp
    assert one(shop, "email").skipped == "no e-mail is configured"
    place = f'EMAIL_HOST = "127.0.0.1"\nEMAIL_PORT = {port}\nEMAIL_HOST_PASSWORD = "pass-word-of-ours"\n'
    shop.settings(SESSIONS + place + 'EMAIL_HOST_USER = "shop"\n')
    assert one(shop, "email").server == f"127.0.0.1:{port}"
    assert heard[:2] == ["EHLO", "AUTH"]
    assert not {"MAIL", "RCPT", "DATA"} & set(heard)
    shop.settings(SESSIONS + place + 'EMAIL_HOST_USER = "guest"\n')
    answer = judge_service("email", ask(shop, "email"))
    assert "SMTPAuthenticationError" in answer.what
    assert "pass-word-of-ours" not in str(answer)
    shop.settings(SESSIONS + place + 'EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"\n')
    assert judge_service("email", ask(shop, "email")).state == "skipped"


def test_storage_keeps_a_file_and_gives_it_back(shop: DjangoProject) -> None:
    assert one(shop, "storage").skipped == "no MEDIA_ROOT is set"
    shop.settings(SESSIONS + 'MEDIA_ROOT = "uploads"\nMEDIA_URL = "/media/"\n')
    media = shop.directory / "uploads"
    assert judge_service("storage", ask(shop, "storage")).state == "passed"
    assert list(media.iterdir()) == []
    kept = one(shop, "media")
    assert (media / kept.file).read_text() == MARK
    assert kept.url == f"/media/{kept.file}"
    (media / "of-a-customer.txt").write_text("x")
    for foreign in ("of-a-customer.txt", f"../uploads/{kept.file}", "../conf/settings.py"):
        assert "no file of a verification" in one(shop, "media_gone", file=foreign).fault
    assert one(shop, "media_gone", file=kept.file).is_gone
    assert [path.name for path in media.iterdir()] == ["of-a-customer.txt"]


def test_a_storage_that_cannot_be_written_to_is_named(shop: DjangoProject) -> None:
    (shop.directory / "uploads").write_text("a file stands where the directory should be")
    shop.settings(SESSIONS + 'MEDIA_ROOT = "uploads"\n')
    answer = judge_service("storage", ask(shop, "storage"))
    assert answer.state == "failed"
    assert "the storage of files `default` failed" in answer.what


WEB = """
ROOT_URLCONF = "shop.urls"
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
ALLOWED_HOSTS = ["*"]
"""
URLS = """
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
def up(request):
    return HttpResponse("ok")
urlpatterns = [path("hook/", csrf_exempt(up), name="hook"), path("up/", up, name="up")]
"""


def test_a_page_that_tells_of_https_is_found(shop: DjangoProject) -> None:
    shop.write("shop/urls.py", URLS)
    shop.settings(SESSIONS + WEB)
    assert ask(shop, "secure", paths=("/hook/",)).secure.path == "/up/", "an exempt view would be run"
    shop.settings(SESSIONS + WEB + "MIDDLEWARE = []\n")
    assert "CsrfViewMiddleware" in ask(shop, "secure").secure.why
    shop.write(
        "shop/own.py", "from django.http import HttpResponse\ndef no(r, reason=''): return HttpResponse(status=403)\n"
    )
    shop.settings(SESSIONS + WEB + 'CSRF_FAILURE_VIEW = "shop.own.no"\n')
    assert "does not say why" in ask(shop, "secure").secure.why


NOISE = {
    "prints": "print('hello' * 9)",
    "prints an answer": 'import os; os.write(1, b\'{"section": "cache", "data": []}\\n\')',
    "closes stdout": "import os; os.close(1)",
    "ignores alarms": "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_a_noisy_project_changes_nothing(shop: DjangoProject, noise: str) -> None:
    shop.settings(SESSIONS + noise)
    inside = ask(shop, "database", "cache")
    assert [found.wrote for found in inside.services["database"]] == [True]
    assert [found.backend for found in inside.services["cache"]] == ["LocMemCache"]


def test_what_hangs_is_named_and_the_rest_is_answered(shop: DjangoProject) -> None:
    shop.write("shop/cache.py", "import time\ndef __getattr__(name): time.sleep(60)\n")
    shop.settings(SESSIONS + 'CACHES = {"default": {"BACKEND": "shop.cache.Slow"}}\n')
    inside = ask(shop, "cache", "database", ask_s=1.0)
    assert "no end after 1 s" in judge_service("cache", inside).what
    assert judge_service("database", inside).state == "passed"


def test_a_process_that_ends_in_the_middle_fails_what_it_left_out(shop: DjangoProject) -> None:
    shop.write("shop/cache.py", "import os\ndef __getattr__(name): os._exit(0)\n")
    shop.settings(SESSIONS + 'CACHES = {"default": {"BACKEND": "shop.cache.Gone"}}\n')
    inside = ask(shop, "database", "cache")
    assert judge_service("database", inside).state == "passed"
    assert "while looking at: cache" in judge_service("cache", inside).what


def test_a_project_that_cannot_be_loaded_is_an_error(shop: DjangoProject) -> None:
    shop.settings("raise RuntimeError('no luck')")
    with pytest.raises(ShipwayError, match="settings could not be loaded"):
        ask(shop, "database")
    answered = subprocess.run(("true",), capture_output=True, check=True)
    with pytest.raises(Refused, match="without an answer about what it works with"):
        parse_inside(answered.stdout, TOKEN)


def test_a_models_files_are_known(project: DjangoProject, tmp_path: Path) -> None:
    project.write("shop/models.py", WITH_FILE)
    project.settings(f'MEDIA_ROOT = "{tmp_path}"\n')
    assert one(project, "storage").fields == ("Customer.photo",)
