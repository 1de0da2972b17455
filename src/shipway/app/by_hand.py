"""A deploy written down, for a person or as a script. The servers are asked what is there, and nothing is changed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shipway.adapters.ssh_settings import SshFiles, SshSettings, options
from shipway.adapters.ssh_user import with_default_user
from shipway.app.build import planned_build
from shipway.app.build_spec import build_spec
from shipway.app.call import Caller, Choice
from shipway.app.consent import judge_deploy
from shipway.app.context import Context, open_context
from shipway.app.transport import ssh_settings_of
from shipway.core.errors import Refused
from shipway.engine.resume import open_run_id
from shipway.planning.by_hand import Around, ByHand, Reach, last_run, plan_by_hand
from shipway.planning.history import next_release
from shipway.planning.takeover import needs_consent
from shipway.runtimes.base import Release
from shipway.runtimes.docker.delivery import is_delivered, nowhere


async def deploy_by_hand(choice: Choice, caller: Caller, *, agreed: bool = False) -> ByHand:
    """Return the deploy of HEAD, or of the version of the choice, to be written down. Nothing is changed.

    `agreed`: its migrations may run. Raises Refused `script.open_run` where a run was cut short, `script.takeover`
    where hosts would be taken over, and what a preview of the deploy raises.
    """
    async with open_context(choice, caller, releases=True) as opened:
        context, image = _with_image(opened)
        here = await planned_build(context.service) if not choice.version else ()
        facts = await context.observe()
        if run := open_run_id(facts.primary.records):
            raise Refused(
                "script.open_run", f"the run {run} was cut short, and what comes after it is not known yet",
                next=f"`shipway resume{choice.options}`",
            )  # fmt: skip
        run, tree = context.new_run(), context.tree
        release = Release(next_release(facts), context.service.release_version, tree.repository, tree.project)
        found = plan_by_hand(context.site, facts, run, release, image=image)
        if needs_consent(found.plan, facts):
            raise Refused(
                "script.takeover", "a release that takes hosts over from Kamal cannot be written down",
                next=f"`shipway deploy{choice.options}` first",
            )  # fmt: skip
        judge = judge_deploy(opened, caller, f"shipway script{choice.options}")
        await judge(facts, found.plan)
        work = str(Path(tempfile.gettempdir()) / f"shipway-{run}")
        around = Around(
            reach={}, layouts=context.layouts, here=here, last_run=last_run(facts.primary.records), agreed=agreed,
            work=work, options=choice.options,
        )  # fmt: skip
        return replace(found, around=_with_ways(context, around))


def _with_image(context: Context) -> tuple[Context, str]:
    """Return the context, and the image that is sent to hosts by hand ("" where they pull it).

    What Shipway does without a registry takes a Shipway on the way; a whole image by `docker save` takes none.
    """
    service = context.service
    if service.config.runtime != "docker":
        return context, ""
    spec = build_spec(service)
    if not is_delivered(spec.registry):
        return context, ""
    basics = {host: replace(known, pull=nowhere(spec.repository)) for host, known in context.basics.items()}
    return replace(context, basics=basics).at_version(service.release_version), spec.image


def _with_ways(context: Context, around: Around) -> Around:
    """Return `around` with the way to each host."""
    hosts = [target.host for target in context.site.targets]
    if context.service.config.transport == "local":
        return replace(around, reach={host: Reach() for host in hosts})
    settings = ssh_settings_of(context.service)
    keys = tuple((name, f"{around.work}/k{number}") for number, name in enumerate(settings.key_secrets))
    config, files = _config_file(settings, around.work)
    found = SshFiles(config, tuple(path for _, path in keys))
    reach: Mapping[str, Reach] = {
        host: Reach((settings.program, *options(with_default_user(settings, host), found))) for host in hosts
    }
    return replace(around, reach=reach, keys=keys, files=files)


def _config_file(settings: SshSettings, work: str) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """Return the configuration that the SSH client reads (None: the user's own), and the file that must be made."""
    match settings.config_files:
        case None:
            return None, ()
        case ():
            return "none", ()
        case (one,):
            return str(Path(one).expanduser().absolute()), ()
        case several:
            text = "".join(f'Include "{Path(file).expanduser().absolute()}"\n' for file in several)
            return f"{work}/config", ((f"{work}/config", text),)
