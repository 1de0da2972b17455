"""How long `shipway inspect` takes for a directory: `python bench/inspect_project.py DIRECTORY [ROUNDS]`.

The first round reads from the disk, the others from the page cache. Wall and processor time, in seconds.
"""

import sys
import time
from pathlib import Path

# This file has the name of a module of the standard library; its directory must not come first.
sys.path.pop(0)

from shipway.adapters.tree import DirectoryTree
from shipway.django.facts import inspect_project


def main(directory: str, rounds: int) -> None:
    for number in range(1, rounds + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        tree = DirectoryTree(Path(directory))
        found = inspect_project(tree)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        known = sum(fact.is_known for fact in found.facts.values())
        print(f"{number}: {wall:.2f} s, processor {cpu:.2f} s; {len(tree.paths)} files, {known} facts known")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)
