"""What is found in an image, from the answers of the docker client."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shipway.runtimes.docker.images.check import (
    ImageFacts,
    SeenFile,
    check_image,
    is_suspicious,
    read_image,
    read_pushed,
)

VALUE = "s3cr3t-of-the-shop"
CONFIG = {
    "User": "app",
    "Env": ["PATH=/usr/bin", f"API_KEY={VALUE}"],
    "Labels": {"service": "app", "note": f"built with {VALUE}"},
    "WorkingDir": "/app",
}
HISTORY = [
    {"CreatedBy": f"RUN |1 TOKEN={VALUE} /bin/sh -c make # buildkit"},
    {"CreatedBy": "COPY --chown=app:app . /srv/code # buildkit"},
    {"CreatedBy": "/bin/sh -c #(nop) COPY dir:0123456789abcdef in /opt/old "},
    {"CreatedBy": "COPY conf/nginx.conf /etc/nginx/ # buildkit"},
]
IMAGE = "sha256:" + "a" * 64


def find(text: str) -> Sequence[str]:
    return ("THE_SECRET",) if VALUE in text else ()


def facts() -> ImageFacts:
    history = "\n".join(json.dumps(line) for line in HISTORY)
    return read_image(json.dumps([{"Id": IMAGE, "Config": CONFIG}]), history)


def test_values_of_secrets_are_errors_and_never_shown() -> None:
    files = (SeenFile("/app/.env", f"A={VALUE}".encode()),)
    found = check_image("dhh/app:999", facts(), files, find)
    assert [finding.code for finding in found if finding.level == "error"] == [
        "image.secret_in_env",
        "image.secret_in_label",
        "image.secret_in_history",
        "image.secret_in_file",
    ]
    assert not any(VALUE in f"{finding}" for finding in found)
    assert "API_KEY" in found[0].what
    assert "THE_SECRET" in found[0].what


def test_places_are_where_the_project_may_be() -> None:
    assert facts().places == ("/app", "/opt/old", "/root", "/srv/code")
    assert ImageFacts(directory="/").places == ("/root",)
    assert ImageFacts(directory="/app", history=("COPY . /app/web # buildkit", "COPY . ../../..")).places == (
        "/app",
        "/root",
    )


@pytest.mark.parametrize(
    ("path", "is_wanted"),
    [
        ("/app/.env", True),
        ("/app/.env.production", True),
        ("/app/.env.example", False),
        ("/app/.environment", False),
        ("/app/.git/", True),
        ("/app/.git/config", False),
        ("/app/.gitignore", False),
        ("/root/.ssh/id_ed25519", True),
        ("/app/tls/server.key", True),
        ("/app/.kamal/secrets", True),
        ("/app/.kamal/secrets-common", True),
        ("/app/.venv/lib/python3.11/site-packages/x/test.pem", False),
        ("/app/settings.py", False),
    ],
)
def test_suspicious_names(path: str, *, is_wanted: bool) -> None:
    assert is_suspicious(path) is is_wanted


def test_files_and_root_are_warnings() -> None:
    files = (
        SeenFile("/app/.git/"),
        SeenFile("/app/.env", b"A=1"),
        SeenFile("/app/.kamal/secrets", b"A=$(op read x)"),
        SeenFile("/app/tls/a.pem", b"-----BEGIN PRIVATE KEY-----"),
        SeenFile("/app/tls/ca.pem", b"-----BEGIN CERTIFICATE-----"),
    )
    found = check_image("x", ImageFacts(user=""), files, find)
    assert [finding.code for finding in found] == [
        "image.git_directory",
        "image.env_file",
        "image.credentials_file",
        "image.private_key",
        "image.runs_as_root",
    ]
    assert {finding.level for finding in found} == {"warning"}


@pytest.mark.parametrize("user", ["", "0", "root", "0:0", "root:app"])
def test_root_by_any_name(user: str) -> None:
    assert check_image("x", ImageFacts(user=user), (), find)


def test_an_image_that_is_in_its_registry_only() -> None:
    image = {"config": CONFIG, "history": [{"created_by": "RUN x"}, {"empty_layer": True}]}
    one = read_pushed(json.dumps(image))
    assert one == read_pushed(json.dumps({"linux/amd64": image, "linux/arm64": image}))
    assert (one.user, one.history) == ("app", ("RUN x",))


@pytest.mark.parametrize("text", ["", "null", "[]", "[3]", "{", '[{"Config": null}]', '[{"Config": {"Env": 3}}]'])
def test_what_is_malformed_is_left_out(text: str) -> None:
    assert read_image(text, text) == ImageFacts(id=read_image(text, text).id)
    assert read_pushed(text) == ImageFacts()


def test_a_place_has_the_same_origin_until_something_else_is_copied_into_it() -> None:
    history = ("RUN collect", "COPY . . # buildkit", "WORKDIR /app", "COPY /venv /venv # buildkit", "RUN base")
    before = ImageFacts(history=history, directory="/app", layers=("base", "venv", "workdir", "code", "static"))
    redeployed = replace(before, layers=("base", "venv", "workdir", "code2", "static2"))
    updated = replace(before, layers=("base", "venv2", "workdir", "code", "static"))
    assert before.origin("/venv") == redeployed.origin("/venv") != ""
    assert before.origin("/venv") != updated.origin("/venv")
    assert before.origin("/app") == before.origin("/root") == replace(before, layers=()).origin("/venv") == ""
