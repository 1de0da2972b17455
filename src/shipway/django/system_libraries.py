"""The Debian packages that Python packages need at run time beyond their wheels, and the front-end build."""

from __future__ import annotations

import json
import re

from shipway.django.fact import UNKNOWN, Fact, Place
from shipway.django.packages import Packages
from shipway.django.tree import Sources, join, upwards

# Debian 12 and 13 package names; wheels of the packages left out here bring what they need.
_NEEDS: dict[str, tuple[str, ...]] = {
    "psycopg2": ("libpq5",),
    "psycopg": ("libpq5",),
    "psycopg-c": ("libpq5",),
    "mysqlclient": ("libmariadb3",),
    "weasyprint": ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
    "django-weasyprint": ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
    "python-magic": ("libmagic1",),
    "python-ldap": ("libldap2",),
    "django-auth-ldap": ("libldap2",),
    "xmlsec": ("libxmlsec1-openssl",),
    "python3-saml": ("libxmlsec1-openssl",),
    "pysaml2": ("xmlsec1",),
    "pygraphviz": ("libgraphviz-dev",),
    "cairosvg": ("libcairo2",),
    "pycairo": ("libcairo2",),
    "xhtml2pdf": ("libcairo2",),
    "pdf2image": ("poppler-utils",),
    "pytesseract": ("tesseract-ocr",),
    "ocrmypdf": ("tesseract-ocr", "ghostscript"),
    "wand": ("libmagickwand-6.q16-6",),
    "pyvips": ("libvips42",),
    "ffmpeg-python": ("ffmpeg",),
    "pydub": ("ffmpeg",),
    "uwsgi": ("libpcre2-8-0",),
    "pycurl": ("libcurl4",),
    "pylibmc": ("libmemcached11",),
    "pyodbc": ("unixodbc",),
    "pyzbar": ("libzbar0",),
    "rtree": ("libspatialindex6",),
    "pdfkit": ("wkhtmltopdf",),
    "textract": ("poppler-utils",),
}
_GEO = ("libgdal-dev", "libgeos-dev", "libproj-dev")
_SCRIPTS = (
    "build",
    "build:prod",
    "build:production",
    "build-prod",
    "production",
    "dist",
    "webpack",
    "compile",
    "css",
    "prod",
    "collect",
)


def find_system_libraries(packages: Packages, geodjango: Fact) -> Fact:
    """Return the fact `system_libraries`: names of Debian packages, each with the Python package that asks for it."""
    needed: dict[str, Place] = {}
    for one in packages.requirements.wanted:
        names = _NEEDS.get(one.name, ()) if not one.group else ()
        if one.name == "psycopg" and (
            {"binary", "c"} & set(one.extras) == {"binary"} or "psycopg-binary" in packages.requirements.locked
        ):
            names = ()
        for name in names:
            needed.setdefault(name, Place(one.place.file, one.place.line, one.name))
    if geodjango.value is True:
        place = geodjango.evidence[0] if geodjango.evidence else Place("", 0)
        needed.update({name: Place(place.file, place.line, "GeoDjango") for name in _GEO})
    if not packages.requirements.wanted:
        return UNKNOWN
    return Fact(sorted(needed), "medium", tuple(needed[name] for name in sorted(needed)))


def find_frontend(sources: Sources, root: str) -> Fact:
    """Return the fact `frontend`: where package.json is, its manager, and the scripts that build for production."""
    start = "" if root == "." else f"{root}/"
    places = [join(directory, "package.json") for directory in upwards(root)]
    places += [path for path in sources.named("package.json") if path.count("/") <= start.count("/") + 3]
    for path in dict.fromkeys(places):
        if not sources.has(path) or "node_modules" in path or "/." in f"/{path}":
            continue
        scripts = _scripts(sources.text(path))
        found = next((name for name in _SCRIPTS if name in scripts), "")
        if found:
            directory = path.removesuffix("package.json").rstrip("/") or "."
            value = {"directory": directory, "manager": _manager(sources, directory), "script": found}
            line = next((n for n, text in enumerate(sources.text(path).splitlines(), 1) if f'"{found}"' in text), 0)
            return Fact(value, "medium", (Place(path, line, scripts[found][:80]),))
    return UNKNOWN


def _scripts(text: str) -> dict[str, str]:
    try:
        document = json.loads(text) if len(text) < 300_000 else {}  # noqa: PLR2004  a package.json is small
    except (ValueError, RecursionError):
        return {}
    scripts = document.get("scripts") if isinstance(document, dict) else None
    return {str(k): v for k, v in scripts.items() if isinstance(v, str)} if isinstance(scripts, dict) else {}


def _manager(sources: Sources, directory: str) -> str:
    locks = (
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun"),
        ("bun.lockb", "bun"),
        ("package-lock.json", "npm"),
    )
    for place in upwards(directory):
        for name, manager in locks:
            if sources.has(join(place, name)):
                return manager
    match = re.search(r'"packageManager":\s*"(\w+)@', sources.text(join(directory, "package.json")))
    return match[1] if match else "npm"
