"""The verdict on the migrations of the project in a directory: with and without a database, before any server is."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipway.adapters.checkout import checked_out, find_commit
from shipway.adapters.interpreter import find_interpreters, find_manage, run_program
from shipway.adapters.squawk import find_squawk, read_with_squawk
from shipway.core.errors import ConfigError, Finding, Refused, UsageError
from shipway.core.migration import Key
from shipway.django.answer import parse_answer
from shipway.django.manifest import read_manifest
from shipway.django.probe_source import ProbeOptions, build_probe
from shipway.django.report import DatabaseReport, Report
from shipway.migrations.findings import find
from shipway.migrations.plan import Base
from shipway.migrations.verdict import Verdict, judge
from shipway.migrations.words import CLASSES, CODE_ROLLBACK, OLD_CODE

MAX_MANIFEST_BYTES = 64_000_000
Bases = Mapping[str, Base]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: the project's directory, its Python ("" finds one), the old release, whether databases count."""

    directory: Path
    python: str = ""
    base: str = ""
    connect: bool = True


@dataclass(frozen=True, slots=True)
class MigrationsAnswer:
    """The verdicts, each with the alias of the database that suffers most, and what else was found.

    `base` is what the old code is: a commit, a release, or "" for the code that matches the database (or, without
    one, the code just before each migration).
    """

    vendor: str
    base: str
    verdicts: tuple[tuple[str, Verdict], ...]
    findings: tuple[Finding, ...]
    squawk: Mapping[Key, tuple[str, ...]]


def judge_project(asked: Asked, version_of: Callable[[str], str]) -> MigrationsAnswer:
    """Return the verdicts on the pending migrations of a project.

    `version_of` gives the commit of a release by its name, "" for an unknown one; it is asked only when `base` is
    neither a file nor a commit. Raises ConfigError `project.…` when the project cannot be loaded, Refused
    `migrations.conflict`, `migrations.history`, `migrations.graph`, `probe.…`, UsageError `migrations.no_base`.
    """
    python, report = ask_project(asked)
    name, bases = _bases(asked, python, version_of)
    return answer_of(report, name, bases)


def ask_project(asked: Asked) -> tuple[str, Report]:
    """Return the project's Python and what it says of its databases. Raises as `judge_project` does."""
    python, report = _ask_any(asked)
    for one in report.databases.values():
        refuse_broken(one)
    return python, report


def answer_of(report: Report, name: str, bases: Bases) -> MigrationsAnswer:
    """Return the verdicts on what `report` says is pending, for the old release `name` with what its code needs."""
    found = tuple(f for a, one in report.databases.items() for f in find(one.database, bases.get(a)))
    judged = {a: judge(one.database, bases.get(a)) for a, one in report.databases.items()}
    main = report.databases.get("default") or next(iter(report.databases.values()), None)
    vendor = main.database.vendor if main else ""
    verdicts = _worst(judged)
    return MigrationsAnswer(vendor, name, verdicts, (*found, *_indexes(report)), _squawk(verdicts, vendor))


def _ask_any(asked: Asked) -> tuple[str, Report]:
    """Ask the first of the possible Pythons that has Django."""
    if asked.python:
        return asked.python, probe(asked.python, asked.directory, connect=asked.connect)
    candidates = find_interpreters(asked.directory, os.environ)
    for python in candidates[:-1]:
        try:
            return python, probe(python, asked.directory, connect=asked.connect)
        except ConfigError as error:
            if error.code != "project.django":
                raise
    return candidates[-1], probe(candidates[-1], asked.directory, connect=asked.connect)


def probe(python: str, directory: Path, *, connect: bool) -> Report:
    """Return what the project in `directory` says about its databases. Raises ConfigError and Refused."""
    token = secrets.token_hex(16)
    options = ProbeOptions(manage=find_manage(directory), want=("databases",), connect=connect)
    source = build_probe(token, options)
    try:
        answered = run_program(
            python, source, directory, limit_s=options.limit_s + 10, limit_bytes=options.limit_bytes + 1_000_000
        )
    except OSError as error:
        raise ConfigError(
            "project.python", "the project's Python could not be run", where=python, next=f"{python} -V"
        ) from error
    report = parse_answer(answered.output, token, said=answered.said)
    fault = report.faults.get("databases")
    if fault is not None:
        raise Refused(
            "migrations.unreadable",
            "the project's migrations could not be read",
            where=f"{fault.file}:{fault.line}" if fault.file else "",
            said="\n".join(fault.lines),
            next="python manage.py showmigrations",
        )
    return report


def refuse_broken(report: DatabaseReport) -> None:
    """Raise Refused for a graph or a history that Django itself would not migrate."""
    for kind, *words in report.problems:
        if kind == "conflict":
            raise Refused(
                "migrations.conflict",
                f"the app {words[0]} has {len(words) - 1} last migrations: {', '.join(words[1:])}",
                next="python manage.py makemigrations --merge",
            )
        if kind == "history":
            raise Refused(
                "migrations.history",
                "the database has a migration recorded without one that it depends on",
                where=f"database {report.database.alias}",
                said=words[0],
                next="python manage.py showmigrations --plan",
            )
        raise Refused(
            "migrations.graph",
            "a migration depends on one that is not there",
            said=words[0],
            next="python manage.py showmigrations",
        )


def _bases(asked: Asked, python: str, version_of: Callable[[str], str]) -> tuple[str, Bases]:
    if not asked.base:
        return "", {}
    file = asked.directory / asked.base
    if file.is_file():
        return asked.base, _bases_of_manifest(file)
    with checked_out(asked.directory, commit_of(asked, version_of)) as tree:
        return asked.base, bases_of_tree(asked.base, python, tree)


def commit_of(asked: Asked, version_of: Callable[[str], str]) -> str:
    """Return the commit that `base` means. Raises UsageError `migrations.no_base`."""
    commit = find_commit(asked.directory, asked.base) or version_of(asked.base)
    if not commit or not find_commit(asked.directory, commit):
        raise UsageError(
            "migrations.no_base",
            f"`{asked.base}` is no commit, release or manifest that is known here",
            next="git branch --all  or  shipway releases",
        )
    return commit


def bases_of_tree(name: str, python: str, tree: Path) -> Bases:
    """Return what the code in `tree`, called `name`, needs of each database."""
    report = probe(python, tree, connect=False)
    return {a: Base(name, one.disk, one.database.footprint) for a, one in report.databases.items()}


def _bases_of_manifest(file: Path) -> Bases:
    with file.open("rb") as opened:
        text = opened.read(MAX_MANIFEST_BYTES).decode("utf-8", "replace")
    manifest = read_manifest(text, where=str(file))
    return {a: Base(manifest.origin.release, one.keys, one.footprint) for a, one in manifest.databases.items()}


def _worst(judged: Mapping[str, tuple[Verdict, ...]]) -> tuple[tuple[str, Verdict], ...]:
    """Return each migration once, with the alias and the verdict of the database that it is worst for."""
    found: dict[Key, tuple[str, Verdict]] = {}
    for alias, verdicts in judged.items():
        for verdict in verdicts:
            known = found.get(verdict.key)
            if known is None or _rank(verdict) > _rank(known[1]):
                found[verdict.key] = (alias, verdict)
    return tuple(found.values())


def _rank(verdict: Verdict) -> tuple[int, int, int]:
    old_code, rollback = OLD_CODE.index(verdict.old_code), CODE_ROLLBACK.index(verdict.code_rollback)
    return old_code, rollback, CLASSES.index(verdict.cls)


def _indexes(report: Report) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            "migrations.invalid_index",
            f"the index `{index}` of `{table}` is invalid: a concurrent build was cut short",
            where=f"database {alias}",
            next=f'DROP INDEX CONCURRENTLY "{index}";',
            level="warning",
        )
        for alias, one in report.databases.items()
        for table, index in one.invalid_indexes
    )


def _squawk(verdicts: tuple[tuple[str, Verdict], ...], vendor: str) -> dict[Key, tuple[str, ...]]:
    program = find_squawk() if vendor == "postgresql" else None
    if program is None:
        return {}
    found = {}
    for _, verdict in verdicts:
        texts = tuple(text for judged in verdict.operations for text in judged.operation.sql)
        said = read_with_squawk(program, texts) if texts else ()
        if said:
            found[verdict.key] = said
    return found
