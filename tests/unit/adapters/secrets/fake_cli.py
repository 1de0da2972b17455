"""Programs that stand in for password managers: scripts that note what they were asked and answer from a table."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipway.adapters.secrets.programs import Programs

# PATH holds nothing else: a password manager that is installed here must not be asked by a test.
TOOLS = ("awk", "cat", "env", "head", "ls", "mkdir", "printf", "sh", "sleep", "tr", "wc", "yes")

_SCRIPT = """#!/bin/sh
n=$(ls {notes} | wc -l); note={notes}/$(printf %04d "$n").{name}; mkdir "$note"
for word in "$@"; do printf '%s\\0' "$word"; done >"$note/argv"
env >"$note/env"; cat >"$note/stdin"
case "$*" in
{cases}
*) echo "the fake {name} was not told what to answer to: $*" >&2; exit 99;;
esac
"""
_CASE = """{words}) seen={notes}/../seen.{number}; echo x >>"$seen"; case $(wc -l <"$seen" | tr -d ' ') in
{turns}
esac;;"""


@dataclass(frozen=True)
class Call:
    argv: tuple[str, ...]
    env: Mapping[str, str]
    stdin: bytes


class FakeClis:
    """A directory that is all of PATH: the fakes, and the few tools that tests need."""

    def __init__(self, root: Path) -> None:
        self.bin, self.notes = root / "bin", root / "notes"
        self.bin.mkdir()
        self.notes.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))

    def add(self, name: str, answers: Mapping[str, list[Mapping[str, object]]]) -> None:
        """Make the program `name`: for the words joined by spaces, its answers in turn, the last one for ever."""
        cases = []
        for number, (words, turns) in enumerate(answers.items()):
            lines = []
            for turn, answer in enumerate(turns, start=1):
                out, err = (shlex.quote(str(answer.get(key, ""))) for key in ("stdout", "stderr"))
                label = "*" if turn == len(turns) else str(turn)
                lines.append(f"{label}) printf %s {out}; printf %s {err} >&2; exit {answer.get('status', 0)};;")
            cases.append(
                _CASE.format(
                    words=shlex.quote(words), notes=self.notes, number=f"{name}{number}", turns="\n".join(lines)
                )
            )
        self.script(name, _SCRIPT.format(notes=self.notes, name=name, cases="\n".join(cases)))

    def script(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def calls(self) -> list[Call]:
        return [_call(note) for note in sorted(self.notes.iterdir())]

    def programs(self, cwd: Path, limit_s: float = 30.0, **environ: str) -> Programs:
        environ = {"PATH": str(self.bin), "LANG": "C.UTF-8", **environ}
        return Programs(cwd, environ, limit_s=limit_s, is_attended=False)


def _call(note: Path) -> Call:
    words = (note / "argv").read_bytes().decode().split("\0")[:-1]
    env = dict(line.partition("=")[::2] for line in (note / "env").read_text(encoding="utf-8").splitlines())
    return Call((note.suffix[1:], *words), env, (note / "stdin").read_bytes())
