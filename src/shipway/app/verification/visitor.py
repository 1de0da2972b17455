"""A visitor of one place: asks for pages, keeps cookies, follows redirects."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from shipway.adapters.fetch import Fetcher
from shipway.verification.page import REDIRECTS, Cookie, Page
from shipway.verification.place import Place

MOST_BYTES = 2_000_000
"""How much of a page is read: more than any page that a visitor waits for."""
MOST_REDIRECTS = 10
AGENT = "shipway-verify"
_TROUBLES: Mapping[str, str] = {
    "refused": "the connection was refused",
    "timeout": "there was no answer in time",
    "tls": "there was no TLS connection",
    "broken": "the connection was broken off",
    "unreachable": "there is no way to it",
}
_SEE_OTHER = {301, 302, 303}


@dataclass(slots=True)
class Visitor:
    """Asks one place, on its host, as a browser would. One session: what sets cookies gets them back."""

    place: Place
    fetch: Fetcher
    limit_s: float
    cookies: dict[str, Cookie] = field(default_factory=dict)

    async def ask(self, url: str, *, method: str = "GET", body: str = "", host: str = "", referer: str = "") -> Page:
        """Return the answer to one request; a redirect is not followed. `host` is sent as Host in the name's place."""
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        headers = [("User-Agent", AGENT), ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]
        is_plain = is_tls and not self.place.is_tls  # TLS ends at a load balancer, and this is what that would send
        if is_plain:
            headers.append(("X-Forwarded-Proto", "https"))
        kept = [cookie for cookie in self.cookies.values() if is_tls or not cookie.is_secure]
        if kept:
            headers.append(("Cookie", "; ".join(f"{cookie.name}={cookie.value}" for cookie in kept)))
        if method == "POST":
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            headers.append(("Origin", f"{parts.scheme}://{parts.netloc}"))
        if referer:
            headers.append(("Referer", referer))
        asked: dict[str, Any] = {
            "port": self.place.https_port if is_tls and not is_plain else self.place.http_port,
            "tls": is_tls and not is_plain,
            "name": parts.hostname or self.place.name,
            "host": host or parts.netloc,
            "method": method,
            "path": (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            "headers": headers,
            "body": body,
            "limit_s": self.limit_s,
            "most": MOST_BYTES,
        }
        page = page_of(url, await self.fetch(asked))
        self._keep(page)
        return page

    async def follow(self, url: str, *, method: str = "GET", body: str = "", referer: str = "") -> tuple[Page, ...]:
        """Return the pages that a browser sees on the way from `url`, up to one that leads no further, or elsewhere."""
        pages = [await self.ask(url, method=method, body=body, referer=referer)]
        while (to := pages[-1].location) and len(pages) <= MOST_REDIRECTS:
            if not self.place.is_ours(to):
                return tuple(pages)
            if pages[-1].status in _SEE_OTHER:
                method, body = "GET", ""
            pages.append(await self.ask(to, method=method, body=body, referer=referer))
        if pages[-1].status in REDIRECTS and len(pages) > MOST_REDIRECTS:
            pages[-1] = replace(pages[-1], trouble=f"it led on and on, {MOST_REDIRECTS} times")
        return tuple(pages)

    def _keep(self, page: Page) -> None:
        for cookie in page.cookies:
            if cookie.is_removed:
                self.cookies.pop(cookie.name, None)
            elif page.url.startswith("https:") or not cookie.is_secure:  # browsers take no Secure cookie by HTTP
                self.cookies[cookie.name] = cookie


def has_no_tls(page: Page) -> bool:
    """Whether there was a connection, and no TLS on it."""
    return page.trouble.startswith(_TROUBLES["tls"])


def page_of(url: str, answer: Mapping[str, Any]) -> Page:
    """Return the page that an answer of `fetch_script` holds. What a host says is not trusted to have its form."""
    if "trouble" in answer or not isinstance(answer.get("status"), int):
        kind, said = str(answer.get("trouble", "")), str(answer.get("said", ""))[:300]
        return Page(url, trouble=": ".join(filter(None, (_TROUBLES.get(kind, "there was no answer"), said))))
    try:
        body = zlib.decompressobj().decompress(base64.b64decode(str(answer.get("body", ""))), MOST_BYTES)
        headers = tuple((str(name), str(value)) for name, value in answer.get("headers", ()))
        took_ms = float(answer.get("took_ms", 0.0))
    except (binascii.Error, zlib.error, TypeError, ValueError):
        return Page(url, trouble="there was no answer that can be read")
    return Page(url, answer["status"], headers, body, bool(answer.get("cut")), took_ms)
