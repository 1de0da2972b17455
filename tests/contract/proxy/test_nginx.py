"""What nginx has of its own: it may be somebody else's too, and it is told to read what we write."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shipway.core.errors import ConfigError
from shipway.proxies.site import ProxyRoute, ProxySite, Tls
from tests.absent import IS_CI
from tests.contract.proxy.rig import LIMIT_S, Rig, StepError, do, nginx_binary, rig, undo
from tests.contract.proxy.sites import blog, live, shop
from tests.contract.proxy.test_host import new_certificate

pytestmark = pytest.mark.skipif(
    not IS_CI and not nginx_binary(), reason="needs nginx (on Debian: apt-get install nginx)"
)


@pytest.fixture
def made() -> Iterator[Rig]:
    with rig("nginx") as host:
        yield host


def conf(host: Rig) -> pathlib.Path:
    return pathlib.Path(host.root, "proxy/nginx/shipway.conf")


def theirs(host: Rig, text: str) -> pathlib.Path:
    """Put a site of somebody else into nginx."""
    host.proxy(blog())
    path = pathlib.Path(host.root, "sites-enabled", "theirs")
    path.write_text(text.replace("PORT", str(host.http_port)))
    return path


def test_an_edited_file_is_not_overwritten(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    edited = conf(made).read_text().replace("keepalive_timeout 120s;", "keepalive_timeout 7s;")
    conf(made).write_text(edited)
    assert do(proxy.host_steps()) == ["proxy-reload"], "nothing of ours changed, so the file stays, and nginx reads it"
    changed = made.proxy(shop(made.root, response_timeout_s=9.0))
    with pytest.raises(StepError, match=r"shipway\.conf was changed by hand and stays as it is: .* delete this one"):
        do(changed.host_steps())
    assert conf(made).read_text() == edited
    undo([step for step in changed.host_steps() if step.undo])
    assert conf(made).read_text() == edited
    conf(made).unlink()
    assert do(changed.host_steps()) == ["proxy-configure", "proxy-reload"]
    assert "keepalive_timeout 120s;" in conf(made).read_text()


def test_a_site_of_somebody_else_goes_on(made: Rig) -> None:
    theirs(made, 'server { listen 127.0.0.1:PORT; server_name theirs.test; location / { return 200 "theirs"; } }')
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    assert made.get("/", host="theirs.test").body == b"theirs"
    assert made.get("/", host="nobody.test").body == b"theirs", "it stays what answers for every other name"
    assert made.get("/").status == 503
    do(proxy.remove_steps())
    assert made.get("/", host="theirs.test").body == b"theirs"
    assert not conf(made).exists()
    assert [path.name for path in pathlib.Path(made.root, "sites-enabled").iterdir()] == ["theirs"]
    assert do(proxy.remove_steps()) == []


def test_a_name_that_somebody_else_has_is_refused(made: Rig) -> None:
    theirs(made, 'server { listen 127.0.0.1:PORT; server_name shop.test; location / { return 200 "theirs"; } }')
    with pytest.raises(StepError, match=r'another file of nginx has the same name already.*"shop\.test"'):
        do(made.proxy(shop(made.root)).host_steps())
    assert not conf(made).exists()
    without_name = ProxySite("any", (ProxyRoute("web"),))
    with pytest.raises(StepError, match=r"this one needs a name: set `proxy\.host`"):
        do(made.proxy(without_name).host_steps())


def test_a_service_without_a_name_answers_for_all(made: Rig) -> None:
    proxy = made.proxy(ProxySite("any", (ProxyRoute("web"),)))
    do(proxy.host_steps())
    do(proxy.switch_steps("web", made.start("any", "r1"), ""))
    assert made.get("/", host="whatever.test").json["release"] == "r1"


def test_a_mistake_of_somebody_else_stops_us_before_a_reload(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    kept = conf(made).read_text()
    wrong = theirs(made, "serverr { }")
    with pytest.raises(StepError, match=r"nginx refused the configuration, the one before stays: .*serverr"):
        do(made.proxy(shop(made.root, response_timeout_s=9.0)).host_steps())
    assert conf(made).read_text() == kept
    undo([step for step in proxy.host_steps() if step.undo])
    wrong.unlink()
    assert do(proxy.host_steps()) == []


def test_undo_after_a_kill_brings_the_file_before_back(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    kept = conf(made).read_text()
    pathlib.Path(made.root, "proxy/nginx/new/include-before").write_text(kept)
    conf(made).write_text("server { half")
    changed = made.proxy(shop(made.root, response_timeout_s=9.0))
    undo([step for step in changed.host_steps() if step.undo])
    assert conf(made).read_text() == kept
    assert do(proxy.host_steps()) == []


def test_undo_brings_the_site_before_back(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    kept = conf(made).read_text()
    changed = made.proxy(shop(made.root, response_timeout_s=9.0))
    do(changed.host_steps())
    assert "9000ms" in conf(made).read_text()
    undo([step for step in changed.host_steps() if step.undo])
    assert conf(made).read_text() == kept
    assert do(proxy.host_steps()) == []


def test_nginx_that_does_not_read_our_file_is_told_what_to_include(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    path = pathlib.Path(made.root, "nginx.conf")
    path.write_text(path.read_text().replace("    include ROOT/sites-enabled/*;".replace("ROOT", made.root), ""))
    with pytest.raises(StepError, match=rf"put `include {made.root}/proxy/nginx/\*\.conf;` into its `http` block"):
        do(proxy.host_steps())


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to have workers of another user")
def test_workers_that_cannot_reach_the_sockets_are_told_of(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    path = pathlib.Path(made.root, "nginx.conf")
    path.write_text(re.sub(r"user \w+;", "user www-data;", path.read_text()))
    steps = proxy.host_steps()
    do([step for step in steps if step.id.endswith(("-directories", "-passage", "-include", "-pages"))])
    assert pathlib.Path(made.root).stat().st_mode & 0o001, "our own directory is opened"
    pathlib.Path(made.root, "proxy").chmod(0o700)
    with pytest.raises(StepError, match=r"nginx's workers \(www-data\) may not pass through .*/proxy: `chmod o\+x"):
        do(steps)


def test_what_caddy_had_live_is_taken_on(made: Rig) -> None:
    file = pathlib.Path(made.layout("shop").live("web"))
    file.parent.mkdir(parents=True)
    file.write_text(made.start("shop", "r1"))
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    assert live(proxy) == {"web": made.endpoint("shop", "r1")}
    assert made.get("/").json["release"] == "r1"


def test_a_websocket_may_be_silent_for_longer_than_an_answer_may_take(made: Rig) -> None:
    proxy = made.proxy(shop(made.root, response_timeout_s=0.5))
    do(proxy.host_steps())
    do(proxy.switch_steps("web", made.start("shop", "r1"), ""))
    with socket.create_connection(("127.0.0.1", made.http_port), LIMIT_S) as client:
        hello = "GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        client.sendall(f"{hello}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
        file = client.makefile("rb")
        while file.readline().strip():
            pass
        time.sleep(1.5)
        client.sendall(b"still here\n")
        assert file.readline() == b"r1 still here\n"
    assert made.get("/slow?1.5").status == 504


def test_a_reload_lets_the_requests_that_run_end(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    do(proxy.switch_steps("web", made.start("shop", "r1"), ""))
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(made.get("/slow?2").status))
    slow.start()
    time.sleep(0.3)
    assert do(made.proxy(shop(made.root, max_request_bytes=5)).host_steps()) == ["proxy-configure", "proxy-reload"]
    assert made.get("/", method="POST", body=b"123456").status == 413
    slow.join(LIMIT_S)
    assert answers == [200]


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_files_of_a_certificate_and_the_question_of_an_authority(made: Rig) -> None:
    pem, _ = new_certificate(made, "own")
    tls = Tls("files", f"{made.root}/own.pem", f"{made.root}/own.key")
    proxy = made.proxy(ProxySite("shop", (ProxyRoute("web", ("shop.test",), tls=tls),)))
    do(proxy.host_steps())
    do(proxy.switch_steps("web", made.start("shop", "r1"), ""))
    context = ssl.create_default_context(cadata=pem)
    assert made.get_tls("/", host="shop.test", context=context).json["headers"]["X-Forwarded-Proto"] == "https"
    redirect = made.get("/a?b=1")
    assert (redirect.status, redirect.headers["Location"]) == (301, f"https://shop.test:{made.https_port}/a?b=1")
    for folder in (f"{made.root}/proxy/acme", made.root):
        file = pathlib.Path(folder, ".well-known/acme-challenge", pathlib.Path(folder).name)
        file.parent.mkdir(parents=True)
        file.write_text("answer")
        assert made.get(f"/.well-known/acme-challenge/{file.name}").body == b"answer"


def test_an_authority_is_answered_before_there_is_a_certificate(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    file = pathlib.Path(made.root, ".well-known/acme-challenge/first")
    file.parent.mkdir(parents=True)
    file.write_text("answer")
    assert made.get("/.well-known/acme-challenge/first").body == b"answer"


def test_what_nginx_cannot_do_is_refused(made: Rig) -> None:
    route = ProxyRoute("web", ("shop.test",))
    for tls, code in ((Tls("internal"), "nginx.no_authority"), (Tls("auto", email="a@b.test"), "nginx.no_acme")):
        with pytest.raises(ConfigError) as caught:
            made.proxy(ProxySite("shop", (replace(route, tls=tls),)))
        assert caught.value.code == code


def test_the_log_is_json_also_for_errors(made: Rig) -> None:
    proxy = made.proxy(shop(made.root))
    do(proxy.host_steps())
    do(proxy.switch_steps("web", made.endpoint("shop", "gone"), ""))
    assert made.get('/a"b\\c', headers={"User-Agent": 'x"y'}).status == 502
    lines = [json.loads(line) for line in pathlib.Path(made.logs, "shipway-shop.log").read_text().splitlines()]
    assert (lines[-1]["status"], lines[-1]["request"]["uri"], lines[-1]["request_user-agent"]) == (
        502,
        '/a"b\\c',
        'x"y',
    )
