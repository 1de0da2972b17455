"""Hosts over the OpenSSH client: one connection per host and run, with the user's own configuration.

The first lasting shell of a host is the master of a connection (ControlMaster); further tracks, pipes and streams are
sessions in it. Where the client or the server has no more sessions, the client makes a further connection by itself.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from shipway.adapters.child import Child
from shipway.adapters.framed import FramedTransport
from shipway.adapters.process import shell_word
from shipway.adapters.redact import Redactor
from shipway.adapters.shell.script import BOOTSTRAP, escape
from shipway.adapters.shell.session import NoShell, Session, new_mark
from shipway.adapters.ssh_errors import RETRIED, Attempt, explain, plain_lines
from shipway.adapters.ssh_settings import SshFiles, SshSettings, check_host, options, personal
from shipway.adapters.ssh_user import with_default_user
from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Refused, Unreachable
from shipway.core.ports import Secrets

REMOTE = f"exec sh -c '{BOOTSTRAP}' "
"""The one remote command, less the word of the shell; a login shell of any kind replaces itself by `sh`."""

_LOG_BYTES = 1 << 18
_SOCKET_MAX = 80  # of 107 bytes of a unix socket path (unix(7)); the client adds a random suffix while it binds
_FORWARD_LIMIT_S = 30.0  # one round trip
_ALLOCATED = re.compile(rb"^\s*(?:Allocated port )?(\d{1,5})\b", re.MULTILINE)  # clientloop.c, mux.c
_ENV = {"SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}  # no window may ask; messages in the language that we read


class SshConnector:
    """Starts ssh processes and explains their ends."""

    def __init__(self, settings: SshSettings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets
        self._home: Path | None = None
        self._files = SshFiles()
        self._numbers = count()
        self._masters: dict[str, tuple[Child, Path]] = {}
        self._logs: dict[str, Path] = {}
        self._of_host: dict[str, SshSettings] = {}

    async def open(self, host: str, redactor: Redactor, *, lasting: bool) -> Session:
        """Return a session on `host`. Raises Unreachable with a code of its own for each cause."""
        check_host(host)
        self._prepare()
        await asyncio.to_thread(self._settings_of, host)
        for pause in (*self._settings.backoff_s, None):
            try:
                return await self._attempt(host, redactor, lasting=lasting)
            except Unreachable as error:
                if pause is None or error.code not in RETRIED:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("the last pause is None")  # pragma: no cover

    async def _attempt(self, host: str, redactor: Redactor, *, lasting: bool) -> Session:
        number = next(self._numbers)
        log = self._directory / f"l{number}"
        mark = new_mark()
        control, socket = self._control(host, number, lasting=lasting)
        argv = (
            self._settings.program, "-T", "-v", "-E", str(log), *control,
            *options(self._settings_of(host), self._files), "--", host, REMOTE + shell_word(mark),
        )  # fmt: skip
        try:
            child = await Child.start(argv, env=_ENV)
        except OSError as error:
            raise Unreachable(
                "ssh.no_client", f"the program `{self._settings.program}` could not be run: {error.strerror}",
                where=host, next="ssh -V",
            ) from None  # fmt: skip
        try:
            limit_s = self._settings.connect_timeout_s + self._settings.login_timeout_s
            session = await Session.open(child, mark, redactor, limit_s=limit_s)
        except NoShell as failure:
            raise explain(Attempt(host, _read(log), failure), self._settings_of(host), self._files) from None
        if socket is not None:
            self._masters[host] = child, socket
        self._logs[host] = log
        return session

    def _control(self, host: str, number: int, *, lasting: bool) -> tuple[tuple[str, ...], Path | None]:
        """Return the options for sharing a connection, and the socket that the new process shall listen on."""
        child, socket = self._masters.get(host, (None, None))
        if child is not None and child.is_alive() and socket is not None and socket.exists():
            return ("-o", "ControlMaster=no", "-o", f"ControlPath={socket}"), None
        socket = self._directory / f"c{number}"
        if not lasting or len(str(socket)) > _SOCKET_MAX:
            return ("-o", "ControlMaster=no", "-o", "ControlPath=none"), None
        return ("-o", "ControlMaster=yes", "-o", f"ControlPath={socket}", "-o", "ControlPersist=no"), socket

    def lost(self, host: str, why: str) -> ConnectionLost:
        """Return the error for a connection that broke."""
        said = plain_lines(_read(self._logs[host])) if host in self._logs else ""
        return ConnectionLost(
            "ssh.lost", f"the connection to `{host}` broke while something ran there: {why}", where=host, said=said
        )

    async def tunnel(self, host: str, port: int, wanted: int) -> int:
        """Ask the connection of `host` for one more way: from a port of its loopback to `port` of ours."""
        child, socket = self._masters.get(host, (None, None))
        said = b"there is no connection that can be shared (ControlMaster)"
        for number in dict.fromkeys((wanted, 0)):
            if child is None or socket is None or not child.is_alive():
                break
            way = f"127.0.0.1:{number}:127.0.0.1:{port}"
            argv = (
                *(self._settings.program, "-S", str(socket), "-o", "ClearAllForwardings=no"),
                *("-O", "forward", "-R", way, *options(self._settings, self._files), "--", host),
            )
            status, out, said = await _ask(argv)
            found = _ALLOCATED.search(out)
            if status == 0 and (number or found):
                return int(found[1]) if found else number
        raise Refused(
            "ssh.no_tunnel", f"`{host}` allows no tunnel through its SSH connection, and images come through one",
            where=host, said=said.decode("utf-8", "replace").strip()[:2000],
            next="set `AllowTcpForwarding yes` in its /etc/ssh/sshd_config, or name a registry",
        )  # fmt: skip

    def terminal(self, host: str, command: Command) -> Sequence[str]:
        """Return `ssh -t`: a person is there, so questions may be asked."""
        check_host(host)
        self._prepare()
        control, _ = self._control(host, 0, lasting=False)
        # The words pass through a login shell of whatever kind: plain characters and octal numbers do so unchanged.
        script = escape(command.shell().encode("utf-8", "surrogateescape")).decode()
        remote = 'exec sh -c \'eval "$(printf %b "$1")"\' sh ' + shlex.quote(script.replace("!", "\\0041"))
        settings = personal(self._settings_of(host), self._files)
        return (self._settings.program, "-t", *control, *settings, "--", host, remote)

    async def close(self) -> None:
        """Remove sockets, logs and keys."""
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None
            self._masters.clear()

    def _settings_of(self, host: str) -> SshSettings:
        """Return the settings for one host; the client is asked once for each."""
        if host not in self._of_host:
            self._of_host[host] = with_default_user(self._settings, host)
        return self._of_host[host]

    @property
    def _directory(self) -> Path:
        assert self._home is not None  # noqa: S101  `_prepare` comes first
        return self._home

    def _prepare(self) -> None:
        """Make our private directory (mode 0700), with the configuration and the keys that the settings ask for."""
        if self._home is not None:
            return
        # Not $TMPDIR: it may be long (macOS), and a socket path may have 107 bytes only.
        base = "/tmp" if Path("/tmp").is_dir() else None  # noqa: S108  mkdtemp makes a private directory in it
        self._home = Path(tempfile.mkdtemp(prefix="shipway-", dir=base))
        keys: list[str] = []
        for index, name in enumerate(self._settings.key_secrets):
            path = self._home / f"k{index}"
            path.touch(mode=0o600)
            path.write_text(self._secrets.reveal(name).rstrip("\n") + "\n", encoding="utf-8")
            keys.append(str(path))
        self._files = SshFiles(self._config_file(self._home), tuple(keys))

    def _config_file(self, home: Path) -> str | None:
        match self._settings.config_files:
            case None:
                return None
            case ():
                return "none"
            case (one,):
                return one
            case several:
                path = home / "config"
                path.write_text("".join(f'Include "{Path(file).expanduser()}"\n' for file in several), encoding="utf-8")
                return str(path)


async def _ask(argv: Sequence[str]) -> tuple[int, bytes, bytes]:
    """Return status and output of a program that answers at once."""
    child = await Child.start(argv, env=_ENV)
    try:
        child.end_input()
        async with asyncio.timeout(_FORWARD_LIMIT_S):
            out, said = await asyncio.gather(child.stdout.read(_LOG_BYTES), child.stderr.read(_LOG_BYTES))
            return await child.wait(), out, said
    except TimeoutError:
        return 124, b"", b"the client did not answer"
    finally:
        await child.kill()


def _read(path: Path) -> str:
    """Return a log of the client; what is longer than any real one is cut."""
    try:
        with path.open("rb") as file:
            return file.read(_LOG_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def ssh_transport(settings: SshSettings, secrets: Secrets) -> FramedTransport:
    """Return a transport over the OpenSSH client."""
    return FramedTransport(SshConnector(settings, secrets), secrets)
