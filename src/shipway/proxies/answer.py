"""Reads what a host answers about its proxy: the same document from each, written by its `host_script.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping

from shipway.core.ports import Result
from shipway.proxies.base import ProxyFacts

_HASH = re.compile(r"[0-9a-f]{12}")


def document(result: Result | None) -> Mapping[str, object]:
    """Return what was answered, {} where that is missing or cannot be read: nothing is there, then."""
    try:
        body = json.loads(result.stdout) if result and result.ok else None
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def proxy_facts(body: Mapping[str, object], roles: Collection[str], is_endpoint: Callable[[str], bool]) -> ProxyFacts:
    """Return what `body` tells of `roles`; what is malformed counts as not there."""
    live, found = body.get("live"), body.get("hash")
    endpoints = live if isinstance(live, dict) else {}
    return ProxyFacts(
        live={role: at for role, at in endpoints.items() if role in roles and isinstance(at, str) and is_endpoint(at)},
        is_proxy_up=body.get("up") is True,
        is_in_maintenance=body.get("maintenance") is True,
        config_hash=found if isinstance(found, str) and _HASH.fullmatch(found) else "",
        is_settled=body.get("settled") is True,
    )
