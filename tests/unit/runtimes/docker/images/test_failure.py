"""From the output of builders (recorded) to the line of the Dockerfile and an error."""

import pytest

from shipway.core.errors import Exit
from shipway.core.here import HereStep
from shipway.core.ports import Result
from shipway.runtimes.docker.images.failure import failing_line, failure_of
from tests.unit.runtimes.docker.images.specs import spec

DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM python:3.11-slim

RUN apt-get update && \\
    apt-get install -y gcc
COPY . .
RUN make all
"""
BUILDX = """\
#7 0.2 make: *** No rule to make target 'all'.  Stop.
------
 > [4/4] RUN make all:
------
Dockerfile:7
--------------------
   5 |         apt-get install -y gcc
   7 | >>> RUN make all
--------------------
ERROR: failed to solve: process "/bin/sh -c make all" did not complete successfully: exit code: 2
"""
CLIENT = """\
#9 ERROR: executor failed running [/bin/sh -c apt-get update &&     apt-get install -y gcc]: exit code: 100
------
 > [2/4] RUN apt-get update &&     apt-get install -y gcc:
#9 0.302 E: Unable to locate package gcc
------
executor failed running [/bin/sh -c apt-get update &&     apt-get install -y gcc]: exit code: 100
"""
CLASSIC = """\
Step 3/4 : COPY . .
 ---> 1234
Step 4/4 : RUN make all
 ---> Running in 5678
The command '/bin/sh -c make all' returned a non-zero code: 2
"""


@pytest.mark.parametrize(
    ("said", "line"), [(BUILDX, 7), (CLIENT, 4), (CLASSIC, 7), ("ERROR: failed to fetch anything", 0), ("", 0)]
)
def test_the_line_that_failed(said: str, line: int) -> None:
    assert failing_line(said, DOCKERFILE) == line


def test_a_build_that_fails_shows_its_last_lines_and_where() -> None:
    step = HereStep("here/build", "build dhh/app:999", ("docker",))
    said = "\n".join(f"line {n}" for n in range(100)) + "\n" + CLIENT
    error = failure_of(step, Result(1, stderr=said.encode()), spec(), DOCKERFILE)
    assert (error.code, error.exit_code, error.where) == ("build.failed", Exit.REFUSED, "Dockerfile:4")
    assert error.said_lines == len(error.said.splitlines()) == 30
    assert "Unable to locate package gcc" in error.said


@pytest.mark.parametrize(
    ("step", "said", "code", "exit_code"),
    [
        ("login", "401 Unauthorized", "registry.refused", Exit.UNREACHABLE),
        ("push-0", "denied: no", "registry.refused", Exit.UNREACHABLE),
        ("push-1", "connection refused", "registry.unreachable", Exit.UNREACHABLE),
        ("login", "x509: unknown authority", "registry.certificate", Exit.UNREACHABLE),
        ("push-0", "what?", "registry.failed", Exit.UNREACHABLE),
        ("clone", "fatal: not a git repository", "build.no_clone", Exit.REFUSED),
        ("builder", "no such driver", "build.no_builder", Exit.REFUSED),
        ("take", "connection refused", "build.no_delivery", Exit.REFUSED),
        ("build", "write /x: no space left on device", "build.disk_full", Exit.REFUSED),
    ],
)
def test_every_step_has_its_error(step: str, said: str, code: str, exit_code: Exit) -> None:
    error = failure_of(HereStep(f"here/{step}", "do it", ("x",)), Result(1, stderr=said.encode()), spec())
    assert (error.code, error.exit_code) == (code, exit_code)
    assert error.next


def test_a_step_that_hangs() -> None:
    error = failure_of(HereStep("here/build", "build it", ("x",)), Result(124, timed_out=True), spec())
    assert error.code == "build.too_slow"
