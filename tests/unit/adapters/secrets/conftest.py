from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.adapters.secrets.fake_cli import FakeClis


@pytest.fixture
def clis(tmp_path: Path) -> FakeClis:
    root = tmp_path / "clis"
    root.mkdir()
    return FakeClis(root)
