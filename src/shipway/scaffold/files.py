"""All files of one `shipway init`, as texts, with what a person should know about them."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.core.errors import Finding
from shipway.django.tree import join
from shipway.scaffold.accessories import find_accessories
from shipway.scaffold.deploy_yml import Parts, without_accessories, write_deploy_yml
from shipway.scaffold.dockerfile import write_dockerfile
from shipway.scaffold.health import VIEW, HealthView, offer_health
from shipway.scaffold.ignores import missing_lines, with_lines, write_dockerignore
from shipway.scaffold.review import review_dockerfile
from shipway.scaffold.roles import find_roles
from shipway.scaffold.secrets_stub import write_secrets
from shipway.scaffold.server import check_server, find_server
from shipway.scaffold.storage import find_storage
from shipway.scaffold.subject import Subject
from shipway.scaffold.variables import find_environment

_LOCK = {"uv": "uv lock", "poetry": "poetry lock", "pdm": "pdm lock", "pipenv": "pipenv lock"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A file as init would have it. `adds`: the file may exist, and `text` is what is there with lines more."""

    path: str
    text: str
    why: str
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Drafts:
    """The files, what is worth knowing, the files of random secrets that the stub reads, and a health view to offer."""

    files: tuple[Draft, ...]
    findings: tuple[Finding, ...]
    made_secrets: tuple[str, ...]
    health: HealthView | None


def draft_files(subject: Subject) -> Drafts:
    """Return every file that the project should have."""
    roles = find_roles(subject)
    accessories, storage = find_accessories(subject), find_storage(subject)
    server = find_server(subject, roles[0])
    environment = find_environment(subject, {**accessories.values, **storage.values})
    stub = write_secrets(environment.secret, accessories)
    parts = Parts(subject, roles, accessories, environment, storage, server)
    files = [Draft("config/deploy.yml", write_deploy_yml(parts), "how it is deployed")]
    findings = [*_general(subject), *check_server(server, subject)]
    if subject.wishes.runtime == "docker":
        findings += storage.findings
        if subject.image is not None:
            findings += review_dockerfile(subject, subject.image)
        else:
            text = write_dockerfile(subject, server, storage.volumes)
            files.append(Draft(join(subject.base, "Dockerfile"), text, "how its image is built"))
            findings += _static(subject)
        files.append(
            Draft(join(subject.base, ".dockerignore"), write_dockerignore(subject), "what the image does not get")
        )
    files.append(Draft(".kamal/secrets", stub.text, "where the values of secrets come from"))
    ignored = subject.sources.text(".gitignore")
    lines = missing_lines(ignored, stub.made)
    if lines:
        files.append(Draft(".gitignore", with_lines(ignored, lines), "what stays out of git", adds=True))
    health = offer_health(subject)
    files += _health(subject, health)
    return Drafts(tuple(files), (*findings, *_health_findings(subject, health)), stub.made, health)


def _health(subject: Subject, view: HealthView | None) -> list[Draft]:
    if view is None or not subject.wishes.health:
        return []
    files = [Draft(view.path, VIEW, "answers whether it is well")]
    if view.urls is not None:
        files.append(Draft(view.urls_path, view.urls, f"the route to {view.path}", adds=True))
    return files


def _health_findings(subject: Subject, view: HealthView | None) -> list[Finding]:
    if subject.fact("health").is_known or (subject.wishes.health and view is not None and view.urls is not None):
        return []
    fix = "shipway init --health" if view is not None and view.urls is not None else "add a view for /up by hand"
    what = "the project has no path that says whether it is well, and a deploy asks for one"
    return [Finding("init.no_health", what, view.urls_path if view else "", fix, "warning")]


def _general(subject: Subject) -> list[Finding]:
    found = []
    if not subject.wishes.server:
        what = "the address of the server is not known: config/deploy.yml has 192.0.2.1, which leads nowhere"
        found.append(
            Finding("init.no_address", what, "config/deploy.yml", "write your server's address there", "warning")
        )
    if not subject.settings:
        what = "the settings module was not found"
        found.append(Finding("init.no_settings", what, "", "shipway init --settings shop.settings", "warning"))
    elif not subject.wishes.settings and (
        subject.fact("settings").confidence == "low" or subject.fact("settings").conflicts
    ):
        what = f"{subject.settings} may not be the settings for production"
        where = next((str(one) for one in subject.fact("settings").evidence), "")
        found.append(Finding("init.unsure_settings", what, where, "shipway init --settings MODULE", "warning"))
    if not subject.fact("lock").is_known:
        manager = subject.text("package_manager")
        what = "the packages are not locked: two builds of one commit can differ"
        fix = _LOCK.get(manager, "write each package with its version: pip freeze")
        found.append(Finding("init.no_lock", what, subject.lock or subject.packages.manifest, fix, "warning"))
    if without_accessories(subject):
        what = "the project needs a database server or Redis, which this configuration does not start"
        fix = "give their addresses in .kamal/secrets and under env/clear"
        found.append(Finding("init.no_accessories", what, "config/deploy.yml", fix, "info"))
    return found


def _static(subject: Subject) -> list[Finding]:
    found = []
    if not subject.python[1]:
        what = f"the project does not say which Python it needs; the Dockerfile has {subject.python[0]}"
        found.append(Finding("init.python_guessed", what, "Dockerfile", "echo 3.12 > .python-version", "warning"))
    if subject.text("static") == "collected":
        what = "static files are collected into the image, and nothing there serves them"
        where = next((str(one) for one in subject.fact("static_root").evidence), "")
        found.append(
            Finding("init.static_not_served", what, where, "add whitenoise to packages and MIDDLEWARE", "warning")
        )
    return found
