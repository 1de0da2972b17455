"""A deploy as one POSIX shell script that needs nothing of ours: the same steps, undos, ledger lines and lock."""

from __future__ import annotations

import base64
import gzip
import re
import shlex
import textwrap
from collections.abc import Iterator

from shipway.core.errors import ConfigError
from shipway.core.here import HereStep
from shipway.core.plan_codec import plan_to_json
from shipway.core.record import Record, RecordKind
from shipway.core.step import Plan, Step
from shipway.core.upkeep import WHEN_WRITTEN
from shipway.planning.by_hand import ByHand
from shipway.planning.script_setting import setting
from shipway.planning.shell_text import LIBRARY, WIDTH, Texts, call, calls, comment

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = ("MIGRATE",)


def render_script(by_hand: ByHand) -> str:
    """Return the script. Raises ConfigError `script.secret_name` for a secret that no variable of a shell can hold."""
    for name in by_hand.secrets():
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise ConfigError(
                "script.secret_name", f"the secret `{name}` has a name that no variable of a script can have",
                where=".kamal/secrets", next="give it another name: letters, digits and underscores",
            )  # fmt: skip
    texts = Texts()
    steps = list(_steps(by_hand, texts))
    here = list(_here(by_hand, texts))
    question = list(_question(by_hand))
    lines = [
        *_head(by_hand),
        *setting(by_hand),
        *here,
        *question,
        *steps,
        *_main(by_hand),
        *LIBRARY.splitlines(),
        "",
        "# ── The lines of the ledger, the stored plans, and what is sent to hosts " + "─" * 44,
        "",
        *_records(by_hand),
        *texts.source(),
        'main "$@"',
    ]
    return "\n".join(lines) + "\n"


def _head(by_hand: ByHand) -> Iterator[str]:
    plan, options = by_hand.plan, by_hand.around.options
    version = f" (version {plan.version})" if plan.version else ""
    names = "".join(f"{name}=… " for name in by_hand.secrets())
    yield "#!/bin/sh"
    yield from comment(
        f"Deploys {plan.service} {plan.release}{version} {_over(plan)}: the plan of `shipway deploy{options}`, written"
        f" down by `shipway script{options}`. It runs without Shipway.\n"
        "\n"
        f"  {names}sh this-script        with MIGRATE=yes when its migrations may run\n"
        "\n"
        "It stops at the first failure. Before the commit everything is then taken back, in reverse, also after Ctrl-C;"
        " after it the new release stays. It holds the lock of `shipway deploy` and writes the same ledger, so `shipway"
        " status`, `releases`, `rollback` and `resume` know what it did. Steps that Shipway runs side by side run one"
        " after the other here. Hooks are not run, and nothing is taken out of what programs print.\n"
        "\n"
        "Exit: 0 done, 4 refused, 5 a host does not answer, 6 locked (nothing was changed), 10 taken back, 11 not"
        " finished (it says what stands), 130 interrupted before any change."
    )
    yield "#"
    yield "# shellcheck disable=SC2016 # `$` within single quotes is for the shell of a host"
    yield "# shellcheck disable=SC2034,SC2317,SC2329 # steps are called by their numbers, and set what others read"
    yield "set -eu"
    yield ""


def _over(plan: Plan) -> str:
    return f"over {plan.base}" if plan.base else "as the first release"


def _here(by_hand: ByHand, texts: Texts) -> Iterator[str]:
    for number, step in enumerate(by_hand.here_steps(), 1):
        yield from comment(f"On this machine, {number}: {step.title}")
        yield f"here_check_{number}() {{ {shlex.join(step.done) + ' </dev/null' if step.done else 'return 1'}; }}"
        yield f"here_{number}() ("
        yield from (f"  {line}" for line in _here_lines(step, texts))
        yield ")"
        yield ""


def _here_lines(step: HereStep, texts: Texts) -> Iterator[str]:
    if step.directory:
        yield f"cd -- {shlex.quote(step.directory)} &&"
    for name, text in step.env:
        yield f"{name}=$({texts.name(text)} && printf x) && {name}=${{{name}%x}} && export {name} &&"
    given = f"{texts.name(step.stdin)} | " if step.stdin else ""
    yield f"{given}{shlex.join(step.argv)}" + ("" if step.stdin else " </dev/null")


def _question(by_hand: ByHand) -> Iterator[str]:
    found, plan = by_hand.question, by_hand.plan
    if found is None:
        return
    base = plan.base or "the old release"
    yield from comment(
        "The gate. `shipway deploy` asks the release for its migrations and decides: which run before the switch"
        f" because {base} lives with them, which only when {base} is gone, which need an approval or a closed site,"
        " and which it refuses. A script cannot decide that: it shows what is pending, and runs all of it before"
        f" {plan.release} starts if MIGRATE=yes says that {base} goes on working meanwhile. `shipway migrations` tells."
    )
    check, show = call(found.host, found.check, Texts()), call(found.host, found.show, Texts())
    yield "ask_migrations() {"
    yield f"  if {check} >/dev/null 2>&1; then"
    yield "    say '  no migration is pending'"
    yield "    return 0"
    yield "  fi"
    yield f"  {show} >&2 || fail {shlex.quote(f'{plan.release} could not be asked for its migrations')}"
    yield '  [ "$MIGRATE" != yes ] || return 0'
    yield "  verdict=4"
    yield f"  fail {shlex.quote(f'{plan.release} has migrations; MIGRATE=yes runs them while {base} serves')}"
    yield from ("}", "")


def _steps(by_hand: ByHand, texts: Texts) -> Iterator[str]:
    for number, step in enumerate(by_hand.plan.steps(), 1):
        yield from comment(f"Step {number} on {step.host}: {step.title}")
        has = " ".join(word for word, is_there in (("check", step.done), ("undo", step.undo)) if is_there)
        about = {"host": step.host, "id": _json_inside(step.id), "title": step.title, "has": has}
        yield f"about_{number}() {{ {' '.join(f'{k}={shlex.quote(v)}' for k, v in about.items())}; }}"
        if step.done is not None:
            yield f"check_{number}() {{ {call(step.host, step.done, texts)}; }}"
        yield from (f"do_{number}() {{", *calls(step.host, step.do, texts), "}")
        if step.undo:
            yield from (f"undo_{number}() {{", *calls(step.host, step.undo, texts), "}")
        yield ""


def _json_inside(text: str) -> str:
    """Return `text` as it stands within the quotes of a JSON string."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _main(by_hand: ByHand) -> Iterator[str]:
    plan, first = by_hand.plan, len(by_hand.first.stages)
    yield from ("main() {", "  ready", '  [ "$#" = 0 ] || refuse "this script takes no arguments"', "  take_secrets")
    yield from ("  open_work", "  connect")
    number = 0
    for one in by_hand.around.here:
        yield f"  stage {shlex.quote(f'On this machine: {one.title}')}"
        for built in (step for track in one.tracks for step in track):
            number += 1
            yield f"  here {number} {shlex.quote(built.title)}"
    yield from ("  lock", "  settled", "  begin")
    number = 0
    for index, stage in enumerate(plan.stages):
        if index == first:
            yield from _second_part(by_hand)
        yield f"  stage {shlex.quote(f'{index + 1} of {len(plan.stages)}: {stage.title}')}"
        for track in stage.tracks:
            for step in track:
                number += 1
                yield f"  step {number}{_named(step)}"
        if stage.commits:
            yield f"  commit {index}"
    if first == len(plan.stages):
        yield from _second_part(by_hand)
    yield '  ended "done" || fail "could not write the ledger on $primary"'
    yield "  phase=ended"
    yield f"  say {shlex.quote(f'{plan.release} serves')}"
    yield from ("}", "")


def _named(step: Step) -> str:
    return f" # {''.join(c if c.isprintable() else '?' for c in step.title)}"


def _second_part(by_hand: ByHand) -> Iterator[str]:
    if by_hand.question is not None:
        yield f"  stage {shlex.quote(f'Ask {by_hand.plan.release} for its migrations')}"
        yield "  ask_migrations"
    yield "  go_on"


def _records(by_hand: ByHand) -> Iterator[str]:
    plan = by_hand.plan
    about = {"verb": plan.verb, "release": plan.release, "version": plan.version, "base": plan.base}
    begin = about | {"service": plan.service, "who": "@who@", "from": "@from@", "script": plan.run}
    lines: dict[str, tuple[RecordKind, dict[str, str | int | float]]] = {
        "begin": ("run.begin", {**begin, "note": "by a written script"}),
        "extended": ("run.extended", {"before": "by manage.py migrate"}),
        "unwinding": ("run.unwinding", {"why": "the script failed, or was stopped"}),
        "end": ("run.end", {"outcome": "@outcome@", "took_s": 0, **about}),
    }
    for name, (kind, detail) in lines.items():
        line = Record(kind=kind, run=plan.run, at=WHEN_WRITTEN, detail=detail).to_line()
        yield f"text_{name}() {{ printf '%s\\n' {shlex.quote(line)}; }}"
    yield ""
    for name, stored in (("plan_first", by_hand.first), ("plan", plan)):
        packed = base64.b64encode(gzip.compress(plan_to_json(stored).encode(), mtime=0)).decode()
        yield from (f"text_{name}() {{", "cat <<'END_OF_TEXT'", *textwrap.wrap(packed, WIDTH), "END_OF_TEXT", "}", "")
