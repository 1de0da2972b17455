"""AWS Secrets Manager, by `aws` 2.

Arguments: `aws secretsmanager batch-get-secret-value`, whose request and answer are those of
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html (`SecretIdList` of at most
20, `SecretValues`, `Errors`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shipway.adapters.secrets.managers.base import Manager, Wanted, failed, objects, parse_json, require_names
from shipway.adapters.secrets.programs import Programs

BATCH = 20
"""The most secrets that one call answers (API_BatchGetSecretValue)."""


class AwsSecretsManager:
    """Names are secrets; `--from` is put in front, `--account` is a profile."""

    title = "AWS"
    program = "aws"
    needs_account = False

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return values by `name`, or by `name/key` where a secret is a JSON object."""
        require_names(wanted)
        paths = wanted.paths()
        values: dict[str, str] = {}
        for start in range(0, len(paths), BATCH):
            for secret in self._batch(paths[start : start + BATCH], wanted.account, programs):
                values |= _flat(secret)
        return values

    def _batch(self, names: Sequence[str], profile: str, programs: Programs) -> tuple[Mapping[str, Any], ...]:
        options = (*(("--profile", profile) if profile else ()), "--output", "json")
        ran = programs.run(("aws", "secretsmanager", "batch-get-secret-value", "--secret-id-list", *names, *options))
        what = f"Could not read {', '.join(names)} from AWS Secrets Manager"
        if not ran.ok:
            raise failed(what, ran)
        answer = parse_json(ran.stdout, what)
        if not isinstance(answer, dict):
            raise failed(what)
        if errors := objects(answer.get("Errors") or []):
            raise failed(" ".join(f"{error.get('SecretId')}: {error.get('Message')}" for error in errors))
        return objects(answer.get("SecretValues") or [])


def _flat(secret: Mapping[str, Any]) -> dict[str, str]:
    name, text = str(secret.get("Name")), secret.get("SecretString")
    if not isinstance(text, str):
        raise failed(f"{name} in AWS Secrets Manager is binary, not text")
    try:
        value = json.loads(text)
    except ValueError:
        return {name: text}
    if isinstance(value, dict):
        return {f"{name}/{key}": _text(item) for key, item in value.items()}
    return {name: _text(value)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_: type[Manager] = AwsSecretsManager
