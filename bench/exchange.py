"""How long an exchange takes: locally, over ssh to a sshd on this machine, and over one ssh process per command.

    PYTHONPATH=src:. python bench/exchange.py [rounds]

Needs an sshd program (Debian: openssh-server); it is started on a free port and ended again.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from shipway.adapters.local import local_transport
from shipway.adapters.ssh import ssh_transport
from shipway.adapters.ssh_settings import SshSettings
from shipway.core.action import Command
from shipway.core.ports import Request, Transport
from tests.contract.sshd import SSHD, Sshd, run_sshd

HOST = "127.0.0.1"
TRUE = Request(Command(("true",)))
UPLOAD = Request(Command(("sh", "-c", "cat >/dev/null"), ("x" * 65_536,)))


class NoSecrets:
    def reveal(self, name: str) -> str:
        raise KeyError(name)

    def names(self) -> Sequence[str]:
        return ()


async def median_ms(rounds: int, work: Callable[[], Awaitable[object]]) -> float:
    await work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


async def measure(name: str, make: Callable[[], Transport], rounds: int) -> None:
    async def connect() -> None:
        fresh = make()
        await fresh.exchange(HOST, [TRUE])
        await fresh.close()

    print(f"{name}: connect, one command, close  {await median_ms(max(3, rounds // 10), connect):8.2f} ms")
    transport = make()
    cases = {"one command": [TRUE], "ten commands": [TRUE] * 10, "one of 64 KiB input": [UPLOAD]}
    for title, requests in cases.items():
        print(f"{name}: {title:29}  {await median_ms(rounds, lambda r=requests: transport.exchange(HOST, r)):8.2f} ms")
    await transport.close()


def ssh_alone(server: Sshd) -> None:
    argv = ("ssh", "-F", server.config, "-p", str(server.port), "-l", server.user, HOST, "true")
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


async def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    await measure("local", lambda: local_transport(NoSecrets()), rounds)
    if SSHD is None:
        print("ssh: no sshd here (Debian: openssh-server)")
        return
    with run_sshd() as server:
        settings = SshSettings(user=server.user, port=server.port, config_files=(server.config,))
        await measure("ssh  ", lambda: ssh_transport(settings, NoSecrets()), rounds)
        alone = await median_ms(max(3, rounds // 5), lambda: asyncio.to_thread(ssh_alone, server))
        print(f"ssh  : a process per command         {alone:8.2f} ms")


if __name__ == "__main__":
    asyncio.run(main())
