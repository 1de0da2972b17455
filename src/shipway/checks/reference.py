"""The page of all checks, made from their table."""

from __future__ import annotations

from shipway.checks.check import Check, Part
from shipway.checks.table import TABLES

_INTRO = """\
# Doctor

<!-- Written by bin/docs from src/shipway/checks/table_*.py: change it there. -->

`shipway doctor` tells what is wrong with a project, its servers and what stands around them, why each thing matters,
and what mends it. It changes nothing on a server. Exit code 4 when there is an error, 0 otherwise.

```sh
shipway doctor                      # everything
shipway doctor --only project       # the files alone, without any server; --offline does the same
shipway doctor -d production -v     # -v says why each finding matters
shipway doctor --fix                # mends .gitignore, .dockerignore and the modes of secrets files
shipway doctor --list               # this table
```

- The settings are read, never run, with the environment that the configuration gives to the primary role. A secret's
  value is not used for that: what depends on one is not known, and nothing is said of it.
- Only what is sure is called an error. What reading cannot tell is left out.
- Each server gets one question, all of them at once. The addresses in `DATABASE_URL`, `REDIS_URL` and the like are
  tried from there; neither they nor passwords stand in a command line, and a password is never printed. With
  `runtime: docker` the names of containers mean their addresses in Docker's network.
- The registry is logged in to with a configuration of the docker client that is thrown away.
- `makemigrations --check` is done in the project's virtualenv where there is one here, without a database.
- A certificate of an authority of one's own (`tls: internal`, `acme/ca`) is not judged: this machine need not know it.

`--json` has `findings`, each with `part`, `code`, `level`, `what`, `where`, `why`, `next`. Every code has its
section in [codes](codes.md).
"""
_TITLES: dict[Part, str] = {
    "project": "The project: needs no server",
    "servers": "The servers: one read-only question to each",
    "outside": "Outside: names, certificates, registry, databases, mail",
}


_HEAD = "| code | level | finds | why it matters | what helps |\n|---|---|---|---|---|\n"


def doctor_reference() -> str:
    """Return the page docs/reference/doctor.md."""
    parts = [_INTRO]
    for part, checks in TABLES.items():
        parts.append(f"\n## {_TITLES[part]}\n\n{_HEAD}")
        parts += map(_row, checks)
    return "".join(parts)


def _row(check: Check) -> str:
    link = f"[`{check.code}`](codes.md#{check.code.replace('.', '')})"
    mend = _cell(check.mend) + (" (`--fix`)" if check.is_fixed else "")
    return f"| {link} | {check.level} | {_cell(check.title)} | {_cell(check.why)} | {mend} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("{%", "&#123;%")
