from __future__ import annotations

import pytest

from shipway.adapters.shell.session import NoShell
from shipway.adapters.ssh_errors import RETRIED, Attempt, explain
from shipway.adapters.ssh_settings import SshFiles, SshSettings, jump_target, options


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (SshSettings(user="deploy"), "-l deploy"),
        (SshSettings(port=2222), "-p 2222"),
        (SshSettings(forward_agent=True), "-o ForwardAgent=yes"),
        (SshSettings(keys_only=True, identity_files=("/k",)), "-i /k -o IdentitiesOnly=yes"),
        (SshSettings(proxy_command="nc %h %p"), "-o ProxyCommand=nc %h %p"),
        (SshSettings(proxy_jump="root@bastion"), "-W '[%h]:%p' -- root@bastion"),
        (SshSettings(proxy_jump="a,root@b:2200"), "-W '[%h]:%p' -J a -p 2200 -- root@b"),
        (SshSettings(proxy_jump="b", identity_files=("/a%b",)), "-i /a%%b -- b"),
    ],
)
def test_options(settings: SshSettings, words: str) -> None:
    assert words in " ".join(options(settings, SshFiles()))


def test_nothing_of_the_users_configuration_is_replaced_unasked() -> None:
    words = options(SshSettings(), SshFiles())
    assert not {"-l", "-p", "-i", "-F", "-J"} & set(words)
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes"} <= set(words)


@pytest.mark.parametrize(
    ("jump", "words"),
    [
        ("bastion", ("--", "bastion")), ("u@bastion:22", ("-p", "22", "--", "u@bastion")),
        ("u@[::1]:22", ("-p", "22", "--", "u@::1")), ("fe80::1", ("--", "fe80::1")),
        ("ssh://u@b:9", ("--", "ssh://u@b:9")), ("-oProxyCommand=x", ("--", "-oProxyCommand=x")),
    ],
)  # fmt: skip
def test_jump_targets(jump: str, words: tuple[str, ...]) -> None:
    assert jump_target(jump) == words


LOGS = [
    ("ssh: Could not resolve hostname web-1: Name or service not known", "ssh.dns"),
    ("ssh: connect to host web-1 port 22: Connection refused", "ssh.refused"),
    ("ssh: connect to host web-1 port 22: Connection timed out", "ssh.timeout"),
    ("ssh: connect to host web-1 port 22: Operation timed out", "ssh.timeout"),
    ("Connection timed out during banner exchange", "ssh.timeout"),
    ("ssh: connect to host web-1 port 22: No route to host", "ssh.no_route"),
    ("u@web-1: Permission denied (publickey,password).", "ssh.permission_denied"),
    ("Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures", "ssh.permission_denied"),
    ("kex_exchange_identification: read: Connection reset by peer", "ssh.closed"),
    ("/home/u/.ssh/config: line 3: Bad configuration option: foo", "ssh.config"),
    (
        "Unable to negotiate with 1.2.3.4 port 22: no matching host key type found. Their offer: ssh-rsa",
        "ssh.no_common",
    ),
    ("debug1: Connection refused is what a debug line says", "ssh.closed"),
    ('debug1: Authenticated to web-1 ([1.2.3.4]:22) using "publickey".', "ssh.no_shell"),
    ("", "ssh.closed"),
]


@pytest.mark.parametrize(("log", "code"), LOGS)
def test_causes(log: str, code: str) -> None:
    error = explain(Attempt("web-1", log, NoShell("end", b"", b"")), SshSettings(), SshFiles())
    assert error.code == code
    assert "web-1" in error.what or code == "ssh.config"
    assert error.next


def test_what_may_lock_the_user_out_is_not_tried_again() -> None:
    assert not RETRIED & {"ssh.permission_denied", "ssh.host_key_unknown", "ssh.host_key_changed"}


CHANGED = """debug1: Server host key: ecdsa-sha2-nistp256 SHA256:abc
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Offending ECDSA key in /home/u/.ssh/known_hosts:17
Host key verification failed."""


def test_a_changed_key_names_its_line() -> None:
    error = explain(Attempt("web-1", CHANGED, NoShell("end", b"", b"")), SshSettings(), SshFiles())
    assert (error.code, error.where) == ("ssh.host_key_changed", "/home/u/.ssh/known_hosts:17")
    assert "SHA256:abc" in error.what
