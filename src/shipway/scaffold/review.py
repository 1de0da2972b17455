"""What a Dockerfile that exists lacks. It is kept as it is; each finding says what to change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipway.core.errors import Finding
from shipway.django.dockerfile import Dockerfile, Instruction
from shipway.django.tree import join, parent
from shipway.scaffold.subject import Subject

_SECRET = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|PRIVATE_KEY|API_?KEY|CREDENTIAL", re.IGNORECASE)
_PAIR = re.compile(r"([A-Za-z_]\w*)(?:=|\s+)(\"[^\"]*\"|'[^']*'|\S*)")
_TRUE = frozenset(("1", "true", "yes", "on"))
_INSTALLS = re.compile(
    r"\b(?:pip3? install|uv (?:sync|pip)|poetry (?:install|sync)|pipenv (?:install|sync)|pdm (?:install|sync))\b"
)
_LOCKED = re.compile(
    r"uv sync.*(?:--locked|--frozen)|uv pip sync|poetry (?:install|sync)|pipenv (?:sync|install.*--deploy)|pdm sync|"
    r"pdm install.*--frozen|-r\s|--requirement"
)


def review_dockerfile(subject: Subject, image: Dockerfile) -> tuple[Finding, ...]:
    """Return what is wrong with the Dockerfile that builds the project, in the order of its lines."""
    checks = (_root, _lock, _secrets, _debug, _static, _latest, _ignore, _order, _server, _shell)
    return tuple(finding for check in checks for finding in check(subject, image))


def _final(image: Dockerfile, *keywords: str) -> list[Instruction]:
    stages = image.stages
    return [one for one in image.instructions if one.keyword in keywords and stages and one.stage == stages[-1]]


def _at(image: Dockerfile, one: Instruction | None) -> str:
    return f"{image.path}:{one.line}" if one else image.path


def _root(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    del subject
    users = _final(image, "USER")
    # A stage that another one is made of may have set the user.
    is_inherited = not users and any(
        one.text.split()[:1] and one.text.split()[0] in image.stages for one in _final(image, "FROM")
    )
    name = users[-1].text.split(":")[0].strip() if users else ""
    if name in ("root", "0") or (not users and not is_inherited):
        what = "the application runs as root"
        fix = "RUN useradd --system --uid 10001 --create-home app, and USER app before CMD"
        yield Finding("dockerfile.runs_as_root", what, _at(image, users[-1] if users else None), fix, "warning")


def _lock(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    installs = [one for one in image.of("RUN") if _INSTALLS.search(one.text) and "upgrade pip" not in one.text]
    if installs and not any(_LOCKED.search(one.text) for one in installs):
        what = "packages are installed without a lock: two builds of one commit can differ"
        yield Finding("dockerfile.no_lock", what, _at(image, installs[0]), "install what the lock file says", "warning")
    elif installs and not subject.fact("lock").is_known:
        what = "the packages of the project are not pinned: two builds of one commit can differ"
        yield Finding("dockerfile.no_lock", what, subject.lock or image.path, "pip freeze, or uv lock", "warning")


def _secrets(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    del subject
    for one in image.of("ENV", "ARG"):
        pairs = (
            _PAIR.findall(one.text) if one.keyword == "ENV" else [(one.text.partition("=")[0].strip(), "an argument")]
        )
        for name, value in pairs:
            if _SECRET.search(name) and value.strip("\"'"):
                what = f"{name} is given by {one.keyword}: whoever has the image can read it"
                fix = f"name {name} under env/secret of config/deploy.yml; what a build needs, under builder/secrets"
                yield Finding("dockerfile.secret", what, _at(image, one), fix, "warning")


def _debug(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    del subject
    for name, (value, line) in image.environment.items():
        if name.endswith("DEBUG") and value.lower() in _TRUE:
            what = f"{name} is {value} in the image: visitors see tracebacks and settings"
            yield Finding("dockerfile.debug", what, f"{image.path}:{line}", f"remove {name}", "warning")


def _static(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    texts = [one.text for one in image.of("RUN", "CMD", "ENTRYPOINT")]
    scripts = [subject.sources.text(path) for path in subject.sources.paths if path.endswith(".sh")][:50]
    is_wanted = subject.text("static") in ("whitenoise", "collected")
    if is_wanted and not any("collectstatic" in text for text in (*texts, *scripts)):
        what = "static files are not collected while the image is built"
        manage = subject.inside(subject.text("manage")) or "manage.py"
        fix = f"RUN SECRET_KEY=only-for-the-build python {manage} collectstatic --noinput"
        yield Finding("dockerfile.no_collectstatic", what, image.path, fix, "warning")


def _latest(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    del subject
    for one in image.instructions:
        words = [word for word in one.text.split() if not word.startswith("--")]
        if one.keyword != "FROM" or not words or words[0] in (*image.stages, "scratch") or "$" in words[0]:
            continue
        tag = words[0].rpartition("/")[2].partition("@")
        name, _, version = tag[0].partition(":")
        if not tag[2] and version in ("", "latest"):
            what = f"the image {name} has no version: what it is changes from build to build"
            yield Finding("dockerfile.latest", what, _at(image, one), f"FROM {name}:VERSION", "warning")


def _ignore(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    everything = [
        one
        for one in image.of("COPY", "ADD")
        if re.match(r"(?:--\S+\s+)*(?:\.|\./)\s", one.text) and "--from" not in one.text
    ]
    places = (f"{image.path}.dockerignore", join(parent(image.path), ".dockerignore"), ".dockerignore")
    if everything and not subject.sources.first(*places):
        what = "the whole directory is copied, and there is no .dockerignore"
        yield Finding("dockerfile.no_ignore", what, _at(image, everything[0]), "shipway init writes one", "warning")


def _order(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    del subject
    for stage in image.stages:
        lines = [one for one in image.instructions if one.stage == stage]
        copied = next(
            (
                one
                for one in lines
                if one.keyword in ("COPY", "ADD")
                and re.match(r"(?:--\S+\s+)*\./?\s", one.text)
                and "--from" not in one.text
            ),
            None,
        )
        installed = next((one for one in lines if one.keyword == "RUN" and _INSTALLS.search(one.text)), None)
        if copied and installed and copied.line < installed.line and "--no-deps" not in installed.text:
            what = "the sources are copied before the packages are installed: each commit installs all of them again"
            yield Finding(
                "dockerfile.copies_first", what, _at(image, copied), "copy the lock, install, copy the rest", "info"
            )
            return


def _server(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    del subject
    for one in _final(image, "CMD", "ENTRYPOINT"):
        if "runserver" in one.text:
            what = "the image runs Django's development server"
            yield Finding("dockerfile.development_server", what, _at(image, one), "gunicorn, uvicorn …", "warning")


def _shell(subject: Subject, image: Dockerfile) -> Iterator[Finding]:
    del subject
    for one in _final(image, "CMD", "ENTRYPOINT")[-1:]:
        if not one.text.lstrip().startswith("[") and not re.match(r"exec\s", one.text):
            what = "the command runs in a shell that passes on no signal: a stop ends requests in the middle"
            yield Finding("dockerfile.shell_form", what, _at(image, one), 'CMD ["program", "argument"]', "warning")
