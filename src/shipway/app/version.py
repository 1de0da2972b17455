"""What is installed here."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from shipway import __file__ as package_file
from shipway import __version__

_LIBRARIES = ("click", "pyyaml", "rich")


def installed() -> dict[str, object]:
    """Return the versions of Shipway, Python and the libraries, and where they stand."""
    return {
        "shipway": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "package": package_file,
        "platform": platform.platform(),
        "libraries": {name: _version_of(name) for name in _LIBRARIES},
    }


def _version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
