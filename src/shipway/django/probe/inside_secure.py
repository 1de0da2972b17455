"""Finds a page whose refusal of a POST tells whether Django took the request for HTTPS.

CsrfViewMiddleware asks a secure request for its Referer before anything else (django/middleware/csrf.py), and Django's
page of the refusal shows which of the two reasons it was. The view is never run: the refusal comes before it.
"""

from __future__ import annotations

from typing import Any


def telling_page(paths: list[str]) -> dict[str, Any]:
    """Return the first of `paths`, or of the project's own URLs, that can be asked; or why none can."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    header = settings.SECURE_PROXY_SSL_HEADER
    facts: dict[str, Any] = {
        "trusts": str(header[0]) if header else "",
        "redirects": bool(settings.SECURE_SSL_REDIRECT),
    }
    middleware = [path for path in settings.MIDDLEWARE if is_csrf(import_string(path))]
    if not middleware:
        return {**facts, "why": "the project has no CsrfViewMiddleware"}
    if not tells_apart():
        return {**facts, "why": "its page for a refused form does not say why it was refused"}
    for path in [*paths, *own_paths()]:
        if is_protected(path):
            return {**facts, "path": path}
    return {**facts, "why": "no page was found that Django protects from forged forms"}


def is_csrf(middleware: Any) -> bool:
    """Whether a middleware is Django's own, or a class made from it."""
    from django.middleware.csrf import CsrfViewMiddleware

    return isinstance(middleware, type) and issubclass(middleware, CsrfViewMiddleware)


def tells_apart() -> bool:
    """Whether the project's page of a refusal differs between a missing Referer and a missing cookie."""
    from django.conf import settings
    from django.middleware.csrf import REASON_NO_CSRF_COOKIE, REASON_NO_REFERER
    from django.test import RequestFactory
    from django.urls import get_callable

    view = get_callable(settings.CSRF_FAILURE_VIEW)
    request = RequestFactory().post("/")
    try:
        first, second = (view(request, reason=reason) for reason in (REASON_NO_REFERER, REASON_NO_CSRF_COOKIE))
    except Exception:
        return False
    return bool(first.status_code == second.status_code == 403 and first.content != second.content)


def is_protected(path: str) -> bool:
    """Whether a path leads to a view that is not exempt, as CsrfViewMiddleware itself asks it."""
    from django.urls import Resolver404, resolve

    try:
        view = resolve(path).func
    except Resolver404:
        return False
    return not getattr(view, "csrf_exempt", False)


def own_paths() -> list[str]:
    """Return the URLs of the project that need no argument, the shortest first."""
    from django.urls import NoReverseMatch, get_resolver, reverse

    found = []
    names: Any = [(name, "") for name in get_resolver().reverse_dict if isinstance(name, str)]
    names += [("login", "admin"), ("index", "admin")]
    for name, space in names[:200]:
        try:
            found.append(str(reverse(f"{space}:{name}" if space else name)))
        except NoReverseMatch:
            continue
    return sorted(found, key=lambda path: (len(path), path))
