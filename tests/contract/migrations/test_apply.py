"""What applies migrations in a release, against real databases: order, locks, two at once, and failures."""

import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pymysql
import pytest

from shipway.django.apply_source import apply_source
from tests.contract.migrations.django_project import DjangoProject
from tests.contract.migrations.postgres import postgres
from tests.contract.migrations.servers import give_database

ADD = "migrations.AddField('customer', '{0}', models.IntegerField(null=True))"
SLOW = (
    "migrations.RunPython(lambda apps, editor: (time.sleep(1), apps.get_model('shop', 'Customer')(name='once').save()))"
)
FAIL = "migrations.RunPython(lambda apps, editor: 1 / 0)"
numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as socket:
        yield socket


@pytest.fixture
def connect(server: str, project: DjangoProject) -> Callable[[], psycopg.Connection]:
    """Connects the project to a PostgreSQL database of its own; gives sessions in it."""
    name = f"applied{next(numbers)}"
    with psycopg.connect(host=server, user="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    project.settings(
        f"""
        DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "NAME": "{name}", "USER": "postgres",
            "HOST": "{server}"}}}}
        """
    )
    project.manage("migrate", "-v0")
    return lambda: psycopg.connect(host=server, user="postgres", dbname=name, autocommit=True)


@pytest.fixture
def on_mariadb(socket_of_mariadb: str, project: DjangoProject) -> Callable[[], pymysql.Connection]:
    """Connects the project to a MariaDB database of its own; gives sessions in it."""
    name = f"applied{next(numbers)}"
    give_database(project, "mariadb", name, socket_of_mariadb)
    project.manage("migrate", "-v0")
    return lambda: pymysql.connect(unix_socket=socket_of_mariadb, user="root", database=name)


def prepend(project: DjangoProject, name: str, line: str) -> None:
    path = project.directory / f"shop/migrations/{name}.py"
    path.write_text(f"{line}\n{path.read_text()}")


def start(project: DjangoProject, *names: str, **more) -> subprocess.Popen:
    asked = {"manage": "manage.py", "alias": "default", "keys": [["shop", name] for name in names]}
    asked |= {"lock_timeout_s": 0.3, "tries": 4, "wait_s": 60.0} | more
    process = subprocess.Popen(
        (project.python, "-", json.dumps(asked)), cwd=project.directory, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdin.write(apply_source())
    process.stdin.close()
    process.stdin = None
    return process


def apply(project: DjangoProject, *names: str, **more) -> tuple[int, str, str]:
    process = start(project, *names, **more)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def recorded(project: DjangoProject) -> set[str]:
    return {line.split()[1] for line in project.manage("showmigrations", "shop").splitlines() if "[X]" in line}


def test_what_is_told_and_no_other(project: DjangoProject) -> None:
    project.manage("migrate", "-v0")
    project.migration("0002_a", ADD.format("a"))
    project.migration("0003_b", ADD.format("b"), "0002_a")
    project.migration("0004_c", ADD.format("c"), "0003_b")
    status, out, err = apply(project, "0003_b", "0002_a")
    assert (status, err) == (0, "")
    assert [line.split(":")[0] for line in out.splitlines()] == ["shop.0002_a"] * 2 + ["shop.0003_b"] * 2
    assert recorded(project) == {"0001_initial", "0002_a", "0003_b"}
    assert apply(project, "0003_b", "0002_a") == (0, "", "")


def test_a_migration_that_is_not_in_the_release(project: DjangoProject) -> None:
    status, _, err = apply(project, "0002_nowhere")
    assert status == 1
    assert "shop.0002_nowhere" in err


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_two_at_once_run_it_once(project: DjangoProject, kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "postgresql":
        request.getfixturevalue("connect")
    elif kind == "mariadb":
        request.getfixturevalue("on_mariadb")
    project.manage("migrate", "-v0")
    project.migration("0002_rows", SLOW)
    prepend(project, "0002_rows", "import time")
    both = [start(project, "0002_rows") for _ in range(2)]
    answers = [(process.communicate(timeout=60), process.returncode) for process in both]
    assert [status for _, status in answers] == [0, 0], answers
    outs = sorted(out for (out, _), _ in answers)
    assert "is waited for" in outs[0] or "is waited for" in outs[1]
    assert sum("applied in" in out for out in outs) == 1
    count = project.manage("shell", "-c", "from shop.models import Customer; print('rows', Customer.objects.count())")
    assert "rows 1" in count


def test_a_lock_that_is_not_to_be_had_is_tried_again(project: DjangoProject, connect) -> None:
    project.migration("0002_a", ADD.format("a"))
    with connect() as session, session.transaction():
        session.execute("SELECT count(*) FROM shop_customer")
        process = start(project, "0002_a", tries=10)
        line = process.stdout.readline()
        while "tried again" not in line:
            line = process.stdout.readline()
            assert line, process.stderr.read()
        assert "idle in transaction" in line
        with connect() as other:  # nobody queues behind a statement that has given up
            other.execute("SET statement_timeout = '5s'")
            other.execute("SELECT count(*) FROM shop_customer")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "shop.0002_a: applied in" in out


def test_a_lock_on_mariadb_is_tried_again(project: DjangoProject, on_mariadb) -> None:
    """MariaDB keeps what a transaction has read from being altered until it ends; its own patience is a day."""
    project.migration("0002_a", ADD.format("a"))
    with on_mariadb() as session, session.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_customer")
        process = start(project, "0002_a", tries=10)
        bound = threading.Timer(60, process.kill)
        bound.start()
        line = process.stdout.readline()
        while "tried again" not in line:
            line = process.stdout.readline()
            assert line, process.stderr.read()
        bound.cancel()
        session.rollback()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "shop.0002_a: applied in" in out


def test_a_lock_that_is_never_to_be_had_fails_with_nothing_changed(project: DjangoProject, connect) -> None:
    project.migration("0002_a", ADD.format("a"))
    with connect() as session, session.transaction():
        session.execute("SELECT count(*) FROM shop_customer")
        status, _, err = apply(project, "0002_a", tries=2)
    assert status == 1
    assert "lock timeout" in err
    assert "nothing of shop.0002_a stands" in err


def test_a_concurrent_index_waits_as_long_as_it_must(project: DjangoProject, connect) -> None:
    index = "AddIndexConcurrently('customer', models.Index(fields=['name'], name='by_name'))"
    project.migration("0002_index", index, more="atomic = False")
    prepend(project, "0002_index", "from django.contrib.postgres.operations import AddIndexConcurrently")
    with connect() as session, session.transaction():
        session.execute("INSERT INTO shop_customer (name) VALUES ('a')")
        process = start(project, "0002_index")
        time.sleep(1.5)
        assert process.poll() is None
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, ""), out


@pytest.mark.parametrize("is_atomic", [True, False])
def test_a_failure_says_what_stands(project: DjangoProject, *, is_atomic: bool) -> None:
    project.manage("migrate", "-v0")
    project.migration("0002_a", ADD.format("a"))
    more = "" if is_atomic else "atomic = False"
    project.migration("0003_b", f"{ADD.format('b')}, {FAIL}", "0002_a", more=more)
    project.migration("0004_c", ADD.format("c"), "0003_b")
    status, _, err = apply(project, "0002_a", "0003_b", "0004_c")
    assert status == 1
    assert "shop.0003_b failed: ZeroDivisionError" in err
    assert "kept: shop.0002_a" in err
    assert ("rolled back" if is_atomic else "migrate --fake shop 0003_b") in err
    assert recorded(project) == {"0001_initial", "0002_a"}
