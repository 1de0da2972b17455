"""What a workflow of a CI has to know, and the shell that all of them share."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shipway.core.errors import Finding
from shipway.scaffold.subject import Subject

Provider = Literal["github", "gitlab", "forgejo"]
KEY, KNOWN = "SSH_PRIVATE_KEY", "SSH_KNOWN_HOSTS"
REPORT, SUMMARY = "release-report.jsonl", "release-report.md"
_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$")
_INSTALL = {
    "uv": ("pip install uv", "uv sync --locked"),
    "poetry": ("pip install poetry", "poetry install --no-interaction"),
    "pdm": ("pip install pdm", "pdm install"),
    "pipenv": ("pip install pipenv", "pipenv sync --dev"),
}
_RUN = {"uv": "uv run ", "poetry": "poetry run ", "pdm": "pdm run ", "pipenv": "pipenv run "}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One deploy of the workflow: its destination ("" for a service that has none), and whether somebody approves.

    `reuses`: the image of the commit was pushed by an earlier job, and is not built again.
    """

    destination: str
    is_approved: bool = False
    reuses: bool = False

    @property
    def name(self) -> str:
        """The name of the job and of its environment."""
        return self.destination or "production"

    @property
    def options(self) -> str:
        """The words for Shipway."""
        return f" -d {shlex.quote(self.destination)}" if self.destination else ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A workflow, without the words of any provider.

    `variables` are environment variables that the secrets files read. `package` is what pip installs Shipway from.
    """

    service: str
    python: str
    test: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    variables: tuple[str, ...]
    is_docker: bool
    package: str
    branch: str = "main"


def plan_deliveries(destinations: tuple[str, ...], *, has_registry: bool) -> tuple[Delivery, ...]:
    """Return the deploys in their order: staging, then production once somebody approved; each destination once."""
    last = [name for name in destinations if name.startswith("prod") or name in ("live", "main")]
    order = [*(name for name in destinations if name not in last), *last] or [""]
    return tuple(
        Delivery(name, is_approved=name == order[-1], reuses=has_registry and number > 0)
        for number, name in enumerate(order)
    )


def test_commands(subject: Subject) -> tuple[str, ...]:
    """Return what installs the project and runs its tests, as far as its files tell."""
    manager, lock, manage = (subject.text(name) for name in ("package_manager", "lock", "manage"))
    install = _INSTALL.get(manager) or (f"pip install -r {shlex.quote(lock)}" if lock else "pip install .",)
    words = (
        "pytest"
        if subject.has_package("pytest", "pytest-django")
        else f"python {shlex.quote(manage or 'manage.py')} test"
    )
    return (*install, _RUN.get(manager, "") + words)


def read_variables(texts: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the variables that secrets files (texts by path) read, and findings about what they read elsewhere."""
    names: set[str] = set()
    own: set[str] = set()
    found: list[Finding] = []
    for path, text in sorted(texts.items()):
        for number, line in enumerate(text.splitlines(), 1):
            match = _LINE.match(line)
            if match is None or match[2].lstrip().startswith("'"):
                continue
            if "$(" in match[2]:
                found.append(_elsewhere(match[1], f"{path}:{number}"))
            own.add(match[1])
            names.update(name for name in _REFERENCE.findall(match[2]) if name == match[1] or name not in own)
    return tuple(sorted(names)), tuple(found)


def _elsewhere(name: str, where: str) -> Finding:
    return Finding(
        "ci.secret_elsewhere",
        f"the secret {name} is made by a command, which must work in the CI as well",
        where=where,
        next=f"{name}=${name} reads it from the CI's store",
        level="warning",
    )


SSH_BLOCK = f"""\
test -n "${KEY}" || {{ echo "the secret {KEY} is missing: a private key that the servers accept"; exit 1; }}
test -n "${KNOWN}" || {{ echo "the secret {KNOWN} is missing: the lines of known_hosts"; exit 1; }}
mkdir -p -m 700 ~/.ssh
(umask 077 && printf '%s\\n' "${KEY}" | tr -d '\\r' >~/.ssh/id_ed25519)
printf '%s\\n' "${KNOWN}" >>~/.ssh/known_hosts
"""
"""Shipway accepts no host key that is not known, so an unknown server ends the job."""

# Made of the last line alone that holds a report or an error.
SUMMARY_BLOCK = f"""\
python3 - {REPORT} >{SUMMARY} <<'END'
import json, sys
last = {{}}
for line in open(sys.argv[1], encoding="utf-8"):
    try:
        body = json.loads(line)
    except ValueError:
        continue
    last = body if isinstance(body, dict) and ("report" in body or "error" in body) else last
report, error = last.get("report"), last.get("error")
if report:
    over = f" over {{report['base']}}" if report["base"] else ""
    print(f"## {{report['verb']}} {{report['release']}}{{over}}: {{report['outcome']}} in {{report['took_s']:.0f}} s")
    print(f"\\nVersion `{{report['version']}}`, run `{{report['run']}}`\\n\\n| host | role | release |\\n|---|---|---|")
    for one in report["serving"]:
        print(f"| {{one['host']}} | {{one['role']}} | {{one['release']}} |")
    print("".join(f"\\n- {{note}}" for note in report["notes"]))
elif error:
    print(f"## {{error['what']}}\\n\\n`{{error['code']}}`\\n")
    print("".join(f"- {{key}}: {{error[key]}}\\n" for key in ("where", "now", "next") if error.get(key)))
    print("```\\n" + str(error.get("said", "")).replace("```", "'''") + "\\n```")
else:
    print("## Shipway ended without a report")
END
"""


def deploy_line(delivery: Delivery, sha: str) -> str:
    """Return the command that deploys: `sha` is the provider's word for the commit."""
    version = f" --version {sha}" if delivery.reuses else ""
    return f"shipway deploy{delivery.options}{version} --json >{REPORT}"


def verify_line(delivery: Delivery) -> str:
    """Return the command that tells whether what was deployed serves."""
    return f"shipway status{delivery.options}"


def head(pipeline: Pipeline, names: str) -> tuple[str, ...]:
    """Return the comment at the beginning of a workflow: what has to be stored with the provider."""
    return (
        f"Tests, then deploys {pipeline.service}. Written by `shipway ci init`; it is yours now.",
        "",
        f"{names}: {', '.join((KEY, KNOWN, *pipeline.variables))}.",
        f"{KNOWN}: what `ssh-keyscan SERVER` prints, once it was compared with the server's own keys.",
        "An unknown key ends the job.",
    )
