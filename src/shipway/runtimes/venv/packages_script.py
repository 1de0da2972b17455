"""Keeps the installed packages of a lock once for all releases of a service. Python 3.9, standard library.

    python -I -S packages_script.py use PACKAGES KEY VENV FILE…    fills a new virtualenv from the store of KEY
    python -I -S packages_script.py keep PACKAGES KEY VENV FILE…   makes that store from a virtualenv just filled
    python -I -S packages_script.py sweep PACKAGES RELEASE         removes stores that no release but RELEASE points to

The Python of the virtualenv runs this, in the project's directory; FILE… decide, with all that they include, what is
installed. A store is a directory of PACKAGES: `site-packages`, which the virtualenvs link to; `rest`, what else stands
in a virtualenv (programs, data files); and `venv`, the path of the virtualenv that these were written for. It comes by
one rename when it is whole and goes by one. `use` exits 3 when there is no such store.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES

NO_STORE = 3
INCLUDE = re.compile(rb"^[ \t]*(?:-[rc]|--requirement|--constraint)[ \t=]*([^\s#]+)", re.MULTILINE)  # of requirements


def store_name(key: str, files: list[str]) -> str:
    """Return one word for all that installed packages depend on: KEY, the contents of `files`, this very Python."""
    bodies: dict[str, bytes] = {}
    waiting = list(files)
    while waiting:
        path = os.path.normpath(waiting.pop())
        if path not in bodies:
            bodies[path], here = read(path), os.path.dirname(path)
            waiting += [os.path.join(here, os.fsdecode(name)) for name in INCLUDE.findall(bodies[path])]
    # The suffix names the implementation, its version and its ABI; locks have markers on the third part of a version.
    python = (sys.implementation.name, *sys.version_info, EXTENSION_SUFFIXES[0], os.uname().machine, sys.base_prefix)
    return hashlib.sha256(repr((key, python, sorted(bodies.items()))).encode()).hexdigest()


def read(path: str) -> bytes:
    """Return the content of a file, nothing for one that is not there."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def site_packages(venv: str) -> str:
    """Return the site-packages of `venv`, "" when it has none."""
    lib = os.path.join(venv, "lib")
    names = sorted(os.listdir(lib)) if os.path.isdir(lib) else []
    found = [os.path.join(lib, name, "site-packages") for name in names]
    return next((path for path in found if os.path.lexists(path)), "")


def is_local(path: str, release: str) -> bool:
    """Return whether a file shows that something was installed from a directory (PEP 610, or an editable install)."""
    name = os.path.basename(path)
    if name != "direct_url.json" and not name.endswith(".pth") and not name.startswith("__editable__"):
        return False
    body = read(path)
    return b'"dir_info"' in body or b'"file:' in body or os.fsencode(release) in body


def files_below(top: str, but: str = "") -> Iterator[str]:
    """Yield the files below `top` that are no links, without those of the directory `but`."""
    for root, directories, names in os.walk(top):
        directories[:] = [name for name in directories if os.path.join(root, name) != but]
        paths = (os.path.join(root, name) for name in names)
        yield from (path for path in paths if not os.path.islink(path))


def put(source: str, target: str, old: bytes = b"", new: bytes = b"") -> None:
    """Make `target` the content of `source`; a script with the path `new` in place of `old`."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(source, "rb") as file:
        body = file.read(2)
        if old and body == b"#!":
            body += file.read()
            with open(target, "wb") as written:
                written.write(body.replace(old, new))
            shutil.copymode(source, target)
            return
    try:
        os.link(source, target)
    except OSError:  # the file system has no hard links, or this file has as many as it can have
        shutil.copy2(source, target)


def use(store: str, venv: str) -> int:
    """Fill `venv`, a new one, from `store`. Returns the exit status."""
    if not os.path.isdir(os.path.join(store, "site-packages")):
        return NO_STORE
    rest, old = os.path.join(store, "rest"), read(os.path.join(store, "venv"))
    for source in files_below(rest):
        target = os.path.join(venv, os.path.relpath(source, rest))
        if not os.path.lexists(target):  # what every virtualenv has of its own stays its own
            put(source, target, old, os.fsencode(venv))
    site = site_packages(venv)
    shutil.rmtree(site)
    os.symlink(os.path.join(store, "site-packages"), site)
    return 0


def keep(packages: str, store: str, venv: str) -> None:
    """Move the packages of `venv` to `store`, unless one is from the project's own files: no lock pins those.

    Nor are they moved when releases stand on another file system: that would be no rename.
    The link is made before the store is there: a store has never a moment in which nothing points to it.
    """
    site, release = site_packages(venv), os.path.dirname(venv)
    if os.stat(packages).st_dev != os.stat(site).st_dev or any(is_local(path, release) for path in files_below(site)):
        return
    rest = list(files_below(venv, but=site))
    new = os.path.join(venv, ".shipway-store")  # a virtualenv that did not become whole is removed, and this with it
    for source in rest:
        put(source, os.path.join(new, "rest", os.path.relpath(source, venv)))
    with open(os.path.join(new, "venv"), "wb") as file:
        file.write(os.fsencode(venv))
    os.rename(site, os.path.join(new, "site-packages"))
    os.symlink(os.path.join(store, "site-packages"), site)
    trash = os.path.join(venv, ".shipway-trash")
    sweep(packages, os.path.dirname(release), "", trash)
    if os.path.lexists(store):  # `use` found no packages in it: somebody removed them
        os.rename(store, trash)
        shutil.rmtree(trash)
    os.rename(new, store)


def sweep(packages: str, releases: str, leaving: str, trash: str) -> None:
    """Remove the stores that no release points to, whole or not, but the one that is `leaving`.

    Only the name of a store counts: the directory of the service can have another path since the link was made.
    """
    venvs = [os.path.join(releases, name, "venv") for name in os.listdir(releases) if name != leaving]
    links = [site for site in map(site_packages, venvs) if os.path.islink(site)]
    used = {os.path.basename(os.path.dirname(os.readlink(link))) for link in links}
    shutil.rmtree(trash, ignore_errors=True)
    for name in sorted(set(os.listdir(packages)) - used):
        os.rename(os.path.join(packages, name), trash)
        shutil.rmtree(trash)


def main(verb: str, packages: str, *words: str) -> int:
    """Return the exit status."""
    if verb == "sweep":
        (release,) = words
        sweep(packages, os.path.dirname(release), os.path.basename(release), os.path.join(release, "trash"))
        return 0
    key, venv, *files = words
    store = os.path.join(packages, store_name(key, files))
    if verb == "use":
        return use(store, venv)
    keep(packages, store, venv)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
