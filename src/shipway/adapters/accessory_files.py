"""Files of the operator that are sent to the host of an accessory."""

from __future__ import annotations

from pathlib import Path

from shipway.core.errors import ConfigError

MAX_BYTES = 8_000_000
"""A file of configuration, or the first data of a database; it travels in the plan."""


def read_accessory_file(directory: str, path: str, where: str) -> str:
    """Return the content of `path`, below `directory` or absolute; bytes that are no UTF-8 become surrogates.

    Raises ConfigError `accessory.no_file` for one that is not there, is no file, or is too large.
    """
    file = Path(directory, path).expanduser()
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigError(
                "accessory.no_file",
                f"the file {path} is larger than {MAX_BYTES // 1_000_000} MB",
                where=where,
                next="put it on the host by hand, and mount it with `volumes:`",
            )
        return file.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise ConfigError(
            "accessory.no_file",
            f"the file {path} could not be read: {error.strerror}",
            where=where,
            next=f"ls -l {path}",
        ) from None
