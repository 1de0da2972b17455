import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.migrations.django_project import DjangoProject, make_project
from tests.contract.migrations.mariadb import mariadb
from tests.contract.migrations.postgres import postgres


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> DjangoProject:
    return make_project(tmp_path_factory.mktemp("pattern"))


@pytest.fixture
def project(pattern: DjangoProject, tmp_path: Path) -> DjangoProject:
    """A fresh copy of the project, without a database."""
    shutil.copytree(pattern.directory, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    return DjangoProject(tmp_path / "project", pattern.python)


@pytest.fixture(scope="package")
def socket_of_postgresql() -> Iterator[str]:
    with postgres() as socket:
        yield socket


@pytest.fixture(scope="package")
def socket_of_mariadb() -> Iterator[str]:
    with mariadb() as socket:
        yield socket
