"""Static files and uploads as a real Django tells of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from shipway.core.errors import Refused
from shipway.django.probe.files import is_mounted
from shipway.django.static_source import static_source
from shipway.planning.files import FileRules, check_files
from shipway.runtimes.venv.resource import resource
from tests.contract.migrations.django_project import DjangoProject

STATIC = """
INSTALLED_APPS = ["shop", "django.contrib.staticfiles"]
STATIC_URL = "/static/"
STATIC_ROOT = "collected"
STATICFILES_DIRS = ["assets"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["templates"], "APP_DIRS": True}]
"""
PAGE = "{%% load static %%}<link href=\"{%% static 'css/site.css' %%}\">%s"
UPLOADS = "from django.db import models\nclass Photo(models.Model):\n    image = models.FileField()\n"


def with_page(project: DjangoProject, more: str = "") -> None:
    project.settings(STATIC)
    project.write("assets/css/site.css", "body {}")
    project.write("shop/templates/shop/page.html", PAGE % more)


def static(project: DjangoProject) -> dict[str, object]:
    found = project.report(want=("files",), files={"static": True}).files["static"]
    assert isinstance(found, dict)
    return found


def refused(project: DjangoProject, **looks: object) -> Refused:
    report = project.report(want=("files",), files=looks)
    with pytest.raises(Refused) as caught:
        check_files(report.files, "r2", FileRules(is_container=True))
    return caught.value


def test_what_was_collected_is_fine(project: DjangoProject) -> None:
    with_page(project)
    project.manage("collectstatic", "--noinput", "-v0")
    assert static(project)["names"] == 1
    assert static(project)["missing"] == []
    check_files(project.report(want=("files",), files={"static": True}).files, "r2", FileRules())


def test_a_name_that_the_manifest_lacks_is_told_with_its_template(project: DjangoProject) -> None:
    with_page(project, '{%- static "js/lost.js" as lost -%}{# {% static "x.css" %} #}{% static variable %}')
    project.write("templates/base.html", "{% comment %}{% static 'no.css' %}{% endcomment %}{% static 'img/i.svg' %}")
    project.manage("collectstatic", "--noinput", "-v0")
    error = refused(project, static=True)
    assert error.code == "static.missing"
    told = {(one.what, one.where) for one in error.findings}
    assert told == {
        ("`js/lost.js` is not there", "shop/templates/shop/page.html"),
        ("`img/i.svg` is not there", "templates/base.html"),
    }


def test_a_manifest_that_nobody_made_is_told_where_a_page_needs_it(project: DjangoProject) -> None:
    with_page(project)
    assert refused(project, static=True).code == "static.no_manifest"
    (project.directory / "shop/templates/shop/page.html").unlink()
    assert static(project)["manifest"] == ""


PLAIN = "STORAGES['staticfiles']['BACKEND'] = 'django.contrib.staticfiles.storage.StaticFilesStorage'"


@pytest.mark.parametrize("more", ["DEBUG = True", PLAIN])
def test_only_a_storage_with_a_manifest_can_lack_a_name(project: DjangoProject, more: str) -> None:
    with_page(project)
    project.settings(STATIC + more)
    assert (static(project)["manifest"], static(project)["missing"]) == ("", [])


def test_a_virtualenv_is_looked_through_in_the_process_that_collects(project: DjangoProject) -> None:
    with_page(project)

    def check() -> subprocess.CompletedProcess[str]:
        program = resource("manage_script.py") + static_source()
        commands = '[["check"], ["collectstatic", "--noinput", "--verbosity", "0"]]'
        return subprocess.run(
            (sys.executable, "-", "", "manage.py", commands),
            input=program,
            cwd=project.directory,
            capture_output=True,
            text=True,
            check=False,
        )

    assert check().returncode == 0
    project.write("templates/base.html", "{% static 'lost.css' %}")
    done = check()
    assert done.returncode == 1
    assert done.stderr.strip() == "error[static.missing]: templates/base.html asks for `lost.css`"


def uploads(project: DjangoProject, more: str = "") -> None:
    project.settings(f"MEDIA_ROOT = 'media'\n{more}")
    project.write("shop/models.py", UPLOADS)


def test_an_upload_is_tried_and_leaves_nothing(project: DjangoProject) -> None:
    uploads(project)
    report = project.report(want=("files",), files={"media": True, "write": "0a1b2c"})
    media = report.files["media"]
    assert isinstance(media, dict)
    assert media["fields"] == ["shop.Photo.image"]
    assert media["unwritable"] == ""
    assert list((project.directory / "media").iterdir()) == []
    check_files(report.files, "r2", FileRules())


def test_a_place_where_nothing_can_be_written_is_told(project: DjangoProject) -> None:
    uploads(project)
    project.write("media", "a file")
    error = refused(project, media=True, write="0a1b2c")
    assert error.code == "media.unwritable"
    assert "media" in error.said


def test_a_project_without_uploads_is_not_asked(project: DjangoProject) -> None:
    project.settings("MEDIA_ROOT = 'media'")
    project.write("media", "a file")
    media = project.report(want=("files",), files={"media": True, "container": True, "write": "0a1b2c"}).files["media"]
    assert media == {"fields": [], "lost": [], "unwritable": ""}


MOUNTS = """\
1 0 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/x
2 1 8:1 /media /app/media rw,relatime - ext4 /dev/sda1 rw
3 1 0:51 / /tmp rw - tmpfs tmpfs rw
4 1 8:1 /spa\\040ce /with\\040space rw,relatime - ext4 /dev/sda1 rw
"""


@pytest.mark.parametrize(
    ("path", "outlives"),
    [
        ("/app/media", True),
        ("/app/media/deep", True),
        ("/app/media2", False),
        ("/app", False),
        ("/", False),
        ("/tmp/media", False),
        ("/with space/media", True),
    ],
)
def test_what_outlives_a_container_is_a_mount(tmp_path: Path, path: str, *, outlives: bool) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert is_mounted(path, str(tmp_path / "mountinfo")) is outlives


LOST = {"media": {"fields": ["shop.Photo.image"], "lost": ["shop.Photo.image: /app/media"], "unwritable": ""}}


def test_uploads_inside_a_container_are_refused_with_three_ways_out() -> None:
    with pytest.raises(Refused) as caught:
        check_files(LOST, "r2", FileRules(is_container=True))
    assert caught.value.code == "media.in_container"
    for way in ("volumes: [media:/app/media]", "django-storages", "in_release: true"):
        assert way in caught.value.next
    check_files(LOST, "r2", FileRules(is_container=True, keeps_media=False))
    check_files({}, "r2", FileRules(is_container=True))


@pytest.mark.parametrize(
    "found", [{"static": 3}, {"media": []}, {"static": {"missing": [1, ["a"]]}, "media": {"lost": 3}}]
)
def test_nonsense_refuses_nothing(found: dict[str, object]) -> None:
    check_files(found, "r2", FileRules(is_container=True))
