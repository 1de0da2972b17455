"""The checks of a Dockerfile. What finds them is shared with `shipway init`."""

from __future__ import annotations

from shipway.checks.check import Check

IMAGE_CHECKS = (
    Check(
        "dockerfile.runs_as_root",
        "warning",
        "the application runs as root",
        "whoever breaks into it is root in the container, and may become it outside.",
        "USER app before CMD",
    ),
    Check(
        "dockerfile.no_lock",
        "warning",
        "packages are installed without a lock",
        "two builds of one commit can differ.",
        "install what a lock file says",
    ),
    Check(
        "dockerfile.secret",
        "warning",
        "a secret is given by ENV or ARG",
        "whoever has the image can read it.",
        "name it under `env/secret`; what a build needs, under `builder/secrets`",
    ),
    Check(
        "dockerfile.debug",
        "warning",
        "DEBUG is on in the image",
        "visitors see tracebacks and settings.",
        "remove it from the Dockerfile",
    ),
    Check(
        "dockerfile.no_collectstatic",
        "warning",
        "static files are not collected while the image is built",
        "the image has none to serve.",
        "RUN python manage.py collectstatic --noinput",
    ),
    Check(
        "dockerfile.latest",
        "warning",
        "the base image has no version",
        "what it is changes from build to build.",
        "FROM name:VERSION",
    ),
    Check(
        "dockerfile.no_ignore",
        "warning",
        "everything is copied and there is no .dockerignore",
        "secrets, the history and the virtualenv of this machine end in the image.",
        "shipway doctor --fix",
        is_fixed=True,
    ),
    Check(
        "dockerfile.copies_first",
        "info",
        "the sources are copied before the packages are installed",
        "each commit installs all packages again.",
        "copy the lock, install, copy the rest",
    ),
    Check(
        "dockerfile.development_server",
        "warning",
        "the image runs Django's development server",
        "it is made for one developer: slow, and not safe.",
        "gunicorn, uvicorn …",
    ),
    Check(
        "dockerfile.shell_form",
        "warning",
        "the command runs in a shell that passes on no signal",
        "a stop ends requests in the middle.",
        'CMD ["program", "argument"]',
    ),
)
