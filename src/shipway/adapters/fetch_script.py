"""One HTTP request to a given address under a given name: run here, or sent to a host and run there.

Standard library only, for Python 3.9 and newer. It reads JSON and answers JSON, and raises nothing. What a server sends
is bounded: its headers, its body, and the time for all of it.

A request has `address`, `port`, `tls`, `name` (for TLS), `host` (the header), `method`, `path`, `headers` (pairs),
`body`, `limit_s` and `most` (bytes of the body that are kept). The answer has `status`, `headers` (pairs), `body`
(packed), `cut` and `took_ms`; or `trouble` and `said`. With `certificate` it is the certificate that is asked for: the
answer has `days` and `problem` ("" when it is trusted), `ca` is PEM text that is trusted instead of the public ones.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import sys
import time
import zlib

MOST_HEADERS = 100
_DAY_S = 86400.0


class _Connection(http.client.HTTPConnection):
    """Connects to an address, whatever the name."""

    def __init__(self, asked: dict) -> None:  # type: ignore[type-arg]  # JSON
        super().__init__(asked["host"], asked["port"], timeout=asked["limit_s"])
        self._asked = asked

    def connect(self) -> None:
        """Connect to the address, with TLS where it is asked for."""
        self.sock = _connect(self._asked)
        if self._asked["tls"]:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # the certificate has a check of its own
            self.sock = context.wrap_socket(self.sock, server_hostname=self._asked["name"])


def _connect(asked: dict) -> socket.socket:  # type: ignore[type-arg]  # JSON
    return socket.create_connection((asked["address"], asked["port"]), timeout=asked["limit_s"])


def fetch(asked: dict) -> dict:  # type: ignore[type-arg]  # JSON
    """Return the answer to what is `asked`."""
    try:
        return _certificate(asked) if asked.get("certificate") else _ask(asked)
    except (OSError, http.client.HTTPException) as error:
        return {"trouble": _trouble(error), "said": (type(error).__name__ + ": " + str(error))[:300]}


def _trouble(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, socket.timeout):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, (ConnectionResetError, BrokenPipeError, http.client.HTTPException)):
        return "broken"
    return "unreachable"


def _ask(asked: dict) -> dict:  # type: ignore[type-arg]  # JSON
    begun_s = time.monotonic()
    ends_s = begun_s + asked["limit_s"]
    connection = _Connection(asked)
    try:
        connection.putrequest(asked["method"], asked["path"], skip_host=True, skip_accept_encoding=True)
        body = asked.get("body", "").encode()
        connection.putheader("Host", asked["host"])
        for name, value in asked["headers"]:
            connection.putheader(name, value)
        if body or asked["method"] == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        first_s = time.monotonic()
        kept, is_cut = _body(answer, asked["most"], ends_s)
        return {
            "status": answer.status,
            "headers": answer.getheaders()[:MOST_HEADERS],
            "body": base64.b64encode(zlib.compress(kept, 1)).decode(),
            "cut": is_cut,
            "took_ms": round((first_s - begun_s) * 1000, 1),
        }
    finally:
        connection.close()


def _body(answer: http.client.HTTPResponse, most: int, ends_s: float) -> tuple[bytes, bool]:
    """Return at most `most` bytes, and whether there were more. A page that never ends is cut when its time is over."""
    kept = b""
    while len(kept) < most:
        if time.monotonic() > ends_s:
            raise socket.timeout("the page did not end in time")  # noqa: UP041  another class before Python 3.10
        piece = answer.read1(min(65536, most - len(kept)))
        if not piece and answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        if not piece:
            return kept, False
        kept += piece
    return kept, bool(answer.read1(1))


def _certificate(asked: dict) -> dict:  # type: ignore[type-arg]  # JSON
    found = _handshake(asked, _trusting(asked.get("ca", "")))
    if isinstance(found, dict):
        return {"days": _days(found), "problem": ""}
    # Not trusted: as its own authority it still tells its name and its days.
    anyhow = ssl.create_default_context()
    anyhow.check_hostname = False
    anyhow.verify_mode = ssl.CERT_NONE
    with _connect(asked) as plain, anyhow.wrap_socket(plain, server_hostname=asked["name"]) as secure:
        der = secure.getpeercert(binary_form=True)
    itself = _trusting(ssl.DER_cert_to_PEM_cert(der)) if der else None
    if itself is not None:
        itself.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        own = _handshake(asked, itself)
        if isinstance(own, dict):
            return {"days": _days(own), "problem": found, "is_chain": True}
        found = own
    return {"days": 0.0, "problem": found}


def _trusting(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca) if ca else ssl.create_default_context()


def _handshake(asked: dict, context: ssl.SSLContext) -> dict | str:  # type: ignore[type-arg]  # JSON
    """Return the certificate, or why it is not trusted."""
    try:
        with _connect(asked) as plain, context.wrap_socket(plain, server_hostname=asked["name"]) as secure:
            return secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return error.verify_message or str(error)


def _days(certificate: dict) -> float:  # type: ignore[type-arg]  # JSON
    ends = certificate.get("notAfter")
    return round((ssl.cert_time_to_seconds(str(ends)) - time.time()) / _DAY_S, 2) if ends else 0.0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fetch(json.loads(sys.stdin.readline()))))
