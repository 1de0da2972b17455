"""The Dockerfile that init writes, really built, by both builders; and the image asked whether its settings load."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fixtures import Lab

EXAMPLE = Path(__file__).parents[2] / "examples" / "pier"
IMAGE = "lab/init"


@pytest.fixture
def pier(tmp_path: Path) -> Path:
    place = tmp_path / "pier"
    shutil.copytree(EXAMPLE, place)
    for path in ("config", ".kamal"):
        shutil.rmtree(place / path)
    for path in ("Dockerfile", ".dockerignore"):
        (place / path).unlink()
    words = ("init", str(place), "--yes", "--python", "3.11", "--server", "192.0.2.10")
    subprocess.run((sys.executable, "-m", "shipway", *words), check=True, capture_output=True, timeout=60)
    return place


@pytest.fixture
def image(lab: Lab) -> Iterator[str]:
    yield IMAGE
    lab.docker("image", "rm", "-f", IMAGE)


@pytest.mark.parametrize("buildkit", ["0", "1"])
def test_the_image_is_built_and_its_project_is_sound(lab: Lab, pier: Path, image: str, buildkit: str) -> None:
    environment = {**os.environ, **lab.environment, "DOCKER_BUILDKIT": buildkit}
    build = ("docker", "build", "--tag", image, str(pier))
    built = subprocess.run(build, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    values = ("--env", "SECRET_KEY=x", "--env", "ALLOWED_HOSTS=localhost")
    script = "id -un; python manage.py check && ls staticfiles/staticfiles.json && ! touch /app/x 2>/dev/null"
    answer = lab.docker("run", "--rm", *values, image, "sh", "-c", script)
    assert answer.status == 0, answer.err
    assert answer.out.splitlines()[0] == "app"
