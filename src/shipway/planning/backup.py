"""The backup before a release migrates: where, of what, and when one is made."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.core.step import Plan, Step
from shipway.planning.migrate import Decided, migration_unit
from shipway.planning.site import Site
from shipway.runtimes.backup import Dump, Keeping, accessory_dump, backup_command

STEP = "back-up"


def backup_steps(site: Site, plan: Plan, decided: Decided) -> Iterator[Step]:
    """Yield the step that backs up before the migrations that were decided, where one is asked for.

    It comes before the first of them, and before the point after which nothing is taken back: a backup that fails ends
    the deploy with nothing changed. It has no undo: what was backed up stays.
    """
    spec = site.backup
    if spec is None or not (decided.before or decided.after or decided.window):
        return
    if spec.when == "risky" and not decided.is_risky:
        return
    unit = migration_unit(site, plan.release, plan.version)
    if unit is None:
        return
    host = spec.host or unit.host
    layout = site.targets[0].layout if spec.host else site.target(unit.host).layout
    dump = accessory_dump(spec.container, spec.server)
    if spec.command:
        dump = Dump(site.target(unit.host).runtime.one_off(unit, ("sh", "-c", spec.command)).argv)
    keeping = Keeping(layout, plan.run, f"{plan.run}-before-{plan.release}", spec.keep, spec.limit_s)
    what = f"with `{spec.command}`" if spec.command else f"of {spec.container}"
    yield Step(
        id=f"{host}/{STEP}",
        title=f"back up the database {what}",
        host=host,
        do=(backup_command(dump, keeping),),
        repeatable=True,
        harmless=True,
    )
