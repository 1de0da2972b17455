"""The answers of the verbs as text."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.app.answers import AuditRow, HostStatus, ReleaseRow, Report, Serving, Status
from shipway.cli.render.tables import fields, table
from shipway.cli.render.text import Paint, duration, harmless

_OUTCOMES = {
    "done": ("green", "✓ done"),
    "undone": ("yellow", "↩ failed and taken back"),
    "mixed": ("red", "✗ failed, the hosts differ"),
    "held": ("yellow", "‖ held: a check failed, and a person decides"),
    "nothing": ("green", "✓ nothing to do"),
}
_GIB = 1024**3
_COLUMN = 40


def render_report(report: Report, paint: Paint) -> str:
    """Return how a run ended, what serves now, and where the time went."""
    colour, word = _OUTCOMES.get(report.outcome, ("yellow", report.outcome))
    subject = "" if report.verb == "maintenance" else f" {report.release}"
    head = f"{paint(colour, word)}: {report.verb}{subject}".rstrip() + (
        f" ({report.version[:7]})" if report.version else ""
    )
    lines = [head + (f" in {duration(report.took_s)}" if report.took_s else "")]
    lines += [f"  note   {harmless(note)}" for note in report.notes]
    lines += [f"  serves {line}" for line in _serving_lines(report.serving)]
    if report.stages:
        lines += ["", *_stage_lines(report)]
    if report.next:
        lines += ["", f"next  {report.next}"]
    return "\n".join(lines)


def _serving_lines(serving: Sequence[Serving]) -> list[str]:
    by_host: dict[str, list[str]] = {}
    for unit in serving:
        by_host.setdefault(unit.host, []).append(f"{unit.role} {unit.release}")
    width = max((len(host) for host in by_host), default=0)
    return [f"{host.ljust(width)}  {', '.join(units)}" for host, units in by_host.items()]


def _stage_lines(report: Report) -> list[str]:
    rows = [(stage.title, duration(stage.took_s)) for stage in report.stages]
    width = max(len(title) for title, _ in rows)
    lines = [f"  {title.ljust(width)}  {took:>10}" for title, took in rows]
    start_s = sum(stage.start_s for stage in report.stages)
    if start_s:
        lines.append(f"  {'of which the application was starting'.ljust(width)}  {duration(start_s):>10}")
    return lines


def render_status(status: Status, paint: Paint) -> str:
    """Return what serves on each host, and what a person should know before the next run."""
    serving = f"{status.release} ({status.version[:7]})" if status.version else status.release
    top = fields(
        [
            ("service", status.service),
            ("destination", status.destination),
            ("serves", serving or "nothing yet"),
            ("lock", status.lock),
            ("hold", status.hold),
            ("open run", status.open_run),
            ("missing", ", ".join(status.missing)),
        ]
    )
    rows = [row for host in status.hosts for row in _host_rows(host)]
    return top + "\n\n" + table(("HOST", "ROLE", "RELEASE", "TRAFFIC", "HOST IS"), rows, paint)


def _host_rows(host: HostStatus) -> list[tuple[str, str, str, str, str]]:
    if host.error:
        return [(host.host, "-", "-", "-", f"unreachable: {host.error}")]
    state = ", ".join(_host_state(host))
    if not host.units:
        return [(host.host, "-", "-", "-", state)]
    return [
        (host.host, unit.role, unit.release, "live" if unit.is_live else "-", state if number == 0 else "")
        for number, unit in enumerate(host.units)
    ]


def _host_state(host: HostStatus) -> list[str]:
    found = []
    if host.is_in_maintenance:
        found.append("in maintenance")
    if not (host.units or host.kept or host.is_keeper_up):
        found.append("new: nothing was deployed to it")
    else:
        found += [] if host.is_keeper_up else ["process keeper down"]
        found += [] if host.is_proxy_up or not host.has_proxy else ["proxy down"]
    if host.free_bytes >= 0:
        found.append(f"{host.free_bytes / _GIB:.1f} GiB free")
    return found


def render_releases(rows: Sequence[ReleaseRow], paint: Paint) -> str:
    """Return releases as a table, in the order given."""
    if not rows:
        return "nothing was released yet"
    cells = [
        (
            ("→ " if row.is_serving else "  ") + row.release,
            row.version[:7],
            row.at,
            row.who,
            duration(row.took_s) if row.took_s else "",
            _short(row.migrations) or "-",
            row.verified or "-",
            row.outcome or ("never ended" if row.at else "not recorded"),
            ", ".join(row.kept_on) or "nowhere",
        )
        for row in rows
    ]
    headings = ("RELEASE", "VERSION", "AT", "BY", "TOOK", "MIGRATIONS", "VERIFIED", "OUTCOME", "KEPT ON")
    return table(headings, cells, paint)


def _short(text: str) -> str:
    """Return names that fit into a column; `--json` and `shipway report` have all of them."""
    return text if len(text) <= _COLUMN else text[: _COLUMN - 2].rstrip(", ") + " …"


def render_audit(rows: Sequence[AuditRow], paint: Paint) -> str:
    """Return runs and notes as a table, in the order given."""
    if not rows:
        return "nothing is recorded yet"
    cells = [
        (row.at, row.who, row.origin, row.what, row.outcome, duration(row.took_s) if row.took_s else "", row.note)
        for row in rows
    ]
    return table(("AT", "BY", "FROM", "WHAT", "OUTCOME", "TOOK", "NOTE"), cells, paint)
