"""What stands once in our include file, whatever the services: variables that are looked up when they are used."""

from __future__ import annotations

from shipway.proxies.nginx.text import block, directive, word
from shipway.proxies.pages import WORDS
from shipway.proxies.rules import BRIEFLY, FOREVER, HASHED, INERT, SANDBOX

TRUSTED = {
    "proto": ("$http_x_forwarded_proto", "$scheme"),
    "forwarded_host": ("$http_x_forwarded_host", "$shipway_host"),
    "trusted_id": ("$http_x_request_id", "$request_id"),
}
"""What a proxy in front may say, and what is said where it says nothing."""


def base_text() -> str:
    """Return the part of the `http` block that belongs to no service."""
    parts = [
        _map("$http_host", "$shipway_host", {"": "$host", "default": "$http_host"}),
        # Nothing but a WebSocket may change the protocol: what else a client asks for would go past our headers.
        _map("$http_upgrade", "$shipway_upgrade", {"default": "", "~*^websocket$": "websocket"}),
        _map("$uri", "$shipway_hidden", {"default": "", r"~(^|/)\.": "1"}),
        _map("$uri", "$shipway_static_cache", {"default": BRIEFLY, f"~{HASHED}": FOREVER}),
        _map("$uri", "$shipway_disposition", {"default": "attachment", f"~{_flagged(INERT)}": ""}),
        _map("$uri", "$shipway_sandbox", {"default": SANDBOX, f"~{_flagged(INERT)}": ""}),
        _map("$status", "$shipway_title", _told(0)),
        _map("$status", "$shipway_words", _told(1)),
    ]
    parts += [_map(said, f"$shipway_{name}", {"default": said, "": own}) for name, (said, own) in TRUSTED.items()]
    return "\n".join(parts)


def _map(source: str, target: str, values: dict[str, str]) -> str:
    return block(f"map {source} {target}", (directive(word(key), value) for key, value in values.items()))


def _flagged(pattern: str) -> str:
    """Return a pattern that begins with `(?i)` as nginx writes it, behind its `~`."""
    return pattern.replace("(?i)", "*", 1)


def _told(part: int) -> dict[str, str]:
    exact = {status: texts[part] for status, texts in WORDS.items() if len(status) > 1}
    classes = {f"~^{status}": texts[part] for status, texts in WORDS.items() if len(status) == 1}
    return {"default": WORDS["5"][part], **exact, **classes}
