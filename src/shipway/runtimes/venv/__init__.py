"""The `venv` runtime: a release is a directory with a virtualenv (`release.py`); a keeper runs it (`keeper.py`)."""

from shipway.runtimes.venv.hand_over import HandOver
from shipway.runtimes.venv.keeper import Keeper, Program
from shipway.runtimes.venv.keepers import KeeperFacts, keeper_of, keepers_question, parse_keepers
from shipway.runtimes.venv.runtime import Venv
from shipway.runtimes.venv.settings import VenvSettings
from shipway.runtimes.venv.systemd import Systemd
from shipway.runtimes.venv.unit_text import UnitText, unit_text

__all__ = [
    "HandOver",
    "Keeper",
    "KeeperFacts",
    "Program",
    "Systemd",
    "UnitText",
    "Venv",
    "VenvSettings",
    "keeper_of",
    "keepers_question",
    "parse_keepers",
    "unit_text",
]
