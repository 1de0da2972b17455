"""`.dockerignore`, and the lines that `.gitignore` lacks."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.scaffold.subject import Subject

_NEVER = (
    ".git", ".gitignore", ".kamal", ".env", ".env.*", "**/.env", "config/deploy*.yml", "Dockerfile", ".dockerignore",
    "**/__pycache__", "**/*.pyc", ".venv", "venv", "**/node_modules", "*.sqlite3", "*.sqlite3-journal", "*.log",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".coverage", "htmlcov", ".idea", ".vscode",
)  # fmt: skip


def write_dockerignore(subject: Subject) -> str:
    """Return the text of `.dockerignore`: what no image needs, and what collectstatic and visitors made here."""
    made = [_inside(subject, name) for name in ("static_root", "media_root")]
    lines = ["# What the image does not need, or must not have.", *_NEVER, *(path for path in made if path)]
    return "\n".join(lines) + "\n"


def _inside(subject: Subject, fact: str) -> str:
    path = subject.text(fact)
    is_plain = path and path.isprintable() and not path.startswith(("/", "#", "!")) and ".." not in path
    return subject.inside(path) if is_plain and not set("*?[\\") & set(path) and path != "." else ""


def missing_lines(text: str, secrets: Sequence[str]) -> list[str]:
    """Return the lines that .gitignore lacks: files with a secret, and `.env`."""
    there = {line.strip().strip("/") for line in text.splitlines()}
    is_all = {".kamal", ".kamal/*", ".kamal/**"} & there
    wanted = ["/.env", *(f"/{path}" for path in secrets)]
    return [
        line
        for line in wanted
        if line.strip("/") not in there
        and not (is_all and line.startswith("/.kamal/"))
        and not (line == "/.env" and {".env*", "*.env", ".env.*"} & there)
    ]


def with_lines(text: str, lines: Sequence[str]) -> str:
    """Return .gitignore with `lines` at its end."""
    start = text if not text or text.endswith("\n") else f"{text}\n"
    return "\n".join([f"{start}# Secrets: see .kamal/secrets.", *lines]) + "\n" if lines else text
