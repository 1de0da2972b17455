"""What only ssh has: connections, host keys, logins, and servers that mean no good."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from shipway.adapters.ssh_settings import SshSettings
from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, ShipwayError, Unreachable
from tests.contract.conftest import HOST, Link, TestSecrets, ask, need_sshd, settings_of
from tests.contract.sshd import Sshd, keygen, run_sshd

Connect = Callable[..., Link]


@pytest.fixture(autouse=True)
def _sshd() -> None:
    need_sshd()


def refusal(link: Link) -> ShipwayError:
    with pytest.raises(Unreachable) as caught:
        link.run("true")
    assert caught.value.where
    assert caught.value.next
    return caught.value


def test_tracks_and_streams_share_one_connection(connect: Connect) -> None:
    with run_sshd() as server:
        link = connect(settings_of(server))
        for track in ("main", "a", "b"):
            assert link.exchange(ask("true"), track=track)[0].ok
        assert link.run("wc", "-c", stdin=("x" * 700_000,)).text.strip() == "700000"
        assert len(server.children()) == 1


def test_more_sessions_than_the_server_allows_become_connections(connect: Connect) -> None:
    with run_sshd("MaxSessions 1") as server:
        link = connect(settings_of(server))
        for track in ("main", "a", "b"):
            assert link.exchange(ask("echo", track), track=track)[0].text == f"{track}\n"


def test_what_is_made_is_private_and_removed(connect: Connect, server: Sshd) -> None:
    link = connect(settings_of(server))
    assert link.run("true").ok
    made = link.transport._connector._home  # type: ignore[attr-defined]
    assert made.stat().st_mode & 0o777 == 0o700
    link.wait(link.transport.close())
    assert not made.exists()


def test_noise_and_a_banner_before_the_first_frame_are_skipped(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "banner").write_text("Permission denied (publickey). Connection refused. 100% legal \x1e notice\n" * 20)
    script = tmp_path / "noisy"
    script.write_text('head -c 20000 /dev/urandom; echo hi; echo hi >&2; eval "$SSH_ORIGINAL_COMMAND"\n')
    with run_sshd(f"ForceCommand sh {script}", f"Banner {tmp_path}/banner") as server:
        result = connect(settings_of(server)).run("echo", "clean")
        assert (result.stdout, result.stderr) == (b"clean\n", b"")


@pytest.mark.parametrize(
    ("program", "says"),
    [("echo This account is not available", "This account"), ("cat", ""), ("cat /dev/zero", ""), ("sleep 9", ""),
     ("cat /etc/no-such-file", "no-such-file"), ("true", "")],
)  # fmt: skip
def test_a_login_that_is_no_shell_is_said_with_its_words(connect: Connect, program: str, says: str) -> None:
    with run_sshd(f"ForceCommand {program}") as server:
        error = refusal(connect(settings_of(server, connect_timeout_s=1, login_timeout_s=1.0)))
        assert error.code == "ssh.no_shell"
        assert says in error.said
        assert len(error.said) < 2000


@pytest.mark.parametrize("shell", ["fish", "tcsh", "bash", "dash"])
def test_the_login_shell_may_be_any(connect: Connect, shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is missing")
    script = tmp_path / "login"
    script.write_text(f'exec {shell} -c "$SSH_ORIGINAL_COMMAND"\n')
    with run_sshd(f"ForceCommand sh {script}") as server:
        link = connect(settings_of(server))
        assert link.run("echo", "it's $HOME !x\\").text == "it's $HOME !x\\\n"
        words = Command(("sh", "-c", '[ "$1" = "$2" ] && exit 7', "sh", "it's \\ $x!\n", "it's \\ $x!\n"))
        assert link.wait(link.transport.interactive(link.host, words)) == 7


def test_a_cut_in_the_middle_is_lost_and_the_next_exchange_connects_again(connect: Connect) -> None:
    with run_sshd() as server:
        link = connect(settings_of(server))

        async def cut() -> None:
            started = asyncio.Event()
            work = asyncio.create_task(
                link.transport.exchange(
                    link.host, [ask("sh", "-c", "printf 'half a \\036'; sleep 3; echo no")],
                    output=lambda _: started.set(),
                )
            )  # fmt: skip
            await started.wait()
            kill_connections(server)
            await work

        with pytest.raises(ConnectionLost) as caught:
            link.wait(cut())
        assert caught.value.code == "ssh.lost"
        assert link.run("echo", "again").text == "again\n"


def kill_connections(server: Sshd) -> None:
    for child in server.children():
        for pid in (child, *descendants(child)):
            if Path(f"/proc/{pid}/comm").read_text().startswith("sshd"):
                os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [deeper for child in children for deeper in descendants(child)]


def test_a_server_that_never_answers_times_out(connect: Connect) -> None:
    with socket.create_server((HOST, 0)) as silent:
        settings = SshSettings(port=silent.getsockname()[1], config_files=(), connect_timeout_s=1, backoff_s=())
        assert refusal(connect(settings)).code == "ssh.timeout"


def test_a_server_that_hangs_up_is_asked_again(connect: Connect) -> None:
    count = 0
    with socket.create_server((HOST, 0)) as rude:
        rude.settimeout(10)

        def hang_up() -> None:
            nonlocal count
            for _ in range(3):
                rude.accept()[0].close()
                count += 1

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        settings = SshSettings(port=rude.getsockname()[1], config_files=(), backoff_s=(0.01, 0.01))
        assert refusal(connect(settings)).code == "ssh.closed"
        thread.join(10)
    assert count == 3


def test_a_refused_connection_and_an_unknown_name(connect: Connect) -> None:
    assert refusal(connect(SshSettings(port=1, config_files=(), backoff_s=(0.01,)))).code == "ssh.refused"
    link = connect(SshSettings(config_files=(), backoff_s=()))
    link.host = "no-such-host.invalid"
    assert refusal(link).code == "ssh.dns"


@pytest.mark.parametrize("host", ["-oProxyCommand=touch /tmp/x", "", "a b", "a\nb"])
def test_a_host_is_no_option(connect: Connect, host: str) -> None:
    link = connect(SshSettings(config_files=()))
    link.host = host
    with pytest.raises(ShipwayError) as caught:
        link.run("true")
    assert caught.value.code == "ssh.bad_host"


def fingerprint(server: Sshd) -> str:
    key = server.directory / "host_key.pub"
    shown = subprocess.run(("ssh-keygen", "-lf", key), capture_output=True, text=True, check=True).stdout
    return next(word for word in shown.split() if word.startswith("SHA256:"))


def test_an_unknown_host_key_is_refused_with_its_fingerprint(connect: Connect) -> None:
    with run_sshd() as server:
        known = server.known_hosts.read_text()
        server.known_hosts.write_text("")
        error = refusal(connect(settings_of(server)))
        assert error.code == "ssh.host_key_unknown"
        assert fingerprint(server) in error.what
        assert "ssh-ed25519" in error.what
        assert f"-p {server.port}" in error.next
        assert server.known_hosts.read_text() == ""
        server.known_hosts.write_text(known)
        assert connect(settings_of(server)).run("true").ok


def test_a_changed_host_key_is_refused_with_its_line(connect: Connect, tmp_path: Path) -> None:
    with run_sshd() as server:
        other = keygen(tmp_path / "other")
        server.known_hosts.write_text(f"# a comment\n[127.0.0.1]:{server.port} {other}\n")
        error = refusal(connect(settings_of(server)))
        assert error.code == "ssh.host_key_changed"
        assert error.where == f"{server.known_hosts}:2"
        assert fingerprint(server) in error.what


def test_a_wrong_key_is_denied_at_once(connect: Connect, server: Sshd, tmp_path: Path) -> None:
    keygen(tmp_path / "wrong")
    settings = settings_of(
        server, config_files=(), known_hosts_file=str(server.known_hosts), backoff_s=(60.0,),
        identity_files=(str(tmp_path / "wrong"),), keys_only=True,
    )  # fmt: skip
    assert refusal(connect(settings)).code == "ssh.permission_denied"


def test_keys_may_be_files_or_secrets(connect: Connect, server: Sshd) -> None:
    plain = {"config_files": (), "known_hosts_file": str(server.known_hosts), "keys_only": True}
    assert connect(settings_of(server, **plain, identity_files=(str(server.key),))).run("true").ok
    secrets = TestSecrets({"SSH_KEY": server.key.read_text()})
    assert connect(settings_of(server, **plain, key_secrets=("SSH_KEY",)), secrets).run("true").ok


def test_several_configuration_files(connect: Connect, server: Sshd, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(f"Host alias\n  HostName 127.0.0.1\n  Port {server.port}\n")
    link = connect(settings_of(server, port=None, config_files=(str(tmp_path / "one"), server.config)))
    link.host = "alias"
    assert link.run("true").ok


def test_a_jump_host_from_the_settings_or_the_configuration(connect: Connect, server: Sshd) -> None:
    jump = f"{server.user}@127.0.0.1:{server.port}"
    with run_sshd() as inner:
        keys = {"identity_files": (str(server.key),)}
        with inner.known_hosts.open("a") as file:
            file.write(server.known_hosts.read_text())
        link = connect(settings_of(inner, proxy_jump=jump, **keys))
        assert "127.0.0.1" in link.run("sh", "-c", "echo $SSH_CONNECTION").text
        config = Path(inner.config)
        config.write_text(config.read_text() + f"  IdentityFile {server.key}\nHost jumped\n  ProxyJump {jump}\n"
                          f"  HostName 127.0.0.1\nHost *\n")  # fmt: skip
        link = connect(settings_of(inner))
        link.host = "jumped"
        assert link.run("true").ok


@pytest.mark.parametrize("which", ["jump", "inner"])
def test_an_unknown_key_is_told_through_a_jump_host(connect: Connect, server: Sshd, which: str) -> None:
    with run_sshd() as inner:
        known = {"jump": inner, "inner": server}[which].known_hosts.read_text()
        inner.known_hosts.write_text(known)
        jump = f"{server.user}@127.0.0.1:{server.port}"
        error = refusal(connect(settings_of(inner, proxy_jump=jump, identity_files=(str(server.key),))))
        unknown = {"jump": server, "inner": inner}[which]
        assert error.code == "ssh.host_key_unknown"
        assert fingerprint(unknown) in error.what
        assert str(unknown.port) in error.next


def test_the_default_user_gives_way_to_the_users_own_configuration(connect: Connect) -> None:
    with run_sshd() as server:
        connect(settings_of(server, user=None, default_user=server.user)).run("true")
        nobody = connect(settings_of(server, user=None, default_user="nobody-of-that-name"))
        assert refusal(nobody).code == "ssh.permission_denied"
        config = Path(server.config)
        config.write_text(f"Host {HOST}\n  User {server.user}\n{config.read_text()}")
        connect(settings_of(server, user=None, default_user="nobody-of-that-name")).run("true")
