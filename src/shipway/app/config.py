"""The configuration as Shipway reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from shipway.app.call import Choice
from shipway.app.configuration import load_config
from shipway.config.summary import Json, summary
from shipway.core.errors import Finding


@dataclass(frozen=True, slots=True)
class ShownConfig:
    """The configuration as a document and as YAML; secrets stand in it by name only."""

    document: dict[str, Json]
    text: str
    warnings: tuple[Finding, ...]


def show_config(choice: Choice) -> ShownConfig:
    """Return the configuration of a choice. Contacts no host and asks for no secret. Raises ConfigError."""
    config, _ = load_config(choice)
    document = summary(config)
    return ShownConfig(document, "\n".join(_yaml(document, "")), config.warnings)


def _yaml(value: Json, indent: str) -> list[str]:
    """Return `value` as lines of YAML: scalars as JSON, which YAML 1.2 reads as the same values."""
    if isinstance(value, dict) and value:
        lines = []
        for key, part in value.items():
            if isinstance(part, dict | list) and part:
                lines += [f"{indent}{_key(key)}:", *_yaml(part, indent + "  ")]
            else:
                lines.append(f"{indent}{_key(key)}: {_scalar(part)}")
        return lines
    if isinstance(value, list) and value:
        return [f"{indent}- {_scalar(part)}" for part in value]
    return [f"{indent}{_scalar(value)}"]


def _key(text: str) -> str:
    return text if text.replace("_", "").replace("-", "").isalnum() else json.dumps(text)


def _scalar(value: Json) -> str:
    if isinstance(value, str) and value.replace("-", "").replace("_", "").replace("/", "").replace(".", "").isalpha():
        return value if value.lower() not in ("true", "false", "null", "yes", "no", "on", "off") else json.dumps(value)
    return json.dumps(value, ensure_ascii=False)
