"""What a page refers to, and the forms that it has. Reads HTML as browsers do: without ever refusing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlencode, urljoin, urlsplit

Use = Literal["style", "script", "image", "icon"]
MOST_FILES = 60
"""How many files of one page are looked at: what a page needs for its first sight comes first."""
_ICONS = frozenset({"icon", "shortcut", "apple-touch-icon", "manifest", "mask-icon"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that a page needs, as an absolute URL."""

    url: str
    use: Use


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: where it is sent, how, and with which values before anybody wrote in it."""

    action: str
    method: str = "get"
    names: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Open:
    """A form that is being read."""

    action: str
    method: str
    names: list[str]
    fields: list[tuple[str, str]] = field(default_factory=list)
    select: str = ""
    option: str | None = None
    area: str = ""
    text: list[str] = field(default_factory=list)
    has_button: bool = False


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base = url
        self.references: dict[str, Reference] = {}
        self.forms: list[_Open] = []
        self._form: _Open | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = {name: value or "" for name, value in attrs}
        match tag:
            case "base" if words.get("href"):
                self.base = _joined(self.base, words["href"]) or self.base
            case "link":
                self._link(words)
            case "script" if words.get("src") and words.get("type", "").lower() != "text/template":
                self._refer(words["src"], "script")
            case "img" if words.get("src"):
                self._refer(words["src"], "image")
            case "form":
                self._form = _form(self.base, words)
                self.forms.append(self._form)
            case "input" | "button" | "select" | "option" | "textarea" if self._form is not None:
                _take(self._form, tag, dict(attrs))
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        form = self._form
        if form is None:
            return
        if tag == "form":
            self._form = None
        elif tag == "textarea" and form.area:
            form.fields.append((form.area, "".join(form.text).removeprefix("\n")))
            form.area = ""
        elif tag == "select":
            if form.select and form.option is not None:
                form.fields.append((form.select, form.option))
            form.select, form.option = "", None

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._form.area:
            self._form.text.append(data)

    def _link(self, words: Mapping[str, str]) -> None:
        rel = set(words.get("rel", "").lower().split())
        if not words.get("href"):
            return
        if "stylesheet" in rel and "alternate" not in rel:
            self._refer(words["href"], "style")
        elif rel & _ICONS:
            self._refer(words["href"], "icon")

    def _refer(self, to: str, use: Use) -> None:
        url = _joined(self.base, to)
        if url and len(self.references) < MOST_FILES:
            self.references.setdefault(url, Reference(url, use))


def _joined(base: str, to: str) -> str:
    """Return an absolute http(s) URL without its fragment; "" for anything else (data:, blob:, nonsense)."""
    try:
        url = urljoin(base, to.strip()).partition("#")[0]
        is_web = urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return ""
    return url if is_web else ""


def _form(base: str, words: Mapping[str, str]) -> _Open:
    names = [words[key] for key in ("id", "name", "action") if words.get(key)]
    method = words.get("method", "").lower()
    return _Open(_joined(base, words.get("action", "")) or base, "post" if method == "post" else "get", names)


def _take(form: _Open, tag: str, words: Mapping[str, str | None]) -> None:
    name, value, kind = words.get("name") or "", words.get("value") or "", (words.get("type") or "").lower()
    if tag == "option":
        if form.select and ("selected" in words or form.option is None):
            form.option = value
    elif "disabled" in words:
        return
    elif kind == "submit" or (tag == "button" and not kind):
        if name and not form.has_button:  # Enter means the first of them
            form.fields.append((name, value))
        form.has_button = True
    elif kind in ("checkbox", "radio"):
        if name and "checked" in words:
            form.fields.append((name, value or "on"))
    elif name:
        _take_field(form, tag, kind, (name, value))


def _take_field(form: _Open, tag: str, kind: str, pair: tuple[str, str]) -> None:
    if tag == "select":
        form.select, form.option = pair[0], None
    elif tag == "textarea":
        form.area, form.text = pair[0], []
    elif tag == "input" and kind not in ("button", "image", "reset", "file"):
        form.fields.append(pair)


def references_of(html: str, url: str) -> tuple[Reference, ...]:
    """Return the stylesheets, scripts, images and icons of a page, each once, in their order."""
    return tuple(_read(html, url).references.values())


def forms_of(html: str, url: str) -> tuple[Form, ...]:
    """Return the forms of a page in their order."""
    return tuple(Form(f.action, f.method, tuple(f.names), tuple(f.fields)) for f in _read(html, url).forms)


def _read(html: str, url: str) -> _Reader:
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return reader


def find_form(forms: tuple[Form, ...], wanted: str, fields: Mapping[str, str]) -> Form | None:
    """Return the form with the id, name or action `wanted`; for `true` the first that has all of `fields`.

    Pages have a search or a logout in their head; the form that is meant is the one with the fields to fill in.
    """
    if wanted != "true":
        return next((form for form in forms if wanted in form.names or urlsplit(form.action).path == wanted), None)
    having = (form for form in forms if set(fields) <= {name for name, _ in form.fields})
    return next(having, forms[0] if forms and not fields else None)


def filled(form: Form, fields: Mapping[str, str]) -> str:
    """Return what is sent when `fields` were written into `form`, as form data."""
    kept = [(name, value) for name, value in form.fields if name not in fields]
    return urlencode([*kept, *fields.items()])
