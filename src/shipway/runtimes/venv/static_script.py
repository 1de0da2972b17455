"""Puts the collected static files of a release where the proxy serves them. Python 3.9, standard library.

    python -I -S static_script.py publish COLLECTED RELEASE STATIC   adds what is new
    python -I -S static_script.py replace COLLECTED RELEASE STATIC   the same; names without a hash are replaced
    python -I -S static_script.py remove RELEASE STATIC              removes what no other release has

Files whose name holds a hash of their content stand side by side for all releases and are never written twice. Others
(`admin/css/base.css`) can hold one content only: that of the release that was started last.
"""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import re
import shutil
import sys

LIST = "static.json"  # in the release: the names that it published
HASHED = re.compile(r"\.[0-9a-f]{8,32}(\.[^/]*)?\Z")  # ManifestStaticFilesStorage: twelve hex digits before the suffix


def files_below(top: str) -> list[str]:
    """Return the files below `top`, as paths relative to it, sorted."""
    found = []
    for root, _, names in os.walk(top):
        found += [os.path.relpath(os.path.join(root, name), top) for name in names]
    return sorted(found)


def put(source: str, target: str) -> None:
    """Make `target` the content of `source` at once: a hard link, or a copy where that cannot be, renamed."""
    new = f"{target}.shipway-new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    try:
        os.link(source, new)
    except OSError:
        shutil.copy2(source, new)
    os.replace(new, target)
    with contextlib.suppress(FileNotFoundError):  # rename(2) does nothing between two links of one file
        os.unlink(new)


def publish(collected: str, release: str, static: str, *, replace: bool) -> None:
    """Add the files below `collected` to `static`, and write down in `release` which they are."""
    names = files_below(collected)
    for name in names:
        source, target = os.path.join(collected, name), os.path.join(static, name)
        if os.path.exists(target) and (
            not replace or HASHED.search(name) or filecmp.cmp(source, target, shallow=False)
        ):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        put(source, target)
    with open(os.path.join(release, f"{LIST}.new"), "w", encoding="utf-8") as file:
        json.dump(names, file)
    os.replace(os.path.join(release, f"{LIST}.new"), os.path.join(release, LIST))


def published(release: str) -> set[str]:
    """Return the names that a release published; none for one that did not come that far."""
    try:
        with open(os.path.join(release, LIST), encoding="utf-8") as file:
            return {str(name) for name in json.load(file)}
    except (OSError, ValueError):
        return set()


def remove(release: str, static: str) -> None:
    """Remove from `static` what `release` published and no other release beside it did."""
    beside = os.path.dirname(release)
    others = [os.path.join(beside, name) for name in os.listdir(beside) if os.path.join(beside, name) != release]
    kept = set().union(*(published(other) for other in others))
    for name in published(release) - kept:
        if os.path.isabs(name) or ".." in name.split("/"):
            continue
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(static, name))
            while name := os.path.dirname(name):
                os.rmdir(os.path.join(static, name))


if __name__ == "__main__":
    verb, words = sys.argv[1], sys.argv[2:]
    if verb == "remove":
        remove(*words)
    else:
        publish(*words, replace=verb == "replace")
