"""What Caddy answers by itself: error pages, the page without a release, the maintenance page."""

from __future__ import annotations

from shipway.core.plan_codec import Json
from shipway.proxies.pages import NO_RELEASE, NO_STORE, RETRY_AFTER_S, WORDS, page

# Caddy's placeholder for the id that the application and the access log have seen too: enough to find the details,
# and the only detail that a visitor is told.
_REFERENCE = "<p><small>{http.error.status_code} · {http.request.uuid}</small></p>"
_REQUEST_ID: list[Json] = [
    {"handler": "headers", "response": {"set": {"X-Request-Id": ["{http.request.uuid}"]}}},
]


def answer(status: str, body: str, *, retry: bool = False) -> dict[str, Json]:
    """Return the handler that answers with an HTML page that nobody may keep."""
    headers: dict[str, Json] = {"Content-Type": ["text/html; charset=utf-8"], "Cache-Control": [NO_STORE]}
    if retry:
        headers["Retry-After"] = [str(RETRY_AFTER_S)]
    return {"handler": "static_response", "status_code": status, "headers": headers, "body": body}


def no_release() -> list[Json]:
    """Return the handlers that answer while no release serves."""
    body = page(*NO_RELEASE, extra=_REFERENCE.replace("{http.error.status_code}", "503"))
    return [*_REQUEST_ID, answer("503", body, retry=True)]


def empty_address_routes(live: str) -> list[Json]:
    """Return the answer to an error whose cause is that the file `live` holds nothing; none without `live`.

    An empty file never comes from a switch, but from a full disk or a hand. Caddy would dial "", try again until its
    tries are over, and answer 502.
    """
    if not live:
        return []
    empty: dict[str, Json] = {"vars": {f"{{file.{live}}}": [""]}, **_status("^5")}
    return [{"match": [empty], "handle": no_release(), "terminal": True}]


def error_routes(own_pages: str) -> list[Json]:
    """Return how an error of Caddy's own is answered.

    First the pages of the service in `own_pages` (`404.html`, then `4xx.html`; looked up at each error, so that they
    change without a reload), then plain ones.
    """
    routes: list[Json] = [{"handle": _REQUEST_ID}]
    for name, pattern in (("{http.error.status_code}.html", "."), ("4xx.html", "^4"), ("5xx.html", "^5")):
        found: dict[str, Json] = {"file": {"root": own_pages, "try_files": [f"/{name}"]}, **_status(pattern)}
        routes.append({"match": [found], "handle": _own_page(own_pages, name), "terminal": True})
    for status, (title, text) in WORDS.items():
        body = page(title, text, extra=_REFERENCE)
        handler = answer("{http.error.status_code}", body)
        routes.append({"match": [_status(f"^{status}")], "handle": [handler], "terminal": True})
    return routes


def _status(pattern: str) -> dict[str, Json]:
    return {"vars_regexp": {"{http.error.status_code}": {"pattern": pattern}}}


def _own_page(folder: str, name: str) -> list[Json]:
    return [
        {"handler": "headers", "response": {"set": {"Cache-Control": [NO_STORE]}}},
        {"handler": "rewrite", "method": "GET", "uri": f"/{name}"},
        {"handler": "file_server", "root": folder, "status_code": "{http.error.status_code}", "canonical_uris": False},
    ]
