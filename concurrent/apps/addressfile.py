"""A file with the address of a master, for clusters whose machines share a folder: nobody has to type it.

A master writes it when it listens, and removes it at its end. One that was killed leaves it; who finds nobody
there reads in the error which file that address is from.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from concurrent.apps.api import parse_address
from concurrent.core.errors import ConfigurationError
from concurrent.core.items import Host
from concurrent.transport.security.ownaddress import far_address

__all__ = ["keep_address", "read_address_file"]

BYTES_MAX: Final = 1000
NAME_BYTES: Final = 6


def keep_address(path: Path | None, host: str, port: int) -> Callable[[], None]:
    """Write where a master listens, so that nobody ever reads half of it. Any thread.

    :param path: the file; None: nothing is written.
    :param host: the address that it listens on, and ``port`` the port of its JSON API.
    :returns: what removes the file, unless it is that of another master by then.
    :raises ConfigurationError: if it cannot be written.
    """
    if path is None:
        return lambda: None
    text = f"{Host(far_address(host), port)}\n"
    beside = path.with_name(f".{path.name}-{secrets.token_hex(NAME_BYTES)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("x", encoding="utf-8") as file:  # what somebody else has put there is not followed
            file.write(text)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ConfigurationError(
            f"the address file {path} cannot be written: {error.strerror or error}",
            thing="master.address_file",
            value=str(path),
            remedy="Name a file in a folder that this user may write",
        ) from error
    return partial(_remove, path, text)


def _remove(path: Path, text: str) -> None:
    with suppress(OSError):
        if _text_of(path) == text:
            path.unlink()


def _text_of(path: Path) -> str:
    """Return what a file begins with; a pipe that somebody has put there is not waited for.

    :raises OSError: if it cannot be read.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return (file.read(BYTES_MAX) or b"").decode("utf-8", "replace")


def read_address_file(path: Path, source: str) -> Host:
    """Return the address that a file has.

    :param source: who names the file, for the error.
    :raises ConfigurationError: if it has none.
    """
    try:
        text = _text_of(path).strip()
    except OSError as error:
        raise ConfigurationError(
            f"the address file {path}, named by {source}, cannot be read: {error.strerror or error}",
            thing=source,
            value=str(path),
            remedy=f"Start the master with 'concurrent master --address-file {path}', or name another file",
        ) from error
    if not text:
        raise ConfigurationError(
            f"the address file {path}, named by {source}, is empty",
            thing=source,
            value=str(path),
            remedy="It has one line, HOST:PORT, as 'concurrent master --address-file' writes it",
        )
    return parse_address(text, f"the address in {path}")
