"""Checks of what visitors meet: DEBUG, hosts, TLS, cookies, the secret key, the health path."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.checks.project.subject import Subject, is_allowed, is_trusted
from shipway.checks.table import found
from shipway.core.errors import Finding

_HEADER = ["HTTP_X_FORWARDED_PROTO", "https"]
"""What the proxy says of a request that came by TLS."""
LOCALHOST = "localhost"


def check_debug(subject: Subject) -> Iterator[Finding]:
    """Find DEBUG in production."""
    setting = subject.project.setting("DEBUG")
    if setting.truth is True:
        what = "DEBUG is on with the environment that the configuration gives"
        name = subject.project.variable_at(setting.where)
        yield found("project.debug", what, setting.where, f"{name}: false under `env/clear`" if name else "")


def check_hosts(subject: Subject) -> Iterator[Finding]:
    """Find names of the proxy that ALLOWED_HOSTS leaves out; Django asks nobody while DEBUG is on."""
    setting = subject.project.setting("ALLOWED_HOSTS")
    if not setting.is_whole or not subject.proxies or subject.project.setting("DEBUG").truth is not False:
        return
    health = {next((n for n in proxy.names() if "*" not in n), LOCALHOST): None for proxy in subject.proxies}
    for name in dict.fromkeys((*subject.names, *health)):
        if is_allowed(name, setting.texts):
            continue
        why = "which the health check asks for" if name in health else "a name of the proxy"
        what = f"ALLOWED_HOSTS has no `{name}`, {why}"
        yield found("project.allowed_hosts", what, setting.where, f"add `{name}` to ALLOWED_HOSTS")


def check_origins(subject: Subject) -> Iterator[Finding]:
    """Find origins that Django does not take, and those it needs because it does not see TLS."""
    setting = subject.project.setting("CSRF_TRUSTED_ORIGINS")
    # Without a scheme since 4.0: security.E001 of django.core.checks (4_0.E001).
    wrong = [origin for origin in setting.texts if "://" not in origin]
    if wrong:
        what = f"CSRF_TRUSTED_ORIGINS has `{wrong[0]}`, which has no scheme"
        yield found("project.csrf_origins", what, setting.where, f"write `https://{wrong[0].lstrip('.')}`")
        return
    if not subject.is_tls or _sees_tls(subject) is not False or not setting.is_whole:
        return
    missing = [name for name in subject.names if not is_trusted(name, setting.texts)]
    if missing and any("CsrfViewMiddleware" in one for one in subject.project.setting("MIDDLEWARE").texts):
        what = f"CSRF_TRUSTED_ORIGINS has no `https://{missing[0]}`, and Django does not see that TLS ends at the proxy"
        yield found("project.csrf_origins", what, setting.where)


def _sees_tls(subject: Subject) -> bool | None:
    """Return whether Django learns from the proxy's header that a request was secure; None where it is not known."""
    setting = subject.project.setting("SECURE_PROXY_SSL_HEADER")
    if not setting.is_whole:
        return None
    return any(_is_header(value) for value in setting.values)


def _is_header(value: object) -> bool:
    return isinstance(value, (list, tuple)) and list(value) == _HEADER


def check_tls(subject: Subject) -> Iterator[Finding]:
    """Find settings that contradict where TLS ends."""
    if not subject.proxies:
        return
    header, redirect = (
        subject.project.setting("SECURE_PROXY_SSL_HEADER"),
        subject.project.setting("SECURE_SSL_REDIRECT"),
    )
    sees = _sees_tls(subject)
    if subject.is_tls and sees is False:
        if redirect.truth is True:
            what = "SECURE_SSL_REDIRECT is on, TLS ends at the proxy, and SECURE_PROXY_SSL_HEADER does not say so"
            yield found("project.redirect_loop", what, redirect.where)
        else:
            what = "TLS ends at the proxy, and SECURE_PROXY_SSL_HEADER "
            what += "names another header than the proxy sends" if any(header.values) else "is not set"
            yield found("project.ssl_header", what, header.where)
    if not subject.is_tls and redirect.truth is True:
        what = "SECURE_SSL_REDIRECT is on, and the proxy speaks no HTTPS"
        yield found("project.redirect_without_tls", what, redirect.where)
    if not subject.is_tls and sees and any(proxy.forward_headers is not False for proxy in subject.proxies):
        what = "SECURE_PROXY_SSL_HEADER is trusted, and the proxy passes on what clients say of it"
        yield found("project.ssl_header_open", what, header.where)


def check_cookies(subject: Subject) -> Iterator[Finding]:
    """Find cookies that go over plain HTTP although there is TLS, and those that need TLS where there is none."""
    if not subject.proxies:
        return
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
        setting = subject.project.setting(name)
        if subject.is_tls and setting.truth is False:
            state = "off" if setting.is_set else "not set"
            what = f"{name} is {state}, and the site is reached by HTTPS"
            switch = subject.project.variable_at(setting.where) if setting.is_set else ""
            next_ = f"{switch}: true under `env/clear`" if switch else f"{name} = True"
            yield found("project.insecure_cookies", what, setting.where, next_)
        if not subject.is_tls and setting.truth is True:
            yield found("project.cookies_need_tls", f"{name} is on, and the proxy speaks HTTP", setting.where)


def check_secret_key(subject: Subject) -> Iterator[Finding]:
    """Find a secret key that is read from a file of the repository. It is never shown."""
    setting = subject.project.setting("SECRET_KEY")
    if setting.is_whole and setting.texts and all(setting.texts):
        role = subject.config.roles[0] if subject.config.roles else None
        clear = {name for env in role.env.values() for name in env.clear} if role else set()
        if "SECRET_KEY" in clear:
            what, where = "the configuration gives SECRET_KEY in the clear", subject.file
            yield found("project.secret_key", what, where, "move it to `env/secret` and to .kamal/secrets")
            return
        name = subject.project.variable_at(setting.where)
        next_ = f"name {name} under `env/secret`, and in .kamal/secrets" if name else ""
        what = "production would use a SECRET_KEY that stands in the source"
        yield found("project.secret_key", what, setting.where, next_)


def check_health(subject: Subject) -> Iterator[Finding]:
    """Find a health path that is not the project's."""
    fact = subject.project.fact("health")
    if not fact.text or not fact.is_sure:
        return
    for role in subject.roles:
        if role.proxy is None:
            continue
        asked = (role.proxy.healthcheck.path if role.proxy.healthcheck else None) or subject.config.django.health
        if asked.rstrip("/") != fact.text.rstrip("/"):
            what = f"the health check of {role.name} asks for {asked}, and the project answers at {fact.text}"
            next_ = f"set `proxy/healthcheck/path: {fact.text}`"
            yield found("project.health_path", what, fact.where, next_)
