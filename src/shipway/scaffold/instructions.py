"""The instructions of a Dockerfile, each with its own way of quoting.

Nothing here needs BuildKit: a cache mount (`RUN --mount`) or a here-document ends a build with the classic builder,
and `# syntax=` makes BuildKit fetch a frontend from Docker Hub first. What layers can keep, layers keep: packages are
installed before the sources are copied.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

# Signs that COPY and WORKDIR take for a pattern, a variable or an escape.
_PATTERN = re.compile(r"[\[\]*?$\\]")
_WIDTH = 100
_BARE = re.compile(r"[\w./@+-]+")

Argv = Sequence[str]


def note(text: str) -> str:
    """Return a comment of one line."""
    return "# " + "".join(letter if letter.isprintable() else " " for letter in text)


def from_image(image: str, name: str = "") -> str:
    """Return the beginning of a stage."""
    return f"FROM {image} AS {name}" if name else f"FROM {image}"


def run(*commands: Argv) -> str:
    """Return commands that make one layer, each as words; a value with a line break cannot be written.

    Raises ValueError for such a value: a line that ends within quotes is another instruction to Docker.
    """
    return "RUN " + " \\\n && ".join(_words(command) for command in commands)


def run_to_file(command: Argv, path: str, *more: Argv) -> str:
    """Return a command whose output goes to the file `path`, and commands that follow it, as one layer."""
    first = f"{_words(command)} > {shlex.quote(path)}"
    return "RUN " + " \\\n && ".join((first, *(_words(one) for one in more)))


def _words(command: Argv) -> str:
    if any(not letter.isprintable() for word in command for letter in word):
        raise ValueError(f"cannot be written in a Dockerfile: {command}")
    lines = [""]
    for word in map(shlex.quote, command):
        if lines[-1] and len(lines[-1]) + len(word) > _WIDTH:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    return " \\\n    ".join(lines)


def copy(*paths: str, target: str, stage: str = "") -> str:
    """Return a copy of files of the build context, or of an earlier stage."""
    words = [*paths, target]
    if any(_PATTERN.search(word) for word in words):
        raise ValueError(f"cannot be written in a Dockerfile: {words}")
    origin = f"--from={stage} " if stage else ""
    if all(_BARE.fullmatch(word) for word in words):
        return f"COPY {origin}{' '.join(words)}"
    return f"COPY {origin}{json.dumps(words, ensure_ascii=False)}"


def env(name: str, value: str) -> str:
    """Return a variable of the image. `$NAME` in a value is expanded by Docker: only constants have one."""
    is_bare = re.fullmatch(r"[\w./:@+$-]+", value, re.ASCII)
    return f"ENV {name}={value}" if is_bare else f"ENV {name}={json.dumps(value).replace('$', chr(92) + '$')}"


def workdir(path: str) -> str:
    """Return the working directory of what follows."""
    if _PATTERN.search(path):
        raise ValueError(f"cannot be written in a Dockerfile: {path}")
    return f"WORKDIR {path}"


def command(argv: Argv) -> str:
    """Return the command of the image, in the form without a shell: signals reach it."""
    return f"CMD {json.dumps(list(argv))}"
