"""A JSON Schema of the file, for editors, from the same declarations that read it."""

from __future__ import annotations

import json

from shipway.config.keys import Section, keys_of
from shipway.config.kinds import Schema
from shipway.config.root import ROOT, SHIPWAY_KEYS, SHIPWAY_SECTION, Root


def config_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of `config/deploy.yml`."""
    keys = keys_of(Root)
    own: Schema = {
        "type": "object",
        "description": "Shipway's own keys, where Kamal must be able to read the same file.",
        "properties": {name: {**keys[name].kind.schema(), "description": keys[name].doc} for name in SHIPWAY_KEYS},
        "additionalProperties": False,
    }
    schema = Section(Root, free=ROOT.free).schema()
    schema["properties"][SHIPWAY_SECTION] = own
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Shipway: config/deploy.yml",
        **schema,
    }


def config_schema_text() -> str:
    """Return the schema as JSON text."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
