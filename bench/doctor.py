"""How long `shipway doctor` takes for one server: python bench/doctor.py [--server lab6] [--runs 5]

The project is the example `pier` with the configuration that `shipway init` writes; all of it is looked at: project,
server, and what is around it. The mark: under 5 s. Every figure is a median over the runs.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.lab.fixtures import open_lab

ROOT = Path(__file__).parents[1]
COMMIT = ("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "it")


def main(asked: argparse.Namespace) -> int:
    lab = open_lab()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "pier")
        ignored = shutil.ignore_patterns("config", ".kamal", "Dockerfile", ".dockerignore", "__pycache__")
        shutil.copytree(ROOT / "examples" / "pier", folder, ignore=ignored)
        environment = {**os.environ, **lab.environment, "PYTHONPATH": str(ROOT / "src")}
        shipway = (sys.executable, "-P", "-m", "shipway")
        words = ("init", "--yes", "--server", asked.server, "--host", "pier.example.org", "--make-secrets")
        subprocess.run((*shipway, *words), cwd=folder, env=environment, check=True, capture_output=True)
        with (folder / "config" / "deploy.yml").open("a") as file:
            file.write(f"\nssh:\n  config: {lab.ssh_config}\n  user: root\n")
        for git in (
            ("init", "-q"),
            ("add", "-A"),
            ("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "it"),
        ):
            subprocess.run(("git", *git), cwd=folder, check=True)
        took: list[float] = []
        for number in range(asked.runs + 1):  # the first fills caches
            begin = time.perf_counter()
            argv = (*shipway, "doctor", "--json")
            done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            took += [time.perf_counter() - begin] if number else []
            found = json.loads(done.stdout)["findings"]
            print(
                f"run {number}: {time.perf_counter() - begin:.2f} s, {len(found)} findings, exit code {done.returncode}"
            )
    print(f"doctor for one server: {statistics.median(took):.2f} s (median of {asked.runs})")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="lab6")
    parser.add_argument("--runs", type=int, default=5)
    sys.exit(main(parser.parse_args()))
