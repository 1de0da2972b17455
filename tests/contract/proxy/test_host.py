"""Setting a host up: twice, together with other services, and against what is in the way."""

from __future__ import annotations

import json
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from shipway.proxies.caddy import Caddy
from shipway.proxies.nginx import Nginx
from shipway.proxies.site import ProxyRoute, ProxySite, Tls
from tests.contract.proxy.rig import Rig, StepError, do, free_port, rig, run
from tests.contract.proxy.sites import ONLY_CADDY, blog, shop


def new_certificate(made: Rig, name: str) -> tuple[str, str]:
    """Return a new certificate of shop.test and its key."""
    key, certificate = f"{made.root}/{name}.key", f"{made.root}/{name}.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.test"]
    words += ["-addext", "subjectAltName=DNS:shop.test", "-keyout", key, "-out", certificate]
    subprocess.run(words, check=True, capture_output=True)
    return pathlib.Path(certificate).read_text(), pathlib.Path(key).read_text()


def shop_with_certificate(made: Rig, pems: tuple[str, str]) -> ProxySite:
    """Return shop with one role, served with a certificate of one's own."""
    where, (certificate, key) = made.layout("shop").certificate("web"), pems
    tls = Tls("files", f"{where}/cert.pem", f"{where}/key.pem", ((certificate,), (key,)))
    route = ProxyRoute("web", ("shop.test",), tls=tls, ssl_redirect=False)
    return ProxySite("shop", (route,))


@pytest.mark.usefixtures("host")
def test_a_second_setup_changes_nothing(proxy: Caddy | Nginx) -> None:
    assert do(proxy.host_steps()) == []
    facts = proxy.parse({name: run(command) for name, command in proxy.probes().items()})
    assert facts.is_proxy_up
    assert not facts.is_in_maintenance
    assert facts.config_hash == proxy.config_hash
    assert facts.is_settled


@ONLY_CADDY
def test_the_admin_socket_is_for_its_owner_only(host: Rig) -> None:
    assert (pathlib.Path(host.root) / "proxy/admin.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("proxy")
def test_an_invalid_configuration_changes_nothing(host: Rig) -> None:
    wrong = host.proxy(blog(tls=Tls("files", f"{host.root}/no.pem", f"{host.root}/no.key")))
    file = pathlib.Path(host.root, "proxy/nginx/shipway.conf" if host.is_nginx else "proxy/caddy.json")
    kept = file.read_bytes()
    with pytest.raises(StepError, match=r"(Caddy|nginx) refused the configuration, the one before stays.*no\.pem"):
        do(wrong.host_steps())
    assert file.read_bytes() == kept
    assert host.get("/").status == 200
    assert do(host.proxy(blog(forward_headers=True)).host_steps()) == []


def test_a_service_cannot_take_what_another_has(host: Rig) -> None:
    with pytest.raises(StepError, match=r"`(shop|thief)` and `(shop|thief)` both claim `shop\.test`"):
        do(host.proxy(ProxySite("thief", (ProxyRoute("web", ("shop.test",)),))).host_steps())
    if host.is_nginx:
        return  # it listens wherever a service wants it to
    with pytest.raises(StepError, match="but service `shop` runs it on"):
        do(host.proxy(ProxySite("thief", (ProxyRoute("web", ("thief.test",)),)), http_port=free_port()).host_steps())


@pytest.mark.usefixtures("proxy")
def test_a_service_may_share_a_host_by_prefix(host: Rig) -> None:
    docs = host.proxy(ProxySite("docs", (ProxyRoute("web", ("shop.test",), ("/docs",), strip_path_prefix=False),)))
    do(docs.host_steps())
    do(docs.switch_steps("web", host.start("docs", "d1"), ""))
    assert host.get("/docs/a").json["release"] == "d1"
    assert host.get("/docs/a").json["path"] == "/docs/a"
    assert host.get("/a").json["release"] == "r1"
    host.stop("docs", "d1")


def test_a_taken_port_is_named_with_its_holder(form: str) -> None:
    with rig(form) as made, socket.socket() as taken:
        taken.bind(("127.0.0.1", made.http_port))
        taken.listen()
        with pytest.raises(StepError, match=rf"port {made.http_port} is taken by `.+` \(process \d+\)"):
            do(made.proxy(shop(made.root)).host_steps())
        assert not made.is_running()


@ONLY_CADDY
def test_caddy_comes_back_after_it_was_killed_and_tls_answers(form: str) -> None:
    with rig(form) as made:
        proxy = made.proxy(shop(made.root, tls=Tls("internal"), static=None, media=None))
        assert do(proxy.host_steps())[-1] == "proxy-start"
        do(proxy.switch_steps("web", made.start("shop", "r1"), ""))
        made.end(signal.SIGKILL)
        assert not proxy.parse({name: run(command) for name, command in proxy.probes().items()}).is_proxy_up
        assert do(proxy.host_steps()) == ["proxy-start"]
        redirect = made.get("/a?b=1")
        assert redirect.status == 301
        assert redirect.headers["Location"] == f"https://shop.test:{made.https_port}/a?b=1"
        assert made.get_tls("/", host="shop.test").json["headers"]["X-Forwarded-Proto"] == "https"


@pytest.mark.usefixtures("proxy")
def test_the_access_log_has_the_asked_headers_and_no_cookie(host: Rig) -> None:
    assert host.get("/logged", headers={"User-Agent": "tester", "Cookie": "sessionid=planted"}).status == 200
    log = pathlib.Path(host.logs, "shipway-shop.log" if host.is_nginx else "shop.log")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (line,) = [line for line in lines if line["request"]["uri"] == "/logged"]
    assert line["request_user-agent"] == "tester"
    assert line["response_content-type"] == "application/json"
    assert "planted" not in log.read_text()


def test_an_unknown_host_gets_a_404(host: Rig) -> None:
    assert host.get("/", host="other.test").status == 404


def test_own_error_pages_appear_without_a_reload(host: Rig, proxy: Caddy | Nginx) -> None:
    do(proxy.switch_steps("web", host.endpoint("shop", "gone"), ""))
    own = host.proxy(shop(host.root, error_pages=(("502.html", "<h1>our 502</h1>"), ("4xx.html", "<h1>our 4xx</h1>"))))
    assert do(own.host_steps()) == ["proxy-pages"]
    failed = host.get("/", method="POST")
    assert (failed.status, failed.body) == (502, b"<h1>our 502</h1>")
    missing = host.get("/static/nothing.css")
    assert (missing.status, missing.body) == (404, b"<h1>our 4xx</h1>")
    assert do(proxy.host_steps()) == ["proxy-pages"]
    assert b"our" not in host.get("/static/nothing.css").body


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_a_certificate_from_a_file_is_used(form: str) -> None:
    with rig(form) as made:
        pems = new_certificate(made, "own")
        proxy = made.proxy(shop_with_certificate(made, pems))
        do(proxy.host_steps())
        do(proxy.switch_steps("web", made.start("shop", "r1"), ""))
        context = ssl.create_default_context(cadata=pems[0])
        assert made.get_tls("/", host="shop.test", context=context).json["release"] == "r1"
        assert made.get("/").json["headers"]["X-Forwarded-Proto"] == "http"


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_a_certificate_is_renewed_without_a_new_configuration(form: str) -> None:
    with rig(form) as made:
        pairs = [new_certificate(made, name) for name in ("first", "second")]
        where = made.layout("shop").certificate("web")
        for index, pems in enumerate(pairs):
            proxy = made.proxy(shop_with_certificate(made, pems))
            ran = do(proxy.upkeep_steps()) if index else do(proxy.host_steps())
            assert "proxy-certificate-web" in ran
            assert do(proxy.upkeep_steps()) == []
            do(proxy.switch_steps("web", made.endpoint("shop", "r1"), ""))
            context = ssl.create_default_context(cadata=pems[0])
            assert made.get_tls("/", host="shop.test", context=context).status == 502
            assert pathlib.Path(where, "key.pem").stat().st_mode & 0o777 == 0o600
        with pytest.raises(StepError, match=r"cannot be used \(KEY_VALUES_MISMATCH\); the ones before stay"):
            do(made.proxy(shop_with_certificate(made, (pairs[0][0], pairs[1][1]))).upkeep_steps())
        assert pathlib.Path(where, "cert.pem").read_text().startswith(pairs[1][0])


def test_a_service_that_is_removed_leaves_its_neighbour_alone_and_the_last_one_ends_the_proxy(form: str) -> None:
    with rig(form) as made:
        first, second = made.proxy(shop(made.root)), made.proxy(blog())
        for service, proxy in (("shop", first), ("blog", second)):
            do(proxy.host_steps())
            do(proxy.switch_steps("web", made.start(service, "r1"), ""))
        do(first.maintenance_steps(on=True))
        assert do(first.remove_steps()) == ["proxy-forget"]
        assert do(first.remove_steps()) == []
        assert made.get("/", host="shop.test").status == 404
        assert made.get("/", host="blog.test").status == 200
        assert not list(pathlib.Path(made.root, "proxy").glob("**/shop*"))
        assert do(second.remove_steps()) == ["proxy-forget", "proxy-remove"]
        assert made.is_running() == made.is_nginx, "nginx is a program of the host, and stays"
        assert do(first.host_steps())
        assert made.get("/", host="shop.test").status == 503


def test_a_directory_that_cannot_be_written_is_named(form: str) -> None:
    with rig(form) as made:
        steps = {step.id: step for step in made.proxy(shop(made.root)).host_steps()}
        directories, configure = steps["web-1/proxy-directories"], steps["web-1/proxy-configure"]
        do([directories])
        pathlib.Path(made.root, "proxy/lock").mkdir()
        with pytest.raises(StepError, match=r"proxy/lock: Is a directory"):
            do([configure])


@ONLY_CADDY
def test_caddy_takes_a_site_with_a_public_certificate(form: str) -> None:
    """Judged only: started, it would ask the authority for a certificate."""
    with rig(form) as made:
        proxy = made.proxy(shop(made.root, tls=Tls("auto", email="ops@shop.test")))
        judged = [step for step in proxy.host_steps() if step.id.endswith(("-directories", "-configure"))]
        assert do(judged) == ["proxy-directories", "proxy-configure"]
