"""A redeploy to real servers beside the same work by hand: python bench/lab_deploy.py [--hosts 1] [--latency 0]

In the lab (`bin/lab up N`), with the example in containers: web and a Celery worker on each host, PostgreSQL and Redis
on the first; each run commits a change of one file. "By hand" is the floor: the same docker commands over ssh, one
after the other on a host and side by side over the hosts, with the same file switch, and no plan, check, record or way
back. Both are timed in turn. `--latency` is the round-trip time in ms between here and the servers, and between each
engine and the registry. Every figure is a median over the runs.
"""

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.lab.by_hand import ByHand
from bench.lab.distance import distance
from bench.lab.site import Site, workplace
from tests.lab.fixtures import open_lab


def main(asked: argparse.Namespace) -> int:
    lab = open_lab()
    if len(lab.hosts) < asked.hosts:
        raise SystemExit(f"the lab has {len(lab.hosts)} servers; next: bin/lab up {asked.hosts}")
    hosts = lab.hosts[: asked.hosts]
    for host in hosts:
        host.wipe()
    with (
        workplace() as folder,
        distance(lab, hosts, asked.latency, Path(folder)) as way,
        Site(lab, hosts, way, Path(folder), asked.registry) as site,
    ):
        site.setup()
        hand = ByHand(site)
        hand.prepare()
        ours, served, hands = [], [], []
        for number in range(asked.runs + 1):  # the first of each fills caches
            site.commit_change(number)
            deploy = site.deploy()
            by_hand = hand.deploy()
            print(f"run {number}: {deploy.took_s:.1f} s, serves after {deploy.serves_s:.1f} s; by hand {by_hand:.1f} s")
            if number:
                ours.append(deploy.took_s)
                served.append(deploy.serves_s)
                hands.append(by_hand)
        latest = site.release()
        before = f"r{int(latest[1:]) - 1}"
        back = [site.rollback(latest if number % 2 else before) for number in range(asked.runs)]
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, hands, strict=True))
    where = f"{asked.hosts} host(s), {asked.latency} ms, registry {asked.registry}, median of {asked.runs}"
    print(
        f"deploy {statistics.median(ours):.1f} s, new release serves after {statistics.median(served):.1f} s ({where})"
    )
    print(f"by hand {statistics.median(hands):.1f} s; ratio {ratio:.2f} (median of the pairs)")
    print(f"rollback {statistics.median(back):.1f} s")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--latency", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--registry", choices=("private", "none"), default="private")
    sys.exit(main(parser.parse_args()))
