"""The pipeline for GitLab CI."""

from __future__ import annotations

import shlex

from shipway.scaffold.ci import REPORT, SSH_BLOCK, SUMMARY, SUMMARY_BLOCK, Delivery, Pipeline, deploy_line, head
from shipway.scaffold.ci import verify_line as verify
from shipway.scaffold.yaml import Noted, Value, render_yaml

_SHA = '"$CI_COMMIT_SHA"'
_DOCKER = "28"
"""The major version of Docker's images that build and push."""


def write_gitlab(pipeline: Pipeline) -> str:
    """Return `.gitlab-ci.yml`. Whoever may run the manual job of a protected environment approves."""
    last = pipeline.deliveries[-1].name
    notes = (
        *head(pipeline, "Store as CI/CD variables, masked and protected"),
        f"Approval: {last} is a manual job; protect the environment to say who may run it (Operate, Environments).",
    )
    stages = ["test", *(delivery.name for delivery in pipeline.deliveries)]
    root: dict[str, Value] = {"stages": stages, "test": _test(pipeline)}
    for delivery in pipeline.deliveries:
        root[f"deploy-{delivery.name}"] = _deploy(pipeline, delivery)
    return render_yaml(root, head=notes)


def _test(pipeline: Pipeline) -> Value:
    note = "Make this what your tests need: services, variables, a front end."
    return {"stage": "test", "image": f"python:{pipeline.python}", "script": Noted(list(pipeline.test), above=(note,))}


def _deploy(pipeline: Pipeline, delivery: Delivery) -> Value:
    job: dict[str, Value] = {"stage": delivery.name, "environment": {"name": delivery.name}}
    if pipeline.is_docker:
        job["image"] = f"docker:{_DOCKER}-cli"
        job["services"] = [f"docker:{_DOCKER}-dind"]
        job["variables"] = {
            "DOCKER_HOST": "tcp://docker:2376",
            "DOCKER_TLS_CERTDIR": "/certs",
            "DOCKER_CERT_PATH": "/certs/client",
            "DOCKER_TLS_VERIFY": "1",
            "GIT_DEPTH": "0",
        }
        install = ["apk add --no-cache git openssh-client python3", "python3 -m venv /opt/shipway"]
    else:
        job["image"] = f"python:{pipeline.python}"
        job["variables"] = {"GIT_DEPTH": "0"}
        install = ["python3 -m venv /opt/shipway"]
    # One deploy at a time, whatever the branch; one that runs is never cut short.
    job["resource_group"] = f"deploy-{pipeline.service}"
    job["interruptible"] = False
    job["timeout"] = "1h"
    rule: dict[str, Value] = {"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}
    job["rules"] = [{**rule, "when": "manual"} if delivery.is_approved else rule]
    install.append(f"/opt/shipway/bin/pip install {shlex.quote(pipeline.package)}")
    job["before_script"] = _lines(*install, 'export PATH="/opt/shipway/bin:$PATH"')
    job["script"] = _lines(SSH_BLOCK.rstrip("\n"), deploy_line(delivery, _SHA), verify(delivery))
    job["after_script"] = _lines(f"touch {REPORT}", (SUMMARY_BLOCK + f"cat {SUMMARY}").rstrip("\n"))
    job["artifacts"] = {"when": "always", "paths": [SUMMARY], "expose_as": "release report"}
    return job


def _lines(*texts: str) -> list[Value]:
    return [text if "\n" not in text else f"{text}\n" for text in texts]
