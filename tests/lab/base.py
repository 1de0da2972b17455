"""The first image: a minimal Debian by debootstrap, with the machine's ways to its package indexes."""

from __future__ import annotations

import configparser
import os
import shutil
import tempfile
from pathlib import Path

from tests.lab.engine import Engine
from tests.lab.shell import run, say, write

SUITE = "bookworm"
MIRROR = os.environ.get("SHIPWAY_LAB_MIRROR", "http://deb.debian.org/debian")
_VERSION = "1"  # raise to have the base made anew
_LOCAL_CAS = Path("/usr/local/share/ca-certificates")
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_PIP_FILES = (Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf")
# What means the same inside a container; paths to other files of the machine do not.
_PIP_KEYS = ("index-url", "proxy", "timeout", "trusted-host", "disable-pip-version-check")
_SOURCES = """\
Types: deb
URIs: {mirror}
Suites: {suite} {suite}-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
# As in the official slim images: no manuals, and no waiting for the disk in a build.
_DPKG = """\
force-unsafe-io
path-exclude /usr/share/doc/*
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
"""


def recipe() -> bytes:
    """What the base depends on."""
    parts = [_VERSION, SUITE, MIRROR, _SOURCES, _DPKG, _pip_settings(), *_apt_proxies().values()]
    return "\0".join([*parts, *(path.read_text() for path in _certificates())]).encode()


def build(engine: Engine, tag: str) -> None:
    """Make the base and import it under this name."""
    say("Making the base image by debootstrap (about 40 s, once)")
    with tempfile.TemporaryDirectory(dir=engine.places.root, prefix="base-") as name:
        root = Path(name) / "root"
        words = ("debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, root, MIRROR)
        run(words, "debootstrap made no base", limit_s=400)
        _settle(root)
        archive = Path(name) / "base.tar"
        run(("tar", "-C", root, "-c", "-f", archive, "."), "the base was not packed", limit_s=120)
        shutil.rmtree(root)
        change = (
            '--change=CMD ["bash"]',
            "--change=ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        engine.run("import", *change, archive, tag, limit_s=120)


def _settle(root: Path) -> None:
    write(root / "etc/dpkg/dpkg.cfg.d/lab", _DPKG)
    for each in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "var/log"):
        shutil.rmtree(root / each)
    for each in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/log", "usr/share/man/man1"):
        (root / each).mkdir(parents=True)
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    write(root / "etc/apt/sources.list.d/debian.sources", _SOURCES.format(mirror=MIRROR, suite=SUITE))
    for name, text in _apt_proxies().items():
        write(root / "etc/apt/apt.conf.d" / name, text)
    write(root / "etc/apt/apt.conf.d/90lab", 'Acquire::Languages "none";\nAcquire::Retries "3";\n')
    if _pip_settings():
        write(root / "etc/pip.conf", _pip_settings())
    for certificate in _certificates():
        write(root / _LOCAL_CAS.relative_to("/") / certificate.name, certificate.read_text())
    run(("chroot", root, "update-ca-certificates"), "certificates were not taken over")
    # Names of the machine it was made on do not belong into an image; the engine puts its own there.
    for each in ("etc/resolv.conf", "etc/hostname"):
        (root / each).unlink(missing_ok=True)


def _certificates() -> list[Path]:
    """What this machine trusts beside the public authorities: a proxy's certificate, for instance."""
    return sorted(_LOCAL_CAS.glob("*.crt"))


def _apt_proxies() -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(Path("/etc/apt/apt.conf.d").glob("*proxy*"))}


def _pip_settings() -> str:
    found: dict[str, str] = {}
    for path in _PIP_FILES:
        parser = configparser.RawConfigParser()
        parser.read(path)
        section = dict(parser["global"]) if parser.has_section("global") else {}
        found.update({key: value for key, value in section.items() if key in _PIP_KEYS})
    if _certificates():
        found["cert"] = _BUNDLE  # pip brings authorities of its own, and these are not among them
    lines = [f"{key} = {value}\n" for key, value in sorted(found.items())]
    return "[global]\n" + "".join(lines) if lines else ""
