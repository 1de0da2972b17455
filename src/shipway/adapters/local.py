"""This machine as a host."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.adapters.child import Child
from shipway.adapters.framed import FramedTransport
from shipway.adapters.process import shell_word
from shipway.adapters.redact import Redactor
from shipway.adapters.shell.script import BOOTSTRAP
from shipway.adapters.shell.session import NoShell, Session, new_mark
from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Secrets

_HELLO_LIMIT_S = 10.0  # a shell that needs longer to start is not answering


class LocalConnector:
    """Starts `sh` here. The name of the host only stands in errors.

    `shell`: how `sh` is started, for a place where it needs another environment.
    """

    def __init__(self, shell: Sequence[str] = ("sh",)) -> None:
        self._shell = tuple(shell)

    async def open(self, host: str, redactor: Redactor, *, lasting: bool) -> Session:  # noqa: ARG002  all are alike
        """Return a session with a shell of its own. Raises Unreachable `local.no_shell`."""
        mark = new_mark()
        try:
            child = await Child.start((*self._shell, "-c", BOOTSTRAP, shell_word(mark)))
            return await Session.open(child, mark, redactor, limit_s=_HELLO_LIMIT_S)
        except OSError as error:
            said = str(error)
        except NoShell as no_shell:
            said = (no_shell.said + no_shell.errors).decode("utf-8", "replace").strip() or str(no_shell)
        raise Unreachable(
            "local.no_shell", "`sh` did not start on this machine", where=host, said=said, next="sh -c 'echo it works'"
        )

    def lost(self, host: str, why: str) -> ConnectionLost:
        """Return the error for a shell that went away."""
        return ConnectionLost(
            "local.lost", f"the shell on this machine went away while something ran in it: {why}", where=host
        )

    async def tunnel(self, host: str, port: int, wanted: int) -> int:  # noqa: ARG002  it is the same loopback
        """Return `port` itself."""
        return port

    def terminal(self, host: str, command: Command) -> Sequence[str]:  # noqa: ARG002  there is one host
        """Return the command itself."""
        return command.words()

    async def close(self) -> None:
        """Nothing was made."""


def local_transport(secrets: Secrets) -> FramedTransport:
    """Return a transport whose every host is this machine."""
    return FramedTransport(LocalConnector(), secrets)
