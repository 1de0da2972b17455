"""The secrets of a project: `<path>-common`, and over it `<path>`, or `<path>.<destination>` for a destination."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shipway.adapters.secrets.evaluate import Evaluation, Trouble
from shipway.adapters.secrets.programs import Programs
from shipway.adapters.secrets.redact import redact
from shipway.config.dotenv import Dotenv, parse_dotenv
from shipway.config.dotenv_check import check_dotenv, check_variables, has_literal
from shipway.core.errors import ConfigError, Finding, Level
from shipway.core.ports import Secrets

DEFAULT_PATH = ".kamal/secrets"
MAX_FILE_BYTES = 262_144
"""Far more than any secrets file; the grammar's cost grows with open quotes times size."""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    parsed: Dotenv
    evaluation: Evaluation


class FileSecrets:
    """Secrets of the project in `programs.cwd`. Reading the files runs nothing; a value runs what it needs, once.

    Raises ConfigError `secrets.format` or `secrets.unreadable` when it is made from files that cannot be read.
    """

    def __init__(self, programs: Programs, path: str = DEFAULT_PATH, destination: str = "") -> None:
        self._root = programs.cwd
        self._base, self._destination = path, destination
        self._paths = (f"{path}-common", f"{path}.{destination}" if destination else path)
        self._findings: list[Finding] = []
        self._files = [self._load(name, programs) for name in self._paths if (self._root / name).is_file()]

    def names(self) -> Sequence[str]:
        """Return the names of all secrets, without a value having been worked out."""
        return tuple(dict.fromkeys(name for file in self._files for name in file.parsed.latest()))

    def reveal(self, name: str) -> str:
        """Return the value of `name`; raises ConfigError as `resolve` does."""
        return self.resolve((name,))[name]

    def resolve(self, names: Iterable[str]) -> dict[str, str]:
        """Return the values of `names`. Commands run in the order of the files, each once in the life of this object.

        Raises one ConfigError that has a finding for every name that is missing or cannot be read. Its code is the
        findings' own where they agree (`secrets.missing`, `secrets.command_failed`, …), else `secrets.unresolved`.
        """
        wanted = dict.fromkeys(names)
        order = {name: at for at, name in enumerate(self.names())}
        values: dict[str, str] = {}
        troubles: dict[str, Trouble] = {}
        for name in sorted(wanted, key=lambda item: order.get(item, -1)):
            try:
                values[name] = self._value(name)
            except Trouble as trouble:
                troubles[name] = trouble
        if troubles:
            raise self._unresolved({name: troubles[name] for name in wanted if name in troubles})
        return {name: values[name] for name in wanted}

    def findings(self) -> tuple[Finding, ...]:
        """Return warnings about the files: who can read them, lines passed over, variables without a value."""
        return tuple(self._findings)

    def redact(self, text: str) -> str:
        """Return `text` with every value known so far masked."""
        return redact(text, (value for file in self._files for value in file.evaluation.seen()))

    def _value(self, name: str) -> str:
        found = self._find(name)
        if found is None:
            raise Trouble(name, self._missing(name))
        file, index = found
        return file.evaluation.value(index).text

    def _find(self, name: str) -> tuple[_File, int] | None:
        """Return the file and the index of the entry that counts: the later file wins, and in it the last entry."""
        for file in reversed(self._files):
            index = file.parsed.latest().get(name)
            if index is not None:
                return file, index
        return None

    def _unresolved(self, troubles: dict[str, Trouble]) -> ConfigError:
        findings: dict[Finding, None] = {}
        for name, trouble in troubles.items():
            findings[trouble.finding] = None
            found = self._find(name)
            if found is not None and name != trouble.name:
                file, index = found
                what = f"could not read `{name}`, which needs `{trouble.name}`"
                where = f"{file.path}:{file.parsed.entries[index].line}"
                findings[Finding(trouble.finding.code, what, where)] = None
        first = next(iter(findings))
        codes = {finding.code for finding in findings}
        code = codes.pop() if len(codes) == 1 else "secrets.unresolved"
        if len(troubles) == 1:
            return ConfigError(code, first.what, where=first.where, next=first.next, findings=tuple(findings))
        what = f"could not read {len(troubles)} secrets: {', '.join(f'`{name}`' for name in troubles)}"
        return ConfigError(code, what, where=first.where, next=first.next, findings=tuple(findings))

    def _missing(self, name: str) -> Finding:
        here = [file.path for file in self._files]
        if not here:
            what = f"Secret '{name}' not found, no secret files ({', '.join(self._paths)}) provided"
        else:
            what = f"Secret '{name}' not found in {', '.join(here)}"
        hint = f"add a line `{name}=…` to {self._paths[-1]}"
        if self._destination and (self._root / self._base).is_file():
            hint += f" ({self._base} is not read for a destination; {self._paths[0]} always is)"
        return Finding("secrets.missing", what, where=self._paths[-1], next=hint)

    def _load(self, name: str, programs: Programs) -> _File:
        text = self._read(name)
        is_legacy = programs.environ.get("DOTENV_LINEBREAK_MODE") == "legacy"
        parsed = parse_dotenv(text, name, is_legacy=is_legacy)
        self._findings += self._check_mode(name, is_secret=has_literal(parsed))
        self._findings += (*check_dotenv(text, name), *check_variables(parsed, programs.environ, name))
        return _File(name, parsed, Evaluation(parsed, name, programs))

    def _read(self, name: str) -> str:
        try:
            with (self._root / name).open("rb") as file:
                body = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise _unreadable(name, f"{error.strerror}", f"ls -l {name}") from None
        if len(body) > MAX_FILE_BYTES:
            raise _unreadable(name, f"it has more than {MAX_FILE_BYTES} bytes", "is this the secrets file?")
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            line = body.count(b"\n", 0, error.start) + 1
            raise _unreadable(f"{name}:{line}", "it is no UTF-8 text", "save it as UTF-8") from None

    def _check_mode(self, name: str, *, is_secret: bool) -> tuple[Finding, ...]:
        """A file of commands and variables alone may be read: then it is worth a remark, not a warning."""
        mode = stat.S_IMODE((self._root / name).stat().st_mode)
        if not mode & (stat.S_IRGRP | stat.S_IROTH):
            return ()
        what = f"`{name}` can be read by other users of this machine (mode {mode:04o})"
        level: Level = "warning" if is_secret else "info"
        return (Finding("secrets.world_readable", what, where=name, next=f"chmod 600 {name}", level=level),)


def _unreadable(where: str, why: str, hint: str) -> ConfigError:
    return ConfigError("secrets.unreadable", f"could not read the secrets file: {why}", where=where, next=hint)


_: type[Secrets] = FileSecrets
