import shutil
from pathlib import Path

import pytest

from tests.contract.migrations.django_project import DjangoProject, make_project


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> DjangoProject:
    return make_project(tmp_path_factory.mktemp("pattern"))


@pytest.fixture
def project(pattern: DjangoProject, tmp_path: Path) -> DjangoProject:
    """A fresh copy of the project, without a database."""
    shutil.copytree(pattern.directory, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    return DjangoProject(tmp_path / "project", pattern.python)
