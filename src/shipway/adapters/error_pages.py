"""The project's own error pages on this machine."""

from __future__ import annotations

from pathlib import Path

from shipway.core.errors import ConfigError


def read_pages(directory: str) -> tuple[tuple[str, str], ...]:
    """Return the error pages of a directory as (name, HTML); raises ConfigError when one cannot be read."""
    place = Path(directory)
    if not place.is_dir():
        what = f"there is no directory `{directory}` of error pages"
        raise ConfigError("config.missing", what, where="error_pages_path", next=f"mkdir {directory}")
    try:
        return tuple((page.name, page.read_text(encoding="utf-8")) for page in sorted(place.glob("[45]??.html")))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("config.unreadable", f"could not read an error page: {error}", where=directory) from error
