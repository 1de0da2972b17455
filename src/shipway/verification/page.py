"""A page as a visitor got it, and the cookies that it set."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

_CHARSET = re.compile(r"charset=[\"']?([A-Za-z0-9_.:-]{1,40})")
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_EXCERPT = 300


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that an answer set. `is_removed`: it takes one away."""

    name: str
    value: str
    is_secure: bool = False
    is_http_only: bool = False
    same_site: str = ""
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to one request. `trouble` is a sentence where there was none (`status` is 0 then).

    `took_ms` is the time to the first byte of the answer, the connection included. `is_cut`: the body was longer.
    """

    url: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_cut: bool = False
    took_ms: float = 0.0
    trouble: str = ""

    def header(self, name: str) -> str:
        """Return the values of a header, joined with commas; "" where it is not there."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def media_type(self) -> str:
        """`text/html`, without its parameters."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text; bytes that are none are replaced."""
        found = _CHARSET.search(self.header("Content-Type"))
        try:
            return self.body.decode(found[1] if found else "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    @property
    def location(self) -> str:
        """Where a redirect leads to, as an absolute URL; "" for any other page."""
        to = self.header("Location")
        if self.status not in REDIRECTS or not to:
            return ""
        try:
            parts = urlsplit(urljoin(self.url, to))
        except ValueError:
            return ""
        return urlunsplit(parts._replace(fragment=""))

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        """The cookies that the answer set."""
        lines = (value for key, value in self.headers if key.lower() == "set-cookie")
        return tuple(cookie for line in lines if (cookie := _cookie(line)) is not None)

    def is_of_proxy(self) -> bool:
        """Whether a proxy made it by itself: Caddy names itself, and marks what it passes on with `Via`."""
        return "caddy" in self.header("Server").lower() and not self.header("Via")

    def describe(self) -> str:
        """Return the page in a line: its address, its status, the time it took."""
        if self.trouble:
            return f"{self.url}: {self.trouble}"
        to = f" to {self.location}" if self.location else ""
        return f"{self.url}: {self.status}{to} in {self.took_ms:.0f} ms"

    def excerpt(self) -> str:
        """Return the beginning of the text that a visitor reads, in a line."""
        return excerpt(self.text)


def excerpt(text: str) -> str:
    """Return the beginning of what a person reads of an HTML text, in a line."""
    text = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", " ", text[:100_000])
    return " ".join(re.sub(r"<[^<>]*>", " ", text).split())[:_EXCERPT]


def _cookie(line: str) -> Cookie | None:
    first, *rest = line.split(";")
    name, equals, value = first.strip().partition("=")
    if not equals or not name:
        return None
    words = {key.strip().lower(): to.strip() for key, _, to in (part.partition("=") for part in rest)}
    is_removed = words.get("max-age", "").startswith(("0", "-")) or (not value.strip('"') and "expires" in words)
    return Cookie(name, value, "secure" in words, "httponly" in words, words.get("samesite", ""), is_removed)


def value_at(text: str, way: str) -> tuple[object, str]:
    """Return (the value at `way` in the JSON `text`, "") or (None, why there is none): `items.0.id`."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return None, "the answer is no JSON"
    except RecursionError:
        return None, "the answer is nested too deep"
    for part in way.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None, f"the answer has no `{way}`"
    return value, ""
