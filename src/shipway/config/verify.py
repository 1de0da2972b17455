"""`verify`: what must be true after a deploy, from outside and from inside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shipway.config.keys import ListOf, MapOf, OneOf, Section, key
from shipway.config.kinds import Boolean, Integer, Kind, Plain, Text
from shipway.config.report import Report
from shipway.config.tree import Path, ScalarValue
from shipway.config.verify_inside import (
    CacheCheck,
    DatabaseCheck,
    EmailCheck,
    LogsCheck,
    RestartsCheck,
    SchedulerCheck,
    SecureCheck,
    StorageCheck,
    WorkersCheck,
)
from shipway.config.verify_keys import MOST_RETRIES, CheckKeys, switched

_LEAST_STATUS, _MOST_STATUS = 100, 599
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


def _check_path(text: str) -> str:
    is_path = text.startswith("/") and not text.startswith("//") and text.isprintable() and " " not in text
    return "" if is_path else f"should be a path such as /shop/, not `{text}`"


def _check_header(name: str) -> str:
    return "" if _HEADER.fullmatch(name) else "a header's name has letters, digits and `-`"


_PATH = Text(check=_check_path)
_STATUS = Integer(least=_LEAST_STATUS, most=_MOST_STATUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck(CheckKeys):
    """A page, and what its answer must be."""

    path: str = key(_PATH, "The path that is asked for, with its query.", default="`/`", value="/")
    name: str | None = key(Text(), "What it is called in answers.", default="its path")
    site: str | None = key(Text(), "The name of the site, where it has several.", default="the first of `proxy/host`")
    status: int | tuple[int, ...] | None = key(
        OneOf((_STATUS, ListOf(_STATUS))), "The status, or those that are right.", default="200"
    )
    text: str | None = key(Text(), "A text that the page must have.")
    without: str | None = key(Text(), "A text that the page must not have.")
    json: Mapping[str, ScalarValue] | None = key(
        MapOf(Plain()), "Values in a JSON answer, by their way in it: `database.ok: true`, `items.0.id: 7`."
    )
    headers: Mapping[str, str] | None = key(
        MapOf(Text(), check=_check_header), "Texts that response headers must have in them, by the header's name."
    )
    redirects: tuple[str, ...] | None = key(
        ListOf(Text()), "The chain of redirects that leads to the answer, each a path or a URL.", default="none"
    )
    within_ms: int | None = key(Integer(least=1, unit="ms"), "The longest time that the answer may take.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateCheck(CheckKeys):
    """The certificate is trusted, right for the name, and does not end soon."""

    days: int = key(Integer(least=0, unit="days"), "Days that it must be good for at least.", default="14", value=14)
    ca: str | None = key(
        Text(),
        "A file of the project with the certificates (PEM) that it is trusted by.",
        default="`proxy/acme/ca_root`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCheck(CheckKeys):
    """What answers is the release that was deployed."""

    header: str = key(
        Text(),
        "The response header in which the application tells its release (the variable SHIPWAY_RELEASE).",
        default="`X-Release`; where there is none, it is enough that the application answers and not the proxy",
        value="X-Release",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HstsCheck(CheckKeys):
    """Browsers are told to use HTTPS only."""

    seconds: int = key(Integer(least=1, unit="s"), "The least max-age.", default="3600", value=3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCheck(CheckKeys):
    """Something about pages of the site."""

    paths: tuple[str, ...] = key(ListOf(_PATH), "The pages that are looked at.", default="`/`", value=("/",))


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticCheck(PageCheck):
    """The files that pages refer to load, with the right type."""

    cache: int | None = key(
        Integer(least=1, unit="s"),
        "How long browsers must be allowed to keep a file whose name has a hash, in seconds.",
        default="any time",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One page of a flow, or one form sent."""

    open: str | None = key(_PATH, "A page that is opened.")
    submit: str | None = key(
        Text(), "A form of the page before that is sent: its id, name or action; `true`: the first."
    )
    fields: Mapping[str, ScalarValue] | None = key(MapOf(Plain()), "Values of the form's fields.")
    secret: Mapping[str, str] | None = key(MapOf(Text()), "Fields whose values are secrets, by the secret's name.")
    text: str | None = key(Text(), "A text that the page must have then.")
    without: str | None = key(Text(), "A text that the page must not have then.")
    status: int | None = key(_STATUS, "The status that the page must have then.", default="200")
    path: str | None = key(_PATH, "The path to which redirects must have led.")


def _check_step(step: FlowStep, path: Path, report: Report) -> None:
    if (step.open is None) == (step.submit is None):
        report.add("value", path, "should have one of `open` and `submit`", next="write `open: /login/`")
    if step.submit is None and (step.fields or step.secret):
        report.add("value", path, "`fields` and `secret` belong to `submit`", next="write `submit: true` beside them")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCheck(CheckKeys):
    """A chain of pages and forms in one session, as a visitor goes through them."""

    name: str = key(Text(), "What it is called in answers.", default="`flow`", value="flow")
    site: str | None = key(Text(), "The name of the site, where it has several.", default="the first of `proxy/host`")
    steps: tuple[FlowStep, ...] = key(ListOf(Section(FlowStep, check=_check_step)), "What is done.", value=())


def _check_flow(flow: FlowCheck, path: Path, report: Report) -> None:
    if not flow.steps:
        report.add("required", path, "a flow has no steps", next="write `steps:` with `- open: /`")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySection:
    """What must be true after a deploy. What the file does not name is the default set, unless `defaults: false`."""

    defaults: bool = key(Boolean(), "Whether checks run that the file does not name.", default="true", value=True)
    timeout: int = key(
        Integer(least=1, unit="s"),
        "Seconds that one request of a check, or one question, may take.",
        default="10",
        value=10,
    )
    retries: int = key(
        Integer(least=0, most=MOST_RETRIES), "How often a check that failed is tried again.", default="2", value=2
    )
    http: tuple[HttpCheck, ...] = key(ListOf(Section(HttpCheck)), "Pages, and what their answers must be.", value=())
    pages: PageCheck | bool | None = key(switched(PageCheck), "Pages answer, and not with a server error.")
    release: ReleaseCheck | bool | None = key(switched(ReleaseCheck), "What answers is the release that was deployed.")
    certificate: CertificateCheck | bool | None = key(
        switched(CertificateCheck), "The certificate is trusted, right for the name, and does not end soon."
    )
    redirect: CheckKeys | bool | None = key(switched(CheckKeys), "HTTP leads to HTTPS.")
    hsts: HstsCheck | bool | None = key(switched(HstsCheck), "Browsers are told to use HTTPS only.", default="false")
    cookies: PageCheck | bool | None = key(switched(PageCheck), "Cookies of an HTTPS site are marked Secure.")
    wrong_host: CheckKeys | bool | None = key(switched(CheckKeys), "A request with a foreign Host is not answered.")
    debug: CheckKeys | bool | None = key(switched(CheckKeys), "There is no debug page of Django.")
    static: StaticCheck | bool | None = key(
        switched(StaticCheck), "Stylesheets, scripts and images of pages load, with the right type."
    )
    media: CheckKeys | bool | None = key(
        switched(CheckKeys), "A file written by the application's storage is served by its URL, and removed again."
    )
    flows: tuple[FlowCheck, ...] = key(
        ListOf(Section(FlowCheck, check=_check_flow)), "Chains of pages and forms: a login, an order.", value=()
    )
    database: DatabaseCheck | bool | None = key(switched(DatabaseCheck), "The databases can be read and written.")
    cache: CacheCheck | bool | None = key(switched(CacheCheck), "The caches give back what they got.")
    email: EmailCheck | bool | None = key(switched(EmailCheck), "The mail server lets the application in.")
    storage: StorageCheck | bool | None = key(switched(StorageCheck), "The default storage keeps a file.")
    secure: SecureCheck | bool | None = key(switched(SecureCheck), "Django sees HTTPS where the client used it.")
    workers: WorkersCheck | bool | None = key(switched(WorkersCheck), "Workers are alive and do their tasks.")
    scheduler: SchedulerCheck | bool | None = key(switched(SchedulerCheck), "Exactly one scheduler runs.")
    logs: LogsCheck | bool | None = key(switched(LogsCheck), "The logs have no new errors since the start.")
    restarts: RestartsCheck | bool | None = key(switched(RestartsCheck), "No process had to be started again.")


VERIFY: Kind = OneOf((Boolean(), Section(VerifySection)))


def resolve_verify(written: VerifySection | bool | None) -> VerifySection | None:  # noqa: FBT001  a value of the file
    """Return the section; None where nothing is to be verified (`verify: false`)."""
    if isinstance(written, VerifySection):
        return written
    return None if written is False else VerifySection()


def secrets_of(section: VerifySection | None) -> tuple[str, ...]:
    """Return the names of the secrets that flows send, each once."""
    steps = (step for flow in (section.flows if section else ()) for step in flow.steps)
    return tuple(dict.fromkeys(name for step in steps for name in (step.secret or {}).values()))
