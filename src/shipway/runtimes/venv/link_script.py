"""Fills a new virtualenv from another of the same lock, by hard links. Python 3.9, standard library, sent on stdin.

    python -I -S link_script.py TWIN VENV

Links every installed file, compiled ones too, and writes the programs anew. Exits 3 when the packages of TWIN cannot be
shared: another Python, or a package that was installed from the project's own files, whose content no lock pins.
"""

from __future__ import annotations

import os
import shutil
import sys

CANNOT_SHARE = 3


def site_packages(venv: str) -> str:
    """Return the site-packages of the Python that runs this, in `venv`."""
    return os.path.join(venv, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}", "site-packages")


def is_local(root: str, name: str, twin: str) -> bool:
    """Return whether a file shows that something was installed from a directory (PEP 610, or an editable install)."""
    if name != "direct_url.json" and not name.endswith(".pth") and not name.startswith("__editable__"):
        return False
    with open(os.path.join(root, name), "rb") as file:
        body = file.read(1 << 20)
    return b'"dir_info"' in body or b'"file:' in body or os.path.dirname(twin).encode() in body


def link(source: str, target: str) -> None:
    """Make `target` the same file as `source`; a copy where the file system cannot."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        pass
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def link_tree(source: str, target: str) -> None:
    """Link the files below `source` to the same places below `target`."""
    for root, _, names in os.walk(source):
        place = os.path.join(target, os.path.relpath(root, source))
        os.makedirs(place, exist_ok=True)
        for name in names:
            link(os.path.join(root, name), os.path.join(place, name))


def write_programs(twin: str, venv: str) -> None:
    """Write the scripts of TWIN's bin directory with this virtualenv's path in place of TWIN's."""
    for name in sorted(os.listdir(os.path.join(twin, "bin"))):
        source, target = os.path.join(twin, "bin", name), os.path.join(venv, "bin", name)
        if os.path.lexists(target) or os.path.islink(source) or not os.path.isfile(source):
            continue
        with open(source, "rb") as file:
            body = file.read()
        with open(target, "wb") as file:
            file.write(body.replace(os.fsencode(twin), os.fsencode(venv)) if body.startswith(b"#!") else body)
        shutil.copymode(source, target)


def main(twin: str, venv: str) -> int:
    """Return the exit status."""
    source, target = site_packages(twin), site_packages(venv)
    if not os.path.isdir(source):
        return CANNOT_SHARE
    for root, _, names in os.walk(source):
        if any(is_local(root, name, twin) for name in names):
            return CANNOT_SHARE
    write_programs(twin, venv)
    link_tree(source, target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
