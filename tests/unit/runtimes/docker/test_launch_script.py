from __future__ import annotations

import pytest

from shipway.runtimes.docker.launch_script import bridge, not_pulled


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Error response from daemon: unauthorized: authentication required", "registry.refused"),
        (
            "Error response from daemon: Get https://r/v2/: unauthorized: incorrect username or password",
            "registry.refused",
        ),
        ("denied: requested access to the resource is denied", "registry.refused"),
        ("manifest for r/shop:1 not found: manifest unknown: manifest unknown", "image.missing"),
        ("dial tcp 10.0.0.1:5000: connect: connection refused", "registry.unreachable"),
        ("dial tcp: lookup r: no such host", "registry.unreachable"),
        ("x509: certificate signed by unknown authority", "registry.certificate"),
        ("failed to register layer: write /x: no space left on device", "image.disk_full"),
        ("something else", "image.not_pulled"),
    ],
)
def test_why_an_image_could_not_be_pulled(said: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not_pulled(said, "r:5000/shop:1") == 1
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert f"error[{code}]: " in told.splitlines()[-1]


def test_bridged_files_never_replace_others(tmp_path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for place, text in ((old, "old"), (new, "new")):
        (place / "css").mkdir(parents=True)
        (place / "css" / "both.css").write_text(text)
        (place / f"{text}.js").write_text(text)
    bridge(str(old), str(new))
    assert {p.name: p.read_text() for p in new.rglob("*.*")} == {"both.css": "new", "new.js": "new", "old.js": "old"}
