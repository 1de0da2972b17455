"""`proxy`: what takes public traffic for a role or an accessory."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.config.keys import ListOf, OneOf, Section, Subtree, key
from shipway.config.kinds import Boolean, Integer, Kind, Text
from shipway.config.proxy_run import ProxyRun, check_proxy_run
from shipway.config.report import Report
from shipway.config.tree import MapNode, Node, Path, merge

_MAX_PORT = 65_535
_NO_HOST = "Must set a host to enable automatic SSL"


def _check_file(text: str) -> str:
    return "" if text.startswith("/") else "should be an absolute path on the server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate of one's own: the names of two secrets, or two files on the server."""

    certificate_pem: str | None = key(Text(), "The name of the secret with the certificate chain.")
    private_key_pem: str | None = key(Text(), "The name of the secret with the private key.")
    certificate_file: str | None = key(
        Text(check=_check_file), "The certificate chain as a file on the server, with `runtime: venv` (Shipway's key)."
    )
    private_key_file: str | None = key(
        Text(check=_check_file), "The private key as a file on the server (Shipway's key)."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHealth:
    """How the proxy asks a new release whether it works."""

    interval: int | None = key(Integer(least=1, unit="s"), "Seconds between two questions.", default="1")
    timeout: int | None = key(Integer(least=1, unit="s"), "Seconds that an answer may take.", default="5")
    path: str | None = key(Text(), "The path to ask for.", default="/up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffering:
    """What the proxy keeps in memory, and how large bodies may be."""

    requests: bool | None = key(
        Boolean(), "Whether requests are read whole before they are passed on.", default="false (Kamal: true)"
    )
    responses: bool | None = key(
        Boolean(), "Whether responses are read whole before they are sent.", default="false (Kamal: true)"
    )
    max_request_body: int | None = key(Integer(least=0, unit="bytes"), "The largest request body, in bytes.")
    max_response_body: int | None = key(Integer(least=0, unit="bytes"), "The largest response body, in bytes.")
    memory: int | None = key(Integer(least=0, unit="bytes"), "Bytes kept in memory before a file is used.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyLogging:
    """Headers that are written to the access log."""

    request_headers: tuple[str, ...] | None = key(
        ListOf(Text()), "Request headers to log.", default="Cache-Control, Last-Modified, User-Agent"
    )
    response_headers: tuple[str, ...] | None = key(ListOf(Text()), "Response headers to log.", default="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acme:
    """Who makes the certificates of automatic HTTPS."""

    email: str | None = key(Text(), "The address that the certificate authority writes to.", default="none")
    ca: str | None = key(
        Text(), "The address of the authority's ACME directory.", default="Let's Encrypt, then ZeroSSL"
    )
    ca_root: str | None = key(
        Text(), "A file of the project with the certificates (PEM) that the authority is trusted by.", default="none"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """What takes public traffic."""

    host: str | None = key(Text(strict=True), "The name under which the site is reached; several with commas.")
    hosts: tuple[str, ...] | None = key(ListOf(Text(strict=True)), "The names under which the site is reached.")
    app_port: int | None = key(Integer(least=1, most=_MAX_PORT), "The port of the application.", default="80")
    ssl: bool | Certificate | None = key(
        OneOf((Boolean(), Section(Certificate))), "Automatic HTTPS, or a certificate of one's own.", default="false"
    )
    ssl_redirect: bool | None = key(Boolean(), "Whether HTTP is redirected to HTTPS.", default="true")
    forward_headers: bool | None = key(
        Boolean(), "Whether `X-Forwarded-*` headers of the client are passed on.", default="false with ssl, else true"
    )
    response_timeout: int | None = key(Integer(least=0, unit="s"), "Seconds that a response may take.", default="30")
    path_prefix: str | None = key(Text(strict=True), "The path below which the site is; several with commas.")
    path_prefixes: tuple[str, ...] | None = key(ListOf(Text(strict=True)), "The paths below which the site is.")
    strip_path_prefix: bool | None = key(Boolean(), "Whether the prefix is cut off on the way.", default="true")
    healthcheck: ProxyHealth | None = key(Section(ProxyHealth), "How a new release is asked whether it works.")
    buffering: Buffering | None = key(Section(Buffering), "What is kept in memory, and how large bodies may be.")
    logging: ProxyLogging | None = key(Section(ProxyLogging), "Headers that are written to the access log.")
    run: ProxyRun | None = key(Section(ProxyRun, check=check_proxy_run), "How the proxy of a host itself is run.")
    tls: str | None = key(
        Text(choices=("internal",)), "`internal`: HTTPS with certificates of the proxy's own authority (Shipway's key)."
    )
    acme: Acme | None = key(Section(Acme), "Who makes the certificates of automatic HTTPS (Shipway's key).")
    access_log: bool | None = key(Boolean(), "Whether requests are logged (Shipway's key).", default="true")

    def names(self) -> tuple[str, ...]:
        """Return the names under which the site is reached; none: under any."""
        return self.hosts or _split(self.host)

    def prefixes(self) -> tuple[str, ...]:
        """Return the paths below which the site is; none: all."""
        return self.path_prefixes or _split(self.path_prefix)

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of one's own, if there is one."""
        has_own = isinstance(self.ssl, Certificate) and (self.ssl.certificate_pem or self.ssl.certificate_file)
        return self.ssl if isinstance(self.ssl, Certificate) and has_own else None

    @property
    def is_tls(self) -> bool:
        """Whether the proxy speaks HTTPS: automatic, with a certificate of one's own, or internal."""
        return self.ssl not in (None, False) or self.tls is not None


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def check_proxy(proxy: Proxy, path: Path, report: Report) -> None:
    """Report what Kamal refuses about one proxy section, each by itself."""
    if not proxy.names() and proxy.ssl not in (None, False):
        report.add("required", path, _NO_HOST, next="add `host: www.example.com`")
    check_hosts(proxy, path, report)
    if isinstance(proxy.ssl, Certificate):
        _check_certificate(proxy.ssl, path, report)
    if proxy.tls and proxy.ssl not in (None, False):
        report.add("conflict", (*path, "tls"), "`tls: internal` beside `ssl`", next="keep one of the two")


def check_hosts(proxy: Proxy, path: Path, report: Report) -> None:
    """Report two ways to name the hosts, or the prefixes."""
    if proxy.host is not None and proxy.hosts is not None:
        report.add("conflict", path, "Specify one of 'host' or 'hosts', not both", next="keep `hosts:`")
    if proxy.path_prefix is not None and proxy.path_prefixes is not None:
        what = "Specify one of 'path_prefix' or 'path_prefixes', not both"
        report.add("conflict", path, what, next="keep `path_prefixes:`")


def _check_certificate(ssl: Certificate, path: Path, report: Report) -> None:
    pairs = (("certificate_pem", "private_key_pem"), ("private_key_pem", "certificate_pem"))
    for there, missing in pairs:
        if getattr(ssl, there) and not getattr(ssl, missing):
            what = f"Missing {missing} setting (required when {there} is present)"
            report.add("required", path, what, next=f"name the secret: `{missing}: NAME`")


PROXY: Kind = Section(Proxy, check=check_proxy)
PROXY_TREE: Kind = Subtree(PROXY)


def merged_proxy(base: Node | None, own: Node | None, path: Path, report: Report) -> Proxy:
    """Return the proxy of a role: `own`, its section, laid over `base`, that of the root."""
    both = base is not None and own is not None
    node = merge(base, own) if base is not None and own is not None else own or base
    if not isinstance(node, MapNode):
        return Proxy()
    # Both parts were checked where they stand; only what arises from their union is new.
    silent = Report(report.root)
    proxy = Section(Proxy).read(node, path, silent)
    if both:
        check_hosts(proxy, path, report)
    return proxy if isinstance(proxy, Proxy) else Proxy()
