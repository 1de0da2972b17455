"""Static and media files, served by Caddy itself."""

from __future__ import annotations

from shipway.core.plan_codec import Json
from shipway.proxies.rules import BRIEFLY, FOREVER, HASHED, INERT, MEDIA_CACHE, SANDBOX
from shipway.proxies.site import Folder

_HIDDEN = r"(^|/)\."


def static_routes(folder: Folder) -> list[Json]:
    """Return the routes that serve collected static files: hashed names for ever, others for a minute."""
    return [
        _cache({"path_regexp": {"pattern": HASHED}}, FOREVER),
        _cache({"not": [{"path_regexp": {"pattern": HASHED}}]}, BRIEFLY),
        *_serve(folder),
    ]


def media_routes(folder: Folder) -> list[Json]:
    """Return the routes that serve uploaded files, of which none is ever run by a browser or by the server."""
    inert: Json = {"path_regexp": {"pattern": INERT}}
    download: Json = {"Content-Disposition": ["attachment"], "Content-Security-Policy": [SANDBOX]}
    return [
        _cache({}, MEDIA_CACHE),
        {"match": [{"not": [inert]}], "handle": [{"handler": "headers", "response": {"set": download}}]},
        *_serve(folder),
    ]


def _cache(match: dict[str, Json], value: str) -> Json:
    """An answer that is an error is not kept: a file can be missing on one host for the second of a rollout."""
    response: Json = {"set": {"Cache-Control": [value]}, "require": {"status_code": [2, 304]}}
    route: dict[str, Json] = {"handle": [{"handler": "headers", "response": response}]}
    return {"match": [match], **route} if match else route


def _serve(folder: Folder) -> list[Json]:
    """No listing, no index page, nothing that begins with a dot.

    Caddy's own `hide` looks at the whole path on disk, so `.*` would hide everything below `~/.shipway`; hence the
    matcher. Caddy joins paths safely (no `..`) but follows symbolic links inside the directory.
    """
    nosniff: Json = {"handler": "headers", "response": {"set": {"X-Content-Type-Options": ["nosniff"]}}}
    return [
        {"match": [{"path_regexp": {"pattern": _HIDDEN}}], "handle": [{"handler": "error", "status_code": "404"}]},
        {
            "handle": [
                nosniff,
                {"handler": "rewrite", "strip_path_prefix": "/" + folder.url.strip("/")},
                {
                    "handler": "file_server",
                    "root": folder.path,
                    "index_names": [],
                    "canonical_uris": False,
                    "precompressed": {"br": {}, "gzip": {}},
                    "precompressed_order": ["br", "gzip"],
                },
            ]
        },
    ]
