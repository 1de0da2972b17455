"""`.erb` files of accessories: the subset of ERB that configuration files have, with the accessory's environment."""

from __future__ import annotations

import os
import re

from shipway.config.erb import render_erb
from shipway.config.erb_expression import ErbFacts
from shipway.core.errors import ConfigError
from shipway.core.secret import SecretRef, Text

# Stands for a secret while the template is rendered: characters of no text (Unicode's private use area).
_OPEN, _CLOSE = "\ue6a0", "\ue6a1"
_MARK = re.compile(f"{_OPEN}(.*?){_CLOSE}", re.DOTALL)


def rendered(text: str, file: str, env: tuple[tuple[str, Text], ...]) -> Text:
    """Return a template with its tags replaced; secrets become references. Raises ConfigError with every finding."""
    result = render_erb(text, file, ErbFacts({**os.environ, **{name: _marked(value) for name, value in env}}))
    if result.findings:
        raise ConfigError(
            "accessory.template",
            f"the template {file} has code that cannot be run",
            where=file,
            next='`<%= ENV["NAME"] %>` is understood; write the rest as text',
            findings=result.findings,
        )
    parts = _MARK.split(result.text)
    return tuple(SecretRef(part) if number % 2 else part for number, part in enumerate(parts) if part)


def _marked(value: Text) -> str:
    return "".join(f"{_OPEN}{part.name}{_CLOSE}" if isinstance(part, SecretRef) else part for part in value)
