"""The command `bin/lab`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
from typing import NoReturn

from tests.lab import life
from tests.lab.engine import unusable
from tests.lab.facts import Facts
from tests.lab.places import places
from tests.lab.shell import LabError, say


def main() -> NoReturn:
    """Run one command; status 1 with what to do next when it failed, 130 after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(_run(_parser().parse_args()))
    except LabError as problem:
        print(f"Error: {problem}\nNext:  {problem.next}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(
            "\nInterrupted. The next `bin/lab up` goes on where this one was; `bin/lab down` clears up.",
            file=sys.stderr,
        )
        os._exit(130)  # sys.exit would wait for what runs at the side


def _run(options: argparse.Namespace) -> int:
    where = places()
    if options.verb == "ssh":
        if not where.ssh_config.exists():
            raise LabError("the lab was never up", "bin/lab up 3")
        words = ("ssh", "-F", str(where.ssh_config), options.name, *options.command)
        os.execvp("ssh", words)  # noqa: S606 - no shell is wanted
    if options.verb == "status":
        facts = life.current(where)
        _show(facts, as_json=options.json) if facts else print("The lab is down: bin/lab up 3")
        return 0 if facts else 3
    if options.verb == "env":
        return _exports(life.current(where))
    if options.verb == "check":
        return _check()
    with life.alone(where):
        if options.verb == "down":
            life.down(where, everything=options.all)
            say("The lab is down")
            return 0
        if options.verb == "reset":
            facts = life.reset(where, options.names)
        else:
            facts = life.up(where, options.servers, options.bare)
    say("The lab is up")
    _show(facts, as_json=options.json)
    return 0


def _exports(facts: Facts | None) -> int:
    """Lines for `eval`; a shell that evaluates nothing would go on with the machine's own engine, so say it."""
    if facts is None:
        raise LabError("the lab is down", "bin/lab up 3")
    for name, value in facts.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _check() -> int:
    reason = unusable()
    if reason:
        print(f"{reason[0]} ({reason[1]})")
    return 1 if reason else 0


def _show(facts: Facts, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts.as_json(), indent=2))
        return
    for host in facts.hosts:
        note = "without Docker" if host.bare else "with Docker"
        print(f"{host.name:8} {host.address:15} ssh as {' or '.join(host.users)}, {note}")
    registry = facts.registry
    print(f"registry {registry.server}  user {registry.username}, password {registry.password}")
    print('\nIn the shell that builds and deploys:\n  eval "$(bin/lab env)"')
    for name, value in facts.environment.items():
        print(f"    export {name}={value}")
    first = facts.hosts[0].name
    print(f"\nA server by hand:   bin/lab ssh {first}   or   ssh -F {facts.ssh_config} {first}")
    print("In deploy.yml:      ssh: {config: " + facts.ssh_config + "}")
    print("All new again:      bin/lab reset\nAway with it:       bin/lab down")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/lab", description="Servers for tests on this machine.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="have N servers running, with a registry; builds what it needs")
    up.add_argument("servers", type=int, metavar="N")
    up.add_argument("--bare", type=int, default=0, metavar="M", help="the last M of them without Docker")
    verbs.add_parser("env", help="what an operator's shell exports, for eval")
    down = verbs.add_parser("down", help="remove the servers and end the engine; images are kept")
    down.add_argument("--all", action="store_true", help="remove the images and everything else too")
    verbs.add_parser("check", help="say whether the lab can run here; status 1 if not")
    ssh = verbs.add_parser("ssh", help="log in to a server, or run a command there")
    ssh.add_argument("name")
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    reset = verbs.add_parser("reset", help="make servers anew: those named, or all and the registry")
    reset.add_argument("names", nargs="*", metavar="NAME")
    status = verbs.add_parser("status", help="what runs and how to use it; status 3 when nothing does")
    for verb in (up, reset, status):
        verb.add_argument("--json", action="store_true", help="the same for programs")
    return parser
