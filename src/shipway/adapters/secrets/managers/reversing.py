"""The adapter `test`: no vault, values are the names backwards. For tests of a setup, as Kamal has it."""

from __future__ import annotations

from shipway.adapters.secrets.managers.base import Manager, Wanted
from shipway.adapters.secrets.programs import Programs


class Reversing:
    """Names are anything; `LPAREN` and `RPAREN` stand for parentheses."""

    title = "test"
    program = ""
    needs_account = True

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return each name backwards."""
        del programs
        return {path: path.replace("LPAREN", "(").replace("RPAREN", ")")[::-1] for path in wanted.paths()}


_: type[Manager] = Reversing
