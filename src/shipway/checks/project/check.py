"""All checks of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shipway.checks.project import environment, storage, web, work
from shipway.checks.project.subject import Project, Subject
from shipway.checks.table import found
from shipway.core.errors import Finding

_CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    web.check_debug,
    web.check_hosts,
    web.check_origins,
    web.check_tls,
    web.check_cookies,
    web.check_secret_key,
    web.check_health,
    storage.check_sqlite,
    storage.check_media,
    storage.check_static,
    storage.check_logging,
    work.check_workers,
    work.check_schedulers,
    environment.check_missing,
    environment.check_unread,
    environment.check_localhost,
)


def check_project(subject: Subject) -> tuple[Finding, ...]:
    """Return what is wrong with a project and its configuration together, in the order of the checks."""
    findings = (finding for check in _CHECKS for finding in check(subject))
    return (*findings, *check_files(subject.project))


def check_files(project: Project) -> tuple[Finding, ...]:
    """Return what is wrong with the files of a project, whatever its configuration is."""
    return tuple(_files(project))


def _files(project: Project) -> Iterator[Finding]:
    manager = project.fact("package_manager")
    if manager.text and not project.fact("lock").text:
        what = "the packages of the project are not pinned: there is no lock"
        yield found("project.unpinned", what, project.manifest or manager.where)
    if project.unignored:
        names = ", ".join(project.unignored)
        yield found("project.not_ignored", f"git does not ignore {names}, which holds secrets", ".gitignore")
    for path in project.tracked:
        what = f"{path}, which holds secrets, is in the git repository"
        yield found("project.secret_tracked", what, path, f"git rm --cached {path}, and change the secrets in it")
