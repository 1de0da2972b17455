"""What the files of process keepers and servers run: systemd, supervisor, s6, uwsgi.ini, gunicorn.conf.py."""

from __future__ import annotations

import re

from shipway.django.commands import HINT, KEEPER, MAX_SCRIPT_CHARS, SCRIPT, Command, lines_of_commands
from shipway.django.dockerfile import is_development
from shipway.django.fact import Place
from shipway.django.tree import Sources, join, line_of

MAX_NAMING_CHARS = 1_000_000
"""Text in which the name of a server's file is looked for."""
MAX_KEEPER_FILES = 300


def keeper_commands(sources: Sources) -> list[Command]:
    """Return what the files of process keepers run; those in the documentation are hints."""
    found: list[Command] = []
    naming, count = "", 0
    for path in sources.paths:
        name = path.rpartition("/")[2]
        is_s6 = name == "run" and ("s6-rc.d/" in path or "services.d/" in path or "/service" in path)
        is_keeper = "supervisor" in path.lower() and name.endswith((".conf", ".ini"))
        is_unit = name.endswith((".service", ".service.j2"))
        is_uwsgi = "uwsgi" in path.lower() and name.endswith((".ini", ".yaml", ".yml"))
        if (is_s6 or is_keeper or is_unit or is_uwsgi) and count < MAX_KEEPER_FILES:
            count += 1
            is_shown = is_development(path) or path.startswith(("doc/", "docs/", "documentation/"))
            # One for uwsgi that nothing here names may be an example: it still says what there is.
            naming = naming or (_naming_texts(sources) if is_uwsgi else "")
            is_named = is_unit or is_keeper or is_s6 or name in naming
            weight = HINT if is_shown else KEEPER if is_named else SCRIPT
            found += lines_of_commands(path, sources, weight)
            section = re.search(r"^\[uwsgi\]", sources.text(path), re.MULTILINE) if is_uwsgi else None
            if section:
                module = re.search(r"^(?:module|wsgi)\s*=\s*([\w.:]+)", sources.text(path), re.MULTILINE)
                line = line_of(sources.text(path), (module or section).start())
                found.append(Command(f"uwsgi {module[1] if module else ''}", Place(path, line), weight))
    return found


def _naming_texts(sources: Sources) -> str:
    """Return what the Dockerfiles, scripts and keepers' files of the repository say, up to a bound."""
    found: list[str] = []
    left = MAX_NAMING_CHARS
    for path in sources.paths:
        last = path.rpartition("/")[2].lower()
        is_one = last in ("procfile", "makefile") or last.endswith((".sh", ".service", ".conf"))
        if left > 0 and (is_one or "dockerfile" in last or "compose" in last):
            found.append(sources.text(path)[:MAX_SCRIPT_CHARS])
            left -= len(found[-1])
    return "\n".join(found)


def gunicorn_commands(sources: Sources, root: str) -> list[Command]:
    """Gunicorn reads gunicorn.conf.py by itself; that names the application and the kind of worker, if it likes."""
    path = sources.first(join(root, "gunicorn.conf.py"), "gunicorn.conf.py")
    if not path:
        return []
    return [Command(_gunicorn_words(sources.text(path)), Place(path, 1, "gunicorn's own file"), KEEPER, "web")]


def _gunicorn_words(text: str) -> str:
    words = [
        match[1] for match in re.finditer(r"^(?:wsgi_app|worker_class)\s*=\s*[\"']([\w.:]+)[\"']", text, re.MULTILINE)
    ]
    return " ".join(["gunicorn", *words])


def configured_commands(commands: list[Command], sources: Sources, root: str) -> list[Command]:
    """Return what the files say that commands give to gunicorn by `--config`, with the weight of the command."""
    found = []
    for command in commands:
        match = re.search(r"\bgunicorn\b.*?\s(?:-c|--config)[ =]+[\"']?(?:python:|file:)?([\w./-]+)", command.text)
        path = sources.first(join(root, match[1].lstrip("/")), join(".", match[1].lstrip("/"))) if match else ""
        words = _gunicorn_words(sources.text(path)) if path else ""
        if " " in words:
            found.append(Command(words, Place(path, 1, "gunicorn's file"), command.weight, command.role))
        match = re.search(r"\buwsgi\b.*?--(?:ini|yaml)[ =]+(\S+)", command.text)
        near = sources.named(match[1].rpartition("/")[2].strip("\"'")) if match else []
        found += lines_of_commands(near[0], sources, command.weight, command.role) if len(near) == 1 else []
    return found
