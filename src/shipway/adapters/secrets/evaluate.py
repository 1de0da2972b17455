"""The values of one secrets file, each worked out when it is first asked for, and once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shipway.adapters.secrets.inline import run_inline
from shipway.adapters.secrets.programs import MAX_OUTPUT_BYTES, Programs, Ran
from shipway.adapters.secrets.redact import last_lines, redact
from shipway.config.dotenv import Dotenv, Entry, Part, Substitution, Variable
from shipway.config.dotenv_shell import Value, render_command
from shipway.core.errors import ConfigError, Finding

_INLINE = re.compile(r"\s*(?:kamal|shipway)\s+secrets\s")
_PROGRAM = re.compile(r"\s*([\w./+-]+)(?=\s|$)")
_NOT_FOUND = 127


class Trouble(Exception):
    """A value that could not be had: why, and the name in whose line it went wrong."""

    def __init__(self, name: str, finding: Finding) -> None:
        super().__init__(finding.what)
        self.name, self.finding = name, finding


class Evaluation:
    """Works out values of `parsed`, the file at `path`. Commands run in the order in which their values are needed."""

    def __init__(self, parsed: Dotenv, path: str, programs: Programs) -> None:
        self._parsed, self._path, self._programs = parsed, path, programs
        self._known: dict[int, Value | Trouble] = {}
        self._seen: dict[str, None] = {}

    def seen(self) -> tuple[str, ...]:
        """Return every value met so far, those inside of a fetched JSON too: what must not be shown."""
        literals = (entry.parts[0] for entry in self._parsed.entries if len(entry.parts) == 1)
        return (*(text for text in literals if isinstance(text, str)), *self._seen)

    def value(self, index: int) -> Value:
        """Return the value of the entry at `index`; raises Trouble, the same one each time."""
        if index not in self._known:
            self._known[index] = self._entry(self._parsed.entries[index])
        known = self._known[index]
        if isinstance(known, Trouble):
            raise known
        return known

    def _entry(self, entry: Entry) -> Value | Trouble:
        try:
            value = self._join([self._part(part, entry) for part in entry.parts])
        except Trouble as trouble:
            return trouble
        self._seen[value.text] = None
        return value

    def _join(self, values: Sequence[Value]) -> Value:
        return values[0] if len(values) == 1 else Value("".join(value.text for value in values))

    def _part(self, part: Part, entry: Entry) -> Value:
        match part:
            case str():
                return Value(part)
            case Variable():
                return self._variable(part) or Value("")
            case Substitution():
                return self._substitution(part, entry)

    def _variable(self, variable: Variable) -> Value | None:
        if variable.entry is not None:
            return self.value(variable.entry)
        text = self._programs.environ.get(variable.name)
        return None if text is None else Value(text)

    def _substitution(self, command: Substitution, entry: Entry) -> Value:
        where = f"{self._path}:{command.line}"
        first = command.parts[0] if command.parts else ""
        is_inline = isinstance(first, str) and _INLINE.match(first) is not None
        text = render_command([self._command_part(part, is_inline=is_inline) for part in command.parts])
        if not is_inline:
            return Value(self._shell(text, entry, where, _program(first)))
        try:
            value, seen = run_inline(text, self._programs)
        except ConfigError as error:
            what = f"could not read `{entry.name}`: {self._hide(error.what)}"
            raise Trouble(entry.name, Finding(error.code, what, where, self._hide(error.next))) from None
        self._seen.update(dict.fromkeys((*seen, value.text)))
        return value

    def _command_part(self, part: str | Variable, *, is_inline: bool) -> str | Value:
        """Return a part of a command as data. What nobody knows is left to the shell: `awk '{print $1}'`, `$i`."""
        if isinstance(part, str):
            return part
        return self._variable(part) or (Value("") if is_inline else part.text)

    def _shell(self, text: str, entry: Entry, where: str, program: str) -> str:
        ran = self._programs.shell(text)
        reason = _reason(ran)
        if reason:
            # Hidden before it is shortened: a value of which the cut left a part would not be recognised.
            said = last_lines(self._hide(ran.stderr.decode("utf-8", "replace"), ran.stdout))
            quoted = f": {said}" if said else ""
            code = "secrets.missing_command" if ran.status == _NOT_FOUND else "secrets.command_failed"
            what = f"could not read `{entry.name}`: its command{program} {reason}{quoted}"
            raise Trouble(entry.name, Finding(code, what, where, _hint(code, where)))
        # As in Kamal, one line break at the end is not part of the value; others are.
        return ran.stdout.decode().removesuffix("\n").removesuffix("\r")

    def _hide(self, text: str, output: bytes = b"") -> str:
        return redact(text, (*self.seen(), output.decode("utf-8", "replace")))


def _program(first: str | Variable) -> str:
    """Return ` (name)` of the program that a command begins with: never more of it, which may hold a password."""
    found = _PROGRAM.match(first) if isinstance(first, str) else None
    return f" (`{found[1]}`)" if found else ""


def _reason(ran: Ran) -> str:
    """Return why a command gave no value, "" when it gave one.

    A pipe's status is that of its last command: nothing on standard output and something on standard error is how a
    missing or failing first command shows.
    """
    reasons = {
        "did not end in time": ran.timed_out,
        f"answered more than {MAX_OUTPUT_BYTES} bytes": ran.overflowed,
        "was not found": ran.status == _NOT_FOUND,
        f"exited {ran.status}": ran.status != 0,
        "answered nothing": not ran.stdout and bool(ran.stderr.strip()),
        "answered a zero byte, which no environment can hold": b"\0" in ran.stdout,
        "answered what is no UTF-8 text": not _is_text(ran.stdout),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _is_text(output: bytes) -> bool:
    try:
        output.decode()
    except UnicodeDecodeError:
        return False
    return True


def _hint(code: str, where: str) -> str:
    if code == "secrets.missing_command":
        return f"is the program installed here, and its name right in {where}?"
    return f"run the command of {where} in this shell to see why, then `shipway secrets print`"
