"""Reading why a connection failed from what the OpenSSH client says (the names are those of OpenSSH 7.6 to 10)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipway.adapters.shell.session import NoShell, Trouble
from shipway.adapters.ssh_settings import SshFiles, SshSettings, jump_login, personal
from shipway.core.errors import Unreachable

RETRIED = frozenset({"ssh.refused", "ssh.timeout", "ssh.closed"})
"""What may pass by itself. A wrong key or an unknown host does not, and asking again may lock the user out."""

_SAID_LINES = 6
_OUR_NAME = re.compile(r"No (\S+) host key is known for (\S+) and you have requested strict checking")
_FINGERPRINT = re.compile(r"Server host key: (\S+) (SHA256:\S+)")
_OFFENDING = re.compile(r"Offending (?:\S+ )?key (?:for IP )?in (.+):(\d+)")
_CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
_CHATTER = re.compile(r"^(debug\d:|OpenSSH_|\s*$|Authenticated to |Warning: Permanently added )")

# (code, text of the client, what happened)
_CAUSES = (
    ("ssh.dns", "Could not resolve hostname", "the name `{host}` was not found"),
    ("ssh.refused", "Connection refused", "`{host}` refused the connection"),
    ("ssh.no_route", "No route to host", "there was no way to `{host}` in the network"),
    ("ssh.no_route", "Network is unreachable", "there was no way to `{host}` in the network"),
    ("ssh.timeout", "timed out", "`{host}` did not answer in time"),
    ("ssh.permission_denied", "Permission denied (", "`{host}` did not accept the login"),
    ("ssh.permission_denied", "Too many authentication failures", "`{host}` did not accept the login"),
    ("ssh.config", "Bad configuration option", "the configuration of the SSH client was not understood"),
    ("ssh.config", "Bad owner or permissions on", "the SSH client refused its own configuration"),
    ("ssh.config", "terminating,", "the configuration of the SSH client was not understood"),
    ("ssh.no_common", "Unable to negotiate", "the SSH client and `{host}` had no method in common"),
)
_NO_SHELL: Mapping[Trouble, str] = {
    "setsid": "`{host}` had neither setsid nor perl, by which a command and its children are ended",
    "printf": "the shell of `{host}` had no printf of its own",
    "timeout": "the login on `{host}` did not lead to a POSIX shell in time",
    "garbage": "the login on `{host}` printed much and did not lead to a POSIX shell",
    "end": "the login on `{host}` did not lead to a POSIX shell",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One failed attempt: the client's own log, and what came on the two streams of the host."""

    host: str
    log: str
    failure: NoShell

    @property
    def errors(self) -> str:
        """Standard error: banners, the log of a jump host, the words of a login shell."""
        return self.failure.errors.decode("utf-8", "replace")


def explain(attempt: Attempt, settings: SshSettings, files: SshFiles) -> Unreachable:
    """Return what is told to the user about a failed attempt."""
    login = (settings.program, *personal(settings, files), "--", attempt.host)
    if "Authenticated to" in attempt.log or "mux_client" in attempt.log:
        return _no_shell(attempt, login)
    jump = (settings.program, *jump_login(settings, files)) if settings.proxy_jump else login
    # The log is the client's own; standard error has what the client of a jump host said.
    for text, way in ((attempt.log, login), (attempt.errors, jump)):
        error = _host_key(attempt.host, text, way) or _cause(attempt, text, way)
        if error is not None:
            return error
    code = "ssh.timeout" if attempt.failure.trouble == "timeout" else "ssh.closed"
    what = "did not answer in time" if code == "ssh.timeout" else "closed the connection before the login"
    said = "\n".join(filter(None, (plain_lines(attempt.errors), plain_lines(attempt.log))))
    return Unreachable(
        code, f"`{attempt.host}` {what}", where=attempt.host, said=said, next=shlex.join((*login, "true"))
    )


def _host_key(host: str, text: str, login: Sequence[str]) -> Unreachable | None:
    keys = _FINGERPRINT.findall(text)
    kind, fingerprint = keys[-1] if keys else ("", "unknown")
    if _CHANGED in text:
        offending = _OFFENDING.search(text)
        file, line = (offending[1], offending[2]) if offending else ("known_hosts", "?")
        return Unreachable(
            "ssh.host_key_changed",
            f"`{host}` showed another host key ({kind} {fingerprint}) than the one in {file}, line {line}:"
            " it was installed anew, or something stands between",
            where=f"{file}:{line}",
            next=f"sed -i.bak {line}d {shlex.quote(file)}" if offending else f"ssh-keygen -R {shlex.quote(host)}",
        )
    named = _OUR_NAME.search(text)
    if named is None and "Host key verification failed" not in text:
        return None
    name = named[2].rstrip(".") if named else host
    accept = (*login[:1], "-o", "StrictHostKeyChecking=ask", *login[1:], "true")
    return Unreachable(
        "ssh.host_key_unknown",
        f"the host key of `{name}` was not known: {kind} {fingerprint}; compare it with the one shown on the host",
        where=host,
        next=shlex.join(accept),
    )


def _cause(attempt: Attempt, text: str, login: Sequence[str]) -> Unreachable | None:
    own_words = "\n".join(line for line in text.splitlines() if not line.startswith("debug"))
    for code, mark, what in _CAUSES:
        if mark in own_words:
            return Unreachable(
                code,
                what.format(host=attempt.host),
                where=attempt.host,
                said=plain_lines(text),
                next=shlex.join((*login, "true")),
            )
    return None


def _no_shell(attempt: Attempt, login: Sequence[str]) -> Unreachable:
    said = first_lines(attempt.failure.said.decode("utf-8", "replace")) or first_lines(attempt.errors)
    what = _NO_SHELL[attempt.failure.trouble].format(host=attempt.host)
    return Unreachable(
        "ssh.no_shell", what, where=attempt.host, said=said, next=shlex.join((*login, "sh -c 'echo it works'"))
    )


def plain_lines(text: str) -> str:
    """Return the last lines of a client's log without its chatter."""
    lines = [line.strip() for line in text.splitlines() if not _CHATTER.match(line)]
    return "\n".join(lines[-_SAID_LINES:])


def first_lines(text: str) -> str:
    """Return the first lines that a host said."""
    lines = [line.rstrip() for line in text.splitlines() if not _CHATTER.match(line)]
    return "\n".join(line[:200] for line in lines[:_SAID_LINES])
