"""A server of a test on a free port, that leaves no socket and no task behind."""

import asyncio
from contextlib import asynccontextmanager, suppress

from shipway.app.demo.http import Address


@asynccontextmanager
async def listening(handler):
    """Yield the address at which `handler(reader, writer)` answers each connection."""
    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1], "localhost")
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


async def hang(_reader, _writer):
    """Never answer."""
    await asyncio.sleep(60)
