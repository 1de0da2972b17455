"""`notify`: what is read of it, what is secret about it, and which mistakes are told."""

import pytest

from shipway.config.load import load_config
from shipway.config.model import Config
from shipway.config.notify import fill
from shipway.config.summary import inline_secrets, needed_secrets, summary
from shipway.core.errors import ConfigError

BASE = "service: shop\nimage: acme/shop\nservers: [a]\nregistry: none\nbuilder: {arch: amd64}\n"


def load(text: str) -> Config:
    return load_config({"config/deploy.yml": f"{BASE}notify:\n{text}"})


def test_addresses_and_tokens_are_secrets():
    config = load(
        "  - webhook: https://hooks.example/T0/B0\n  - apprise: [SLACK]\n    events: [done]\n"
        "  - sentry: {organization: acme, projects: [shop], token: [SENTRY]}\n"
        "  - grafana: {url: 'https://g.example', token: inline-token}\n"
    )
    assert [one.kind for one in config.notify] == ["webhook", "apprise", "sentry", "grafana"]
    assert {"SLACK", "SENTRY"} <= set(needed_secrets(config))
    assert set(inline_secrets(config).values()) == {"https://hooks.example/T0/B0", "inline-token"}
    assert "T0" not in str(summary(config))
    assert "T0" not in repr(config)


@pytest.mark.parametrize(
    "text",
    [
        "  - {}\n",
        "  - {webhook: 'https://a.example', apprise: 'json://b'}\n",
        "  - webhook: ftp://a.example\n",
        "  - {webhook: 'https://a.example', events: [finished]}\n",
        "  - {webhook: 'https://a.example', templates: {done: '{relase} is live'}}\n",
        "  - {webhook: 'https://a.example', templates: {gone: 'x'}}\n",
        "  - {sentry: {organization: acme}}\n",
        "  - {grafana: {url: 'https://g.example'}}\n",
        "  - {grafana: {url: 'nowhere', token: [T]}}\n",
        "  - {webhok: 'https://a.example'}\n",
    ],
)
def test_mistakes_are_told_before_anything_is_deployed(text: str):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert all(finding.where.startswith("config/deploy.yml:") for finding in caught.value.findings)


def test_a_template_takes_words_and_nothing_else():
    assert fill("{release} by {who}: {}{x} {who.__class__}", {"release": "r2", "who": "ann"}) == "r2 by ann:  "
