import asyncio
from contextlib import asynccontextmanager

import pytest

from shipway.app.demo.http import MAX_BODY_BYTES, Address, Broken, KeepAlive, Request
from tests.unit.app.demo.listen import hang, listening


@asynccontextmanager
async def answering(*connections: tuple[bytes, ...]):
    """A server whose nth connection gives the nth answers, one for each request, and closes then."""
    served = iter(connections)

    async def serve(reader, writer):
        for answer in next(served):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)

    async with listening(serve) as address:
        yield KeepAlive(address)


def ask(*connections: tuple[bytes, ...], requests: int = 1, limit_s: float = 5.0):
    async def main():
        async with answering(*connections) as connection:
            try:
                return [await connection.request(Request("/", limit_s=limit_s)) for _ in range(requests)]
            finally:
                connection.drop()

    return asyncio.run(main())


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: r\r\n\r\n", b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
    ],
)
def test_reads_every_framing(answer, body):
    assert ask((answer,))[0].body == body


def test_headers_are_found_whatever_their_case():
    [response] = ask((b"HTTP/1.1 200 OK\r\nX-RELEASE:  r7 \r\nContent-Length: 0\r\n\r\n",))
    assert response.headers["x-release"] == "r7"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 200_000,
    ],
)
def test_what_is_no_whole_answer_is_told(answer):
    with pytest.raises(Broken) as caught:
        ask((answer,))
    assert not caught.value.before_answer  # the connection was new: no browser would try again


def test_a_server_that_never_answers_ends_at_the_limit():
    async def main():
        async with listening(hang) as address:
            with pytest.raises(Broken, match="within"):
                await KeepAlive(address).request(Request("/", limit_s=0.05))

    asyncio.run(main())


def test_nobody_listening_is_told():
    with pytest.raises(Broken, match="no connection"):
        asyncio.run(KeepAlive(Address("127.0.0.1", 1)).request(Request("/")))


def test_a_connection_is_kept():
    assert [r.body for r in ask((OK, OK, OK), requests=3)] == [b"ok"] * 3


def test_a_connection_that_says_it_closes_is_opened_again():
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    assert len(ask((closing,), (OK,), requests=2)) == 2


def test_closed_in_use_before_the_answer_can_be_told_from_cut_in_it():
    for second, is_before in ((b"", True), (b"HTTP/1.1 2", False)):
        with pytest.raises(Broken) as caught:
            ask((OK, second), requests=2)
        assert caught.value.before_answer is is_before


def test_closed_while_idle_is_counted_and_no_loss():
    async def main():
        async with answering((OK,), (OK,)) as connection:
            await connection.request(Request("/"))
            await asyncio.sleep(0.05)
            await connection.request(Request("/"))
            connection.drop()
            return connection.reopened

    assert asyncio.run(main()) == 1
