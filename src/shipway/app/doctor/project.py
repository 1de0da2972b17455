"""The part of `doctor` that looks at the project's own files, and what it can mend there."""

from __future__ import annotations

import os
from pathlib import Path

from shipway.adapters.new_files import NewFile, read_exactly, write_files
from shipway.adapters.secrets.files import FileSecrets
from shipway.app.doctor.migrations import check_migrations
from shipway.app.doctor.reading import ReadProject
from shipway.checks.project.check import check_files, check_project
from shipway.checks.project.subject import Subject
from shipway.checks.table import check_of, found
from shipway.config.model import Config
from shipway.core.errors import Finding
from shipway.scaffold.ignores import with_lines, write_dockerignore
from shipway.scaffold.review import review_dockerfile


def check_directory(
    directory: Path, read: ReadProject, config: Config | None, secrets: FileSecrets | None, file: str
) -> tuple[Finding, ...]:
    """Return all that is wrong with the project of a directory."""
    findings: list[Finding] = []
    if config is None:
        findings.append(found("project.no_config", "there is no config/deploy.yml yet", str(directory)))
        findings += check_files(read.project) if read.is_django else ()
    else:
        findings += check_project(Subject(read.project, config, file))
    image = read.drafted.processes.image
    if image is not None and (config is None or config.runtime == "docker"):
        findings += review_dockerfile(read.drafted, image)
    findings += [one for one in (secrets.findings() if secrets else ()) if check_of(one.code)]
    if read.is_django:
        findings += check_migrations(directory / (config.project if config else ""))
    return tuple(dict.fromkeys(findings))


def fix_project(directory: Path, read: ReadProject, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Mend what is safe: .gitignore, .dockerignore, modes of secrets files. Return what was done, in sentences."""
    codes = {finding.code for finding in findings}
    files: list[NewFile] = []
    done: list[str] = []
    if "project.not_ignored" in codes:
        there = read_exactly(directory, ".gitignore")
        lines = [f"/{path}" for path in read.project.unignored]
        files.append(NewFile(".gitignore", with_lines(there or "", lines), replaces=there))
        done.append(f"added {', '.join(lines)} to .gitignore")
    if "dockerfile.no_ignore" in codes and read_exactly(directory, ".dockerignore") is None:
        files.append(NewFile(".dockerignore", write_dockerignore(read.drafted)))
        done.append("wrote .dockerignore")
    write_files(directory, files)
    for finding in findings:
        if finding.code == "secrets.world_readable":
            os.chmod(directory / finding.where, 0o600)  # noqa: PTH101  follows no link: checked when it was read
            done.append(f"made {finding.where} readable by you alone")
    return tuple(done)
