"""The `venv` runtime: a release is a directory with a virtualenv (`release.py`); a keeper runs it (`keeper.py`)."""

from shipway.runtimes.venv.runtime import Venv
from shipway.runtimes.venv.settings import VenvSettings

__all__ = ["Venv", "VenvSettings"]
