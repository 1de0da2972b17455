"""The path that answers whether the application is well: named by health checks, by URLs, or by a middleware."""

from __future__ import annotations

import re

from shipway.django.dockerfile import exec_words, is_development
from shipway.django.fact import UNKNOWN, Fact, Place
from shipway.django.layout import Layout
from shipway.django.processes import Processes, script_path
from shipway.django.settings import Settings
from shipway.django.tree import join, line_of, parent
from shipway.django.urls import Route, read_routes

_WORD = (
    r"(?:_?_?(?:lb)?heartbeat_?_?|(?:app|api|service|server|site|system)[-_](?:health|alive|ready)|_{0,2}health_?z?|health[-_]?checks?|liveness|livez?|readiness|readyz?|alive|_?healthz|up|"
    r"-/alive|-/ready|-/health|ping|status|ht|is[-_]?alive|monitoring/health|health/live|health/ready)"
)
_PATH = re.compile(rf"^/(?:[\w-]+/)*?{_WORD}/?$", re.IGNORECASE)
_VIEW = re.compile(r"(?i)health|heartbeat|(?<![a-z])alive|liveness|readiness")
"""Views made for this purpose; their path may have any name, the root too."""
_NOT_FOR_US = re.compile(r"(?i)worker|celery|last_?seen|source|device|mental|healthcare|update")
_CLEAR = re.compile(
    r"health|heartbeat|alive|livez|liveness|readyz|readiness|^/up/?$|^/(?:-/)?ready/?$|^/live/?$|^/ht/?$", re.IGNORECASE
)
_URL = re.compile(
    r"(?:https?://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|\$\{?HOSTNAME\}?|\{\w+\})(?::(?:\d+|\$\{[^}]*\}|\$\w+|\{[^}]*\}))?"
    r"(/?[^\s\"'|)>,;\\]*)?"
)
# What packages put below the place where their URLs are included, or answer by a middleware.
_INCLUDED = {
    "health_check.urls": "", "maykin_common.health_checks.urls": "_healthz/", "watchman.urls": "",
    "django_alive.urls": "alive/",
    "django_healthchecks.urls": "", "heartbeat.urls": "", "healthcheck.urls": "", "django_healthy.urls": "",
    "health.urls": "",
    "django_health_check.urls": "", "simple_health_check.urls": "", "django_probes.urls": "",
    "django_healthz.urls": "healthz/",
}  # fmt: skip
_MIDDLEWARE = {
    "dockerflow.django": "/__heartbeat__",
    "django_healthcheck.middleware": "/healthcheck/",
    "django_cloud_tasks": "",
}


def find_health(layout: Layout, settings: Settings, processes: Processes) -> Fact:
    """Return the fact `health`; unknown when the project shows no path made for this purpose."""
    urlconf = settings.text("ROOT_URLCONF") or _urlconf_beside(layout, settings)
    routes = read_routes(layout, urlconf) if urlconf else []
    probed = _image_probe(layout, processes) or _platform_probe(layout, processes)
    if probed is not None:
        path, place = probed
        route = next((route for route in routes if route.path.rstrip("/") == path.rstrip("/") and path != "/"), None)
        evidence = (place, Place(route.file, route.line, route.view)) if route else (place,)
        return Fact(route.path if route else path, "high" if route or path != "/" else "medium", evidence)
    return (
        _routed(routes)
        or _compose_probe(processes, routes)
        or _packaged(settings, routes)
        or _in_code(layout, settings)
        or UNKNOWN
    )


def _urlconf_beside(layout: Layout, settings: Settings) -> str:
    """Return the URLconf where startproject puts it, for settings that take ROOT_URLCONF from a package."""
    package = parent(settings.files[0]) if settings.files else layout.root
    while package not in (".", layout.root):
        path = join(package, "urls.py")
        if layout.sources.has(path):
            return layout.module_name(path)
        package = parent(package)
    return ""


def _routed(routes: list[Route]) -> Fact | None:
    found = [route for route in routes if _PATH.match(route.path) and _CLEAR.search(route.path) and not route.include]
    found = found or [
        route
        for route in routes
        if route.view and _VIEW.search(_function(route.view)) and not _NOT_FOR_US.search(f"{route.path}{route.view}")
    ]
    included = [
        (f"{route.path}{_INCLUDED[route.include]}", route)
        for route in routes
        if route.include in _INCLUDED and not found
    ]
    pairs = [(route.path, route) for route in found] or [pair for pair in included if pair[0] != "/"]
    if not pairs:
        return None
    path, route = min(pairs, key=lambda one: (_rank(one[0]), one[0].count("/"), len(one[0])))
    others = tuple(dict.fromkeys(f"{other.file}:{other.line} has {name} too" for name, other in pairs if name != path))
    return Fact(
        path,
        "high" if not others else "medium",
        (Place(route.file, route.line, route.view or route.include),),
        others[:5],
    )


def _function(view: str) -> str:
    """Return the last word of a view's name: `health` of `views.health`, `Alive` of `views.Alive.as_view`."""
    return view.removesuffix(".as_view").rpartition(".")[2]


def _rank(path: str) -> int:
    """Readiness says more than liveness; a path without either word is for both."""
    return 0 if "health" in path else 1 if re.search(r"/_*heartbeat|/up/?$", path) else 2 if "read" in path else 3


def _image_probe(layout: Layout, processes: Processes) -> tuple[str, Place] | None:
    image = processes.image
    for instruction in reversed(image.of("HEALTHCHECK") if image else []):
        place = Place(image.path if image else "", instruction.line, "HEALTHCHECK")
        text = re.sub(r"^.*?\bCMD\b", "", instruction.text, count=1)
        path = probe_path(text)
        if path is not None:
            return path, place
        for word in exec_words(text.strip()):
            script = script_path(word, image, layout.sources) if image else ""
            path = probe_path(_without_comments(layout.sources.text(script))) if script else None
            if path is not None:
                return path, Place(script, 0, "the health check of the image")
    return None


def _without_comments(text: str) -> str:
    text = re.sub(r'""".*?"""', "", text[:40_000], flags=re.DOTALL)
    found = [
        line
        for line in text.splitlines()
        if not line.lstrip().startswith("#") and "getenv" not in line and "environ" not in line
    ]
    return "\n".join(found)


def probe_path(text: str) -> str | None:
    """Return the path that a health check's command asks for, None when it asks for none over HTTP."""
    if not re.search(r"curl|wget|http|urlopen|requests", text):
        return None
    best: str | None = None
    for match in _URL.finditer(text):
        path = re.sub(r"\$\{[^}]*\}|\$\w+|\{[^}]*\}", "", match[1] or "")
        path = path.partition("?")[0]
        if not match[1] or path.startswith("/") or best is None:
            path = path if path.startswith("/") else "/"
            is_better = best in (None, "/") or (_CLEAR.search(path) and not _CLEAR.search(best or ""))
            best = path if is_better else best
    return best


def _platform_probe(layout: Layout, processes: Processes) -> tuple[str, Place] | None:
    pattern = re.compile(
        r"healthCheckPath[\"']?\s*[:=]\s*[\"']?(/[\w/.-]*)|healthcheckPath[\"']?\s*[:=]\s*[\"']?(/[\w/.-]*)|"
        r"\[\[?(?:http_service|services)[\w.]*checks\]?\][^\[]*?path\s*=\s*[\"'](/[\w/.-]*)|\"path\":\s*\"(/[\w/.-]*)\"",
        re.DOTALL,
    )
    for path in processes.platforms:
        text = layout.sources.text(path)
        match = pattern.search(text)
        found = next((group for group in match.groups() if group), "") if match else ""
        if match and found:
            return found, Place(path, line_of(text, match.start()))
    return None


def _compose_probe(processes: Processes, routes: list[Route]) -> Fact | None:
    for service in processes.services:
        if is_development(service.file):
            continue
        serves = re.search(r"gunicorn|uwsgi|uvicorn|daphne|granian|manage\.py|start", service.command)
        if (
            not service.health
            or not (service.builds or serves)
            or re.search(r"nginx|minio|keycloak|elastic|solr|node|front", f"{service.name}{service.image}")
        ):
            continue
        path = probe_path(service.health)
        route = next((route for route in routes if path and route.path.rstrip("/") == path.rstrip("/")), None)
        if path is not None and (route or path != "/" or service.file == processes.compose[0]):
            return Fact(
                route.path if route else path,
                "medium" if path != "/" else "low",
                (Place(service.file, 0, f"service {service.name}"),),
            )
    return None


def _packaged(settings: Settings, routes: list[Route]) -> Fact | None:
    apps = settings.texts("INSTALLED_APPS", "MIDDLEWARE")
    for prefix, path in _MIDDLEWARE.items():
        name = next((app for app in apps if app.startswith(prefix)), "")
        if name and path:
            return Fact(path, "high", (settings.find(name.replace(".", r"\.")) or settings.place("MIDDLEWARE"),))
    del routes
    return None


def _in_code(layout: Layout, settings: Settings) -> Fact | None:
    """A middleware, or a wrapper of the application, that compares the path with a text."""
    pattern = re.compile(rf"[\"'](/(?:[\w-]+/)*{_WORD}/?)[\"']", re.IGNORECASE)
    names = [f"{one.rpartition('.')[0]}" for one in settings.texts("MIDDLEWARE")]
    files = [layout.module_path(name) for name in names]
    files += [
        path
        for path in layout.python_files
        if path.endswith(("wsgi.py", "asgi.py", "/asgi/__init__.py", "/wsgi/__init__.py"))
    ]
    files += [path for path in layout.python_files if re.search(r"health|heartbeat", path.rpartition("/")[2])]
    for path in dict.fromkeys(file for file in files if file):
        text = _code_only(layout.sources.text(path))
        for match in pattern.finditer(text):
            if _CLEAR.search(match[1]):
                return Fact(match[1], "medium", (Place(path, line_of(text, match.start())),))
    return None


def _code_only(text: str) -> str:
    return "\n".join("" if line.lstrip().startswith("#") else line for line in text[:200_000].splitlines())
