"""Files that only this user may read: read with every doubt, and written as a whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from concurrent.core.errors import ConfigurationError
from concurrent.transport.security.place import private_folder

__all__ = ["damaged", "locked", "read_private", "write_private"]

ANOTHER: Final = "name another folder: -o keys.folder=FOLDER"
FILE_MODE: Final = 0o600
FILE_BYTES_MAX: Final = 64 << 20

LOCK_TIMEOUT_S: Final = 10.0
LOCK_PAUSE_S: Final = 0.01
"""How long until it is tried again; the system has no wait for such a lock that ends."""


def damaged(path: Path, reason: str, remedy: str) -> ConfigurationError:
    """Return the error that says what is wrong with a file of keys."""
    return ConfigurationError(
        f"{path} cannot be used: {reason}", thing=path.name, value=str(path), remedy=remedy
    )


def read_private(path: Path, remedy: str) -> bytes:
    """Return what is in a file that belongs to this user alone.

    :param remedy: what to do where it is missing or another thing than a file.
    :raises ConfigurationError: if there is none, or others could have read or written it.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise damaged(path, "it is missing", remedy) from None
    except OSError as error:
        reason = "it is a link" if path.is_symlink() else error.strerror or str(error)
        raise damaged(path, reason, remedy) from None
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise damaged(path, "it is not a file", remedy)
        if status.st_uid != os.getuid():
            raise damaged(path, f"it belongs to user {status.st_uid}", remedy)
        if status.st_mode & 0o077:
            mode = f"its mode is {stat.S_IMODE(status.st_mode):04o}, so other users can read or change it"
            raise damaged(path, mode, f"If nobody else can have read it, type 'chmod 600 {path}'")
        if status.st_size > FILE_BYTES_MAX:
            raise damaged(path, f"it has {status.st_size} bytes, more than {FILE_BYTES_MAX}", remedy)
        content = file.read(FILE_BYTES_MAX)
    if not content:
        raise damaged(path, "it is empty", remedy)
    return content


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this user may read: readers see the old one or the new one, whole.

    :raises OSError: if it cannot be written; the old one is as it was.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        with open(fd, "wb") as file:
            os.fchmod(fd, FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(fd)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the disk keep which files are in a folder."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def locked(base: Path) -> Iterator[None]:
    """Be the only one who writes the keys below a folder, which is made unless it is there.

    :raises ConfigurationError: if nothing can be written there, or another process writes for too long.
    """
    private_folder(base, instead=ANOTHER)
    try:
        fd = os.open(base / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        raise ConfigurationError(
            f"nothing can be written in {base}: {error.strerror or error}",
            thing="keys.folder",
            value=str(base),
            remedy=f"Make it writable for you, or {ANOTHER}",
        ) from None
    try:
        _take(fd, base)
        yield
    finally:
        os.close(fd)


def _take(fd: int, base: Path) -> None:
    end = time.monotonic() + LOCK_TIMEOUT_S
    pause = threading.Event()
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise ConfigurationError(
                    f"another command has been changing the keys in {base} for {LOCK_TIMEOUT_S:.0f} s",
                    thing=str(base / ".lock"),
                    remedy=f"Wait for it; 'fuser {base / '.lock'}' says which process it is",
                ) from None
        pause.wait(LOCK_PAUSE_S)
