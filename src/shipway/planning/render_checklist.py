"""A deploy as a checklist in Markdown: for whoever releases by hand, or wants to read what a release does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from shipway.core.action import UPLOAD_SCRIPT, Action, Pipe, lower
from shipway.core.record import Record
from shipway.core.step import Stage, Step
from shipway.core.upkeep import APPEND_SCRIPT, RELEASE_SCRIPT, TAKE_SCRIPT
from shipway.planning.by_hand import ByHand
from shipway.planning.shell_text import Texts, library_function, upload_words

_FENCE = re.compile(r"^`{3,}", re.MULTILINE)


def render_checklist(by_hand: ByHand) -> str:
    """Return the checklist. Its commands can be pasted in their order into one POSIX shell."""
    written = _Checklist(by_hand)
    return "\n".join(written.lines()) + "\n"


class _Checklist:
    def __init__(self, by_hand: ByHand) -> None:
        self._by_hand, self._plan, self._around = by_hand, by_hand.plan, by_hand.around
        self._texts = Texts()
        self._shell = {host: f"on_{number}" for number, host in enumerate(self._plan.hosts(), 1)}

    def lines(self) -> Iterator[str]:
        plan = self._plan
        body = [*self._here(), *self._stages(), *self._after()]  # first: it finds the texts
        version = f", version `{plan.version}`" if plan.version else ""
        yield f"# Release {plan.release} of {plan.service}{version}"
        yield ""
        over = f"{plan.base} serves, and {plan.release} takes its place." if plan.base else "Nothing serves yet."
        yield (
            f"{over} This is the plan of `shipway deploy{self._around.options}`, written down by `shipway"
            f" checklist{self._around.options}`; it is good until the next change of the servers. All commands are for"
            " one shell (`sh`) on your machine, in their order. **Expected** is always: no error message and the exit"
            " status 0, which `echo $?` shows. Anything else is a failure: go to *If a step fails*."
        )
        yield ""
        yield from self._before()
        yield from body
        yield from self._failing()

    def _before(self) -> Iterator[str]:
        plan, names = self._plan, self._by_hand.secrets()
        yield "## Before you begin"
        yield ""
        yield "- [ ] The new commit is tested, and somebody who can decide knows that you release now."
        if names:
            yield f"- [ ] The secrets are known to this shell, and to no file: {', '.join(f'`{n}`' for n in names)}."
            yield from _block([f"stty -echo; printf '{n}: '; IFS= read -r secret_{n}; stty echo" for n in names])
        yield "- [ ] This shell knows the hosts and the texts that are sent to them:"
        yield from _block([*self._functions(), *self._texts.source()])
        layout, who = self._around.layouts[plan.primary], '{"who":"%s","since":"%s","from":"%s","run":"","token":"%s",'
        lock = who + '"message":"a release by hand","manual":true,"process":""}\\n'
        take = self._on(plan.primary, shlex.join(("sh", "-c", TAKE_SCRIPT, "sh", layout.lock, plan.run)))
        yield "- [ ] Nobody else releases: take the lock of `shipway deploy`. A failure means that somebody has it."
        printed = f'printf {shlex.quote(lock)} "$(id -un)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(uname -n)" {plan.run}'
        yield from _block([f"{printed} | {take}"])

    def _functions(self) -> Iterator[str]:
        for host, name in self._shell.items():
            ssh = self._around.reach[host].ssh
            way = f'{shlex.join(ssh)} -- {shlex.quote(host)} "$1"' if ssh else 'sh -c "$1"'
            yield f"{name}() {{ {way}; }} # {host}"
        yield f'put() {{ "$1" {shlex.quote(shlex.join(("sh", "-c", UPLOAD_SCRIPT, "sh")))}" $2"; }}'
        for secret, path in self._around.keys:
            yield f"mkdir -m 700 -p {shlex.quote(self._around.work)}"
            yield f"(umask 077; printf '%s\\n' \"$secret_{secret}\" >{shlex.quote(path)})"
        for path, text in self._around.files:
            yield f"mkdir -m 700 -p {shlex.quote(self._around.work)}"
            yield f"printf %s {shlex.quote(text)} >{shlex.quote(path)}"
        if self._by_hand.secrets():
            yield from library_function("secret_raw", "secret_shell", "secret_json")

    def _here(self) -> Iterator[str]:
        for one in self._around.here:
            yield f"## On your machine: {one.title}"
            yield ""
            for step in (step for track in one.tracks for step in track):
                yield f"- [ ] {_plain(step.title)}"
                if step.done:
                    yield "  It is not needed when this ends with the exit status 0:"
                    yield from _block([shlex.join(step.done)])
                lines = [f"cd -- {shlex.quote(step.directory)} &&"] if step.directory else []
                lines += [f'{name}="$({self._texts.name(text)})" && export {name} &&' for name, text in step.env]
                given = f"{self._texts.name(step.stdin)} | " if step.stdin else ""
                yield from _block(["(", *(f"  {line}" for line in [*lines, given + shlex.join(step.argv)]), ")"])

    def _stages(self) -> Iterator[str]:
        plan, number = self._plan, 0
        for index, stage in enumerate(plan.stages):
            is_asked = index == len(self._by_hand.first.stages)
            if is_asked:
                yield from self._question()
            yield f"## Stage {index + 1} of {len(plan.stages)}: {_plain(stage.title)}"
            yield ""
            for step in (step for track in stage.tracks for step in track):
                number += 1
                yield from self._step(number, step, is_back=index <= plan.commit_index())
            yield from self._end_of(stage, index)

    def _step(self, number: int, step: Step, *, is_back: bool) -> Iterator[str]:
        yield f"### Step {number} on {step.host}: {_plain(step.title)}"
        yield ""
        if step.done is not None:
            yield "- [ ] Look: with the exit status 0 it is true already; leave it out then, and when taking back."
            yield from _block([self._call(step.host, step.done)])
        yield "- [ ] Do it:"
        yield from _block(self._calls(step.host, step.do))
        if step.done is not None:
            yield "- [ ] Verify: the first command again; now its exit status is 0."
        else:
            yield "- [ ] Verify: every command ended with the exit status 0. Doing this step again does no harm."
        yield ""
        if step.undo and is_back:
            yield "To take it back:"
            yield from _block(self._calls(step.host, step.undo))
        elif step.harmless:
            yield "To take it back: nothing; what it leaves hurts nobody."
            yield ""
        elif step.undo:
            yield "After the commit it is not taken back."
            yield ""

    def _question(self) -> Iterator[str]:
        found, plan = self._by_hand.question, self._plan
        if found is None:
            return
        base = plan.base or "what serves"
        yield "## Decide: the migrations"
        yield ""
        yield (
            f"`shipway deploy` asks {plan.release} now and decides for each migration: it runs before the switch, since"
            f" {base} lives with it, or at the end, or not at all. You decide it here."
            " `shipway migrations` helps."
        )
        yield ""
        yield "- [ ] Is anything pending? With the exit status 0 nothing is."
        yield from _block([self._call(found.host, found.check)])
        yield "- [ ] What is it?"
        yield from _block([self._call(found.host, found.show)])
        yield f"- [ ] {base} works on the database as it will be: no table or column that its code names is dropped or"
        yield "  renamed, no column becomes required without a default, and no lock stops visitors for long. If it does"
        yield "  not: stop here, take back, and release it in phases."
        yield ""

    def _end_of(self, stage: Stage, index: int) -> Iterator[str]:
        plan = self._plan
        base = f"{plan.base} serves as before" if plan.base else "nothing serves, as before"
        switched = any("/switch-" in step.id for one in plan.stages[: index + 1] for t in one.tracks for step in t)
        if stage.commits:
            yield f"**The point of no return.** {plan.release} serves and stays. Nothing above is taken back"
            yield f"any more; the way back from here is `shipway rollback{self._around.options}`, not an undo."
        elif index > plan.commit_index():
            yield f"**You may stop here**, not for long: {plan.release} serves; the stages that are left tidy up."
        elif switched:
            yield f"**Do not stop here**: visitors are with {plan.release} already. Go on, or take back."
        else:
            yield f"**You may stop here**: {base}. Take back the steps above, the last one first, if you give up."
        yield ""

    def _after(self) -> Iterator[str]:
        plan = self._plan
        layout = self._around.layouts[plan.primary]
        about = {"verb": plan.verb, "release": plan.release, "version": plan.version, "base": plan.base}
        begin = Record("run.begin", plan.run, "now", detail={**about, "service": plan.service, "note": "by hand"})
        end = Record("run.end", plan.run, "now", detail={"outcome": "done", "took_s": 0, **about})
        yield "## When all is done"
        yield ""
        yield "- [ ] Look at the site as a visitor (`shipway verify` does), and at its errors for some minutes."
        yield "- [ ] Write it down, so that `shipway status`, `releases` and `rollback` know:"
        words = shlex.join(("sh", "-c", APPEND_SCRIPT, "sh", layout.ledger))
        lines = " ".join(shlex.quote(one.to_line()) for one in (begin, end))
        yield from _block([f"printf '%s\\n' {lines} | {self._on(plan.primary, words)}"])
        yield from self._unlock()

    def _unlock(self) -> Iterator[str]:
        layout = self._around.layouts[self._plan.primary]
        yield "- [ ] Release the lock:"
        words = shlex.join(("sh", "-c", RELEASE_SCRIPT, "sh", layout.lock, self._plan.run))
        yield from _block([self._on(self._plan.primary, words)])

    def _failing(self) -> Iterator[str]:
        plan = self._plan
        yield "## If a step fails"
        yield ""
        yield "1. Do not begin another step. Keep what the command printed."
        yield "2. Before the point of no return: take back the step that failed and every step above it that you did,"
        yield f"   the last one first, with *To take it back*. {f'{plan.base} serves.' if plan.base else ''}".rstrip()
        yield "   Where taking back fails, leave what stands above it on that host alone, and get help."
        yield f"3. After it: {plan.release} serves. Find out why, do the step again, and go on to the end."
        yield "4. Migrations are not taken back."
        yield ""
        yield from self._unlock()

    def _calls(self, host: str, actions: Sequence[Action]) -> list[str]:
        calls = [self._call(host, action) for action in actions]
        return [f"{one}{' &&' if number < len(calls) else ''}" for number, one in enumerate(calls, 1)]

    def _call(self, host: str, action: Action) -> str:
        if isinstance(action, Pipe):
            return f"{action.source.shell()} | {self._on(host, action.sink.shell())}"
        command = lower(action)
        if words := upload_words(command):
            return f"{self._texts.name(command.stdin)} | put {self._shell[host]} {shlex.quote(words)}"
        given = f"{self._texts.name(command.stdin)} | " if command.stdin else ""
        return f"{given}{self._on(host, command.shell())}" + ("" if command.stdin else " </dev/null")

    def _on(self, host: str, line: str) -> str:
        return f"{self._shell[host]} {shlex.quote(line)}"


def _plain(text: str) -> str:
    """Return `text` on one line, with nothing in it that Markdown would take for a mark."""
    return re.sub(r"([\\`*_<>\[\]|#])", r"\\\1", " ".join(text.split()))


def _block(lines: Sequence[str]) -> Iterator[str]:
    text = "\n".join(lines).rstrip("\n")
    longest = max((len(found) for found in _FENCE.findall(text)), default=2)
    fence = "`" * max(3, longest + 1)
    yield from ("", f"{fence}sh", text, fence, "")
