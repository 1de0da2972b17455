"""The workflow for GitHub Actions, and for Forgejo's Actions, which read the same files."""

from __future__ import annotations

import shlex

from shipway.scaffold.ci import (
    KEY,
    KNOWN,
    REPORT,
    SSH_BLOCK,
    SUMMARY,
    SUMMARY_BLOCK,
    Delivery,
    Pipeline,
    deploy_line,
    head,
    verify_line,
)
from shipway.scaffold.yaml import Noted, Value, render_yaml

_SHA = '"$GITHUB_SHA"'
_SHOW = f'cat {SUMMARY}\ncat {SUMMARY} >>"${{GITHUB_STEP_SUMMARY:-/dev/null}}"\n'


def write_github(pipeline: Pipeline) -> str:
    """Return `.github/workflows/deploy.yml`. Approval is what the environment of the last deploy asks for."""
    last = pipeline.deliveries[-1].name
    approval = f"Approval: Settings, Environments, {last}: add required reviewers."
    return _workflow(pipeline, "ubuntu-latest", (*head(pipeline, "Store as secrets"), approval))


def write_forgejo(pipeline: Pipeline) -> str:
    """Return `.forgejo/workflows/deploy.yml`. Forgejo has no approval: somebody starts the last deploy by hand."""
    last = pipeline.deliveries[-1].name
    approval = f"Approval: Forgejo has none, so {last} is deployed when somebody runs this workflow by hand."
    return _workflow(pipeline, "docker", (*head(pipeline, "Store as secrets"), approval))


def _workflow(pipeline: Pipeline, runner: str, notes: tuple[str, ...]) -> str:
    is_github = runner != "docker"
    jobs: dict[str, Value] = {"test": _test(pipeline, runner)}
    before = "test"
    for delivery in pipeline.deliveries:
        jobs[delivery.name] = _deploy(pipeline, delivery, (runner, before), is_github=is_github)
        before = delivery.name
    root: dict[str, Value] = {
        "name": "Deploy",
        "on": {"push": {"branches": [pipeline.branch]}, "workflow_dispatch": {}},
        "permissions": {"contents": "read"},
        "concurrency": Noted(
            {"group": f"deploy-{pipeline.service}", "cancel-in-progress": False},
            above=("One deploy at a time; one that runs is never cut short.",),
        ),
        "jobs": jobs,
    }
    if not is_github:
        del root["permissions"]
    return render_yaml(root, head=notes)


def _python(pipeline: Pipeline) -> list[Value]:
    return [
        {"uses": "actions/checkout@v4", "with": {"fetch-depth": 0}},
        {"uses": "actions/setup-python@v5", "with": {"python-version": pipeline.python}},
    ]


def _test(pipeline: Pipeline, runner: str) -> Value:
    note = "Make this what your tests need: services, variables, a front end."
    run = Noted("\n".join(pipeline.test) + "\n", above=(note,))
    return {"runs-on": runner, "timeout-minutes": 30, "steps": [*_python(pipeline), {"name": "Test", "run": run}]}


def _deploy(pipeline: Pipeline, delivery: Delivery, ways: tuple[str, str], *, is_github: bool) -> Value:
    runner, before = ways
    names = (KEY, KNOWN, *pipeline.variables)
    secrets = {name: f"${{{{ secrets.{name} }}}}" for name in names}
    job: dict[str, Value] = {"needs": before, "runs-on": runner, "timeout-minutes": 60}
    if is_github:
        job["environment"] = delivery.name
    elif delivery.is_approved:
        job["if"] = "github.event_name == 'workflow_dispatch'"
    ssh = {name: secrets.pop(name) for name in (KEY, KNOWN)}
    job["steps"] = [
        *_python(pipeline),
        {"name": "Install Shipway", "run": f"pip install {shlex.quote(pipeline.package)}"},
        {"name": "Let in by SSH, to known servers only", "env": ssh, "run": SSH_BLOCK},
        {
            "name": f"Deploy to {delivery.name}",
            **({"env": secrets} if secrets else {}),
            "run": deploy_line(delivery, _SHA),
        },
        {"name": "Report", "if": "always()", "run": f"touch {REPORT}\n{SUMMARY_BLOCK}{_SHOW}"},
        {"name": "Verify", **({"env": secrets} if secrets else {}), "run": verify_line(delivery)},
    ]
    return job
