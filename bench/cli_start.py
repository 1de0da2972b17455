"""How long `shipway --help` and `shipway config` take, as medians: python bench/cli_start.py [--runs 20]

The marks of the project: 150 ms and 400 ms on two shared cores. A benchmark, not a test: it always exits 0 when the
commands themselves work.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIG = """\
service: shop
runtime: venv
servers:
  web: {hosts: [web-1.example.org]}
  worker: {hosts: [web-1.example.org], cmd: python manage.py worker}
proxy: {host: shop.example.org, ssl: true}
env: {clear: {LOG_LEVEL: info}, secret: [SECRET_KEY]}
"""
MARKS_MS = {"--help": 150, "config": 400}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as place:
        Path(place, "deploy.yml").write_text(CONFIG)
        for word, mark_ms in MARKS_MS.items():
            calls = [once(word, place) for _ in range(runs + 1)][1:]  # the first fills the caches
            clock_ms, cpu_ms = (statistics.median(column) for column in zip(*calls, strict=True))
            least_ms = min(clock for clock, _ in calls)
            print(
                f"shipway {word:<7} {clock_ms:5.0f} ms median of {runs} (fastest {least_ms:.0f}, processor time"
                f" {cpu_ms:.0f}); the mark is {mark_ms} ms"
            )


def once(word: str, place: str) -> tuple[float, float]:
    """Return how many milliseconds one call takes, from start to exit, and how many the processor worked for it."""
    began_s, worked_s = time.perf_counter(), worked()
    subprocess.run((sys.executable, "-m", "shipway.cli.main", word), cwd=place, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began_s) * 1000, (worked() - worked_s) * 1000


def worked() -> float:
    """Return the processor time of all ended children, in seconds; unlike the clock it does not know of neighbours."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
