"""One line at the end of a test run: how much of the kill matrix was walked."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    found = [dict(r.user_properties) for r in terminalreporter.stats.get("passed", ()) if hasattr(r, "user_properties")]
    points, recoveries = (sum(int(p.get(name, 0)) for p in found) for name in ("kill_points", "recoveries"))
    if points:
        terminalreporter.write_line(f"kill matrix: {points:,} points, {recoveries:,} recoveries")
