"""Accessories as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shipway.cli.render.tables import table
from shipway.cli.render.text import Paint, harmless

if TYPE_CHECKING:
    from shipway.app.accessory import AccessoryRow


def render_accessories(rows: Sequence[AccessoryRow], paint: Paint) -> str:
    """Return what runs of each accessory, and under the table what differs from the configuration."""
    if not rows:
        return "the configuration has no accessories"
    cells = [
        (row.name, row.host, row.container, row.image, _state(row), row.since, ", ".join(row.ports)) for row in rows
    ]
    lines = [table(("ACCESSORY", "HOST", "CONTAINER", "IMAGE", "STATE", "SINCE (UTC)", "PORTS"), cells, paint)]
    for row in rows:
        if row.drift:
            lines += [
                "",
                f"{paint('yellow', 'warning[accessory.drift]:')} {harmless(row.drift)}",
                f"  next  {row.next}",
            ]
        elif row.next:
            lines += ["", f"{row.name} does not run on {row.host}", f"  next  {row.next}"]
    return "\n".join(lines)


def _state(row: AccessoryRow) -> str:
    health = f" ({row.health})" if row.health else ""
    again = f", started again {row.restarts} times" if row.restarts else ""
    return f"{row.state}{health}{again}"
