"""What stands where another tool's proxy stood: it has the ports, and sends everything to one address."""

IMAGE = "python:3.11-slim"
STAND_IN = """
import asyncio, sys

async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def serve(reader, writer):
    try:
        there = await asyncio.open_connection(sys.argv[2], int(sys.argv[3]))
    except OSError:
        return writer.close()
    await asyncio.gather(pump(reader, there[1]), pump(there[0], writer), return_exceptions=True)

async def main():
    async with await asyncio.start_server(serve, None, int(sys.argv[1])) as server:
        await server.serve_forever()

asyncio.run(main())
"""
"""For `python -c`: the port to listen on, and host and port to send to."""
