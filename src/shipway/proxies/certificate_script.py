"""Takes a new certificate of one's own over on a host (`python3 -I -S - DIRECTORY`), if it belongs to its key.

Standard library only, sent by standard input, never imported by Shipway; it needs Python 3.8 or newer. A failure is one
sentence on standard error and exit status 1.
"""

from __future__ import annotations

import pathlib
import ssl
import sys


class Failed(Exception):
    """What is told to the user."""


def certificate(folder: str) -> None:
    """Take over `new.cert.pem` and `new.key.pem` as `cert.pem` and `key.pem`, if the one belongs to the other."""
    home = pathlib.Path(folder)
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(home / "new.cert.pem", home / "new.key.pem", password="")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", "") or "no PEM, or a key with a password"
        raise Failed(f"the certificate and its private key cannot be used ({reason}); the ones before stay") from None
    for name in ("cert.pem", "key.pem"):
        (home / f"new.{name}").replace(home / name)


if __name__ == "__main__":
    try:
        certificate(sys.argv[1])
    except Failed as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or 'the proxy'}: {error.strerror or error}")
