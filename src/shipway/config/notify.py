"""`notify`: who is told of a deploy: webhooks, apprise's services, Sentry, Grafana."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shipway.config.keys import ListOf, MapOf, Section, key
from shipway.config.kinds import Integer, Text
from shipway.config.registry import Credential, CredentialKind, Inline
from shipway.config.report import Report
from shipway.config.tree import Path
from shipway.core.secret import SecretRef

EVENTS = ("started", "needs_approval", "done", "failed", "rolled_back")
WORDS = (
    "event", "service", "destination", "verb", "release", "version", "commit", "base", "who", "run", "took", "hosts",
    "what", "error", "now", "next",
)  # fmt: skip
"""What a template may have in braces."""
_PLACE = re.compile(r"\{([^{}]*)\}")
LIMIT_S = 3


def _check_url(text: str) -> str:
    return (
        ""
        if re.fullmatch(r"https?://[^\s/]+\S*", text)
        else "should be an address that begins with http:// or https://"
    )


def _check_event(name: str) -> str:
    return "" if name in EVENTS else f"is none of {', '.join(EVENTS)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentry:
    """The releases and deploys of a Sentry."""

    organization: str | None = key(Text(), "The organization's slug.")
    projects: tuple[str, ...] = key(ListOf(Text()), "The slugs of the projects.", value=())
    token: Credential | None = key(
        CredentialKind(), "A list with the name of the secret: a token for `project:releases`."
    )
    url: str = key(Text(check=_check_url), "Where Sentry is.", default="https://sentry.io", value="https://sentry.io")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grafana:
    """The annotations of a Grafana."""

    url: str | None = key(Text(check=_check_url), "Where Grafana is.")
    token: Credential | None = key(CredentialKind(), "A list with the name of the secret: a service account's token.")
    tags: tuple[str, ...] = key(ListOf(Text()), "Further tags of each annotation.", value=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """One that is told. It has exactly one of `webhook`, `apprise`, `sentry`, `grafana`."""

    webhook: Credential | None = key(
        CredentialKind(), "An address that gets a POST with JSON, or a list with the name of the secret that holds it."
    )
    apprise: Credential | None = key(
        CredentialKind(), "An address of apprise (`slack://…`, `mailto://…`), or a list with the name of its secret."
    )
    sentry: Sentry | None = key(Section(Sentry), "Mark deploys in Sentry.")
    grafana: Grafana | None = key(Section(Grafana), "Mark deploys in Grafana.")
    events: tuple[str, ...] = key(
        ListOf(Text(choices=EVENTS)),
        "Of what it is told: `started`, `needs_approval`, `done`, `failed`, `rolled_back`.",
        default="everything; Sentry of what is done, Grafana of what ended",
        value=(),
    )
    templates: Mapping[str, str] = key(
        MapOf(Text(), check=_check_event), "One's own texts by event, with `{release}` and the like.", value={}
    )
    timeout: int = key(
        Integer(least=1, unit="s"), "Seconds that one message may take.", default=str(LIMIT_S), value=LIMIT_S
    )

    @property
    def kind(self) -> str:
        """Which of the four it is; "" for none."""
        return next((name for name in KINDS if getattr(self, name) is not None), "")

    def credentials(self) -> Iterator[Credential]:
        """Yield what is secret about it."""
        parts = (self.webhook, self.apprise, *(part.token for part in (self.sentry, self.grafana) if part is not None))
        yield from (part for part in parts if part is not None)

    def secrets(self) -> tuple[str, ...]:
        """Return the names of its secrets."""
        return tuple(part.name for part in self.credentials() if isinstance(part, SecretRef))

    def inline(self) -> tuple[Inline, ...]:
        """Return what is secret and stands in the file itself."""
        return tuple(part for part in self.credentials() if isinstance(part, Inline))


KINDS = ("webhook", "apprise", "sentry", "grafana")


def check_notify(notify: Notify, path: Path, report: Report) -> None:
    """Report what is missing, or too much."""
    kinds = [name for name in KINDS if getattr(notify, name) is not None]
    if len(kinds) != 1:
        which = f"has {' and '.join(kinds)}" if kinds else "has none of " + ", ".join(KINDS)
        report.add("value", path, f"{which}; it should have exactly one", next="write a further entry of `notify`")
    sentry, grafana = notify.sentry, notify.grafana
    if sentry is not None and not (sentry.organization and sentry.projects and sentry.token):
        report.add("required", (*path, "sentry"), "needs organization, projects and token")
    if grafana is not None and not (grafana.url and grafana.token):
        report.add("required", (*path, "grafana"), "needs url and token")
    if isinstance(notify.webhook, Inline) and (problem := _check_url(notify.webhook.value)):
        report.add("value", (*path, "webhook"), problem)
    for event, text in notify.templates.items():
        if unknown := [word for word in _PLACE.findall(text) if word not in WORDS]:
            what = f"has {{{unknown[0]}}}, which is none of {', '.join(WORDS)}"
            report.add("value", (*path, "templates", event), what)


def fill(template: str, words: Mapping[str, str]) -> str:
    """Return `template` with its places filled; a place without a word is empty."""
    return _PLACE.sub(lambda found: words.get(found[1], ""), template)
