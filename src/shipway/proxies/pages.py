"""The pages that a proxy answers by itself, as HTML, whichever proxy it is."""

from __future__ import annotations

import html

RETRY_AFTER_S = 30
NO_STORE = "no-store"
_PAGE = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
    "<style>body{{font:1.1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34rem;padding:0 1rem;color:#222}}"
    "small{{color:#666}}@media(prefers-color-scheme:dark){{body{{background:#1b1b1b;color:#ddd}}}}</style>"
    "</head><body><h1>{title}</h1><p>{text}</p>{extra}</body></html>\n"
)
WORDS = {
    "404": ("Page not found", "There is nothing at this address."),
    "413": ("Too large", "What was sent is larger than this site accepts."),
    "4": ("That did not work", "This site could not accept the request."),
    "502": ("Not reachable", "The site does not answer just now. Please try again in a moment."),
    "504": ("Too slow", "The site took too long to answer. Please try again in a moment."),
    "5": ("Something went wrong", "It is not your fault. Please try again in a moment."),
}
"""By the first digits of a status: title and text. An exact status comes before its class."""
NO_RELEASE = ("Not deployed yet", "No release is live.")


def page(title: str, text: str, *, extra: str = "") -> str:
    """Return one whole HTML page; `title` and `text` are plain text, `extra` is HTML."""
    return _PAGE.format(title=html.escape(title), text=html.escape(text), extra=extra)


def maintenance_page(message: str) -> str:
    """Return the page that is shown in maintenance mode, with the operator's own words in it."""
    return page("Back soon", message or "This site is being worked on. Please come back in a few minutes.")
