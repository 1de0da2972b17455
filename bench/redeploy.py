"""How long a redeploy with an unchanged lock takes on this machine: python bench/redeploy.py [--runs 5]

From the command to the moment at which the old processes have stopped, without visitors, with the time of each stage.
The mark of the project: under 6 s on two cores. Every figure is a median over the runs.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from shipway.app.demo.http import Address
from shipway.app.demo.local_site import LocalSite, Watcher
from shipway.app.demo.workspace import workspace
from shipway.core.errors import Exit
from shipway.core.events import Event

COMMIT_DIGITS = 12
NOBODY = Address("127.0.0.1", 9)


class Stages:
    """How long each stage and each step took, by title without its release."""

    def __init__(self) -> None:
        self.begun_s = 0.0
        self.last_stop_s = 0.0
        self.stages: defaultdict[str, list[float]] = defaultdict(list)
        self.steps: defaultdict[str, list[float]] = defaultdict(list)

    def listen(self, event: Event) -> None:
        words = " ".join(w for w in event.title.split() if not w.startswith("unix//"))
        title = "-".join(part for part in words.split("-") if not (part[:1] == "r" and part[1:].isdigit()))
        title = " ".join(w for w in title.split() if not _varies(w.rstrip(":")))
        if event.kind == "stage.begin":
            self.begun_s = event.at_s
        elif event.kind == "stage.done":
            self.stages[title].append(event.at_s - self.begun_s)
        elif event.kind == "step.done":
            self.steps[title].append(event.took_s)
            if title.startswith("stop "):
                self.last_stop_s = time.monotonic()


def _varies(word: str) -> bool:
    """Whether a word is a release or a commit."""
    return (word[:1] == "r" and word[1:].isdigit()) or (len(word) == COMMIT_DIGITS and word.isalnum())


async def main(runs: int) -> int:
    stages = Stages()

    @contextmanager
    def display() -> Iterator[Watcher]:
        yield stages

    stopped, whole = [], []
    async with workspace() as place:
        site = LocalSite(place.project, NOBODY, display)
        for number in range(runs + 2):  # the first installs, the second is the first with a way back
            if number:
                await asyncio.to_thread(place.project.commit_change, number)
            else:
                await asyncio.to_thread(place.project.commit, "first")
            begun = time.monotonic()
            outcome = await site.deploy_head()
            ended = time.monotonic()
            if outcome.exit is not Exit.OK:
                print(f"deploy {number} failed: {outcome.what}")
                return 1
            if number > 1:
                stopped.append(stages.last_stop_s - begun)
                whole.append(ended - begun)
            else:
                stages.stages.clear()
                stages.steps.clear()
    print(f"from the command to the old processes stopped: {statistics.median(stopped):.2f} s (median of {runs})")
    print(f"to the end of the command, old releases removed: {statistics.median(whole):.2f} s")
    for name, table in (("stage", stages.stages), ("step", stages.steps)):
        print(f"by {name}:")
        for title, values in table.items():
            if len(values) >= runs:
                print(f"  {statistics.median(values):5.2f} s  {title}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    sys.exit(asyncio.run(main(parser.parse_args().runs)))
