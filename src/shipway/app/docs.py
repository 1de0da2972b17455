"""The documentation of the configuration, by section."""

from __future__ import annotations

from shipway.config.keys import keys_of
from shipway.config.kinds import suggestion
from shipway.config.reference import section_reference
from shipway.config.root import Root
from shipway.core.errors import UsageError


def documentation(section: str) -> str:
    """Return what is known about a key of the root and all below it; "" lists the keys. Raises UsageError."""
    keys = keys_of(Root)
    if not section:
        width = max(map(len, keys))
        return "\n".join(f"{name.ljust(width)}  {info.doc}" for name, info in keys.items())
    name = {"role": "servers", "roles": "servers", "accessory": "accessories", "alias": "aliases"}.get(section, section)
    if name not in keys:
        raise UsageError(
            "usage.unknown_section",
            f"`{section}` is no key of the configuration",
            next=f"{suggestion(section, keys)}; `shipway docs` lists all",
        )
    return section_reference(name).strip()
