"""Projects that are unpacked on this machine, each once, in a folder of the user that it is named by its hash.

Slaves of one user share it, and what they do not use any more stays for the next program, as long as there is
room: the oldest unused goes first. A project is unpacked beside its place and then renamed, so nobody ever sees
half of one, and two that unpack the same do no harm. Beside each folder is a file whose lock is held by whoever
uses it. It says how large the project is, and since which start of the machine it is there: what was unpacked
before may have been cut when the machine went down, and is looked at before it is used again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from concurrent.core.errors import NodeError
from concurrent.core.loggers import get_log
from concurrent.core.userfolder import user_folder
from concurrent.scheduling.projects.packing import digest_of_folder, remove_folder, unpack
from concurrent.scheduling.wire.projectblobs import Manifest

__all__ = ["ProjectCache"]

OPTION: Final = "slave.project_folder"
LOCK: Final = ".lock"
HALF: Final = ".new-"
NAME_BYTES: Final = 6
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
STALE_S: Final = 3600.0
"""What is half unpacked for so long, nobody is at work on."""

log = get_log(__name__)


class _Entry(NamedTuple):
    """A project in the cache: when it was used last, its hash and its size."""

    used_at: float
    digest: str
    size_bytes: int


class ProjectCache:
    """See the module. One thread at a time.

    :param given: the folder that is configured, if one is.
    :param bytes_max: how much projects may take, in bytes; those that are used stay whatever they take.
    """

    def __init__(self, given: Path | None = None, bytes_max: int = 4 << 30) -> None:
        self._given = given
        self._bytes_max = bytes_max
        self._lock_by_digest: dict[str, int] = {}

    def find(self, manifest: Manifest) -> str:
        """Return the folder of a project and hold it; empty if it is not unpacked here.

        :raises ConcurrentError: if there is no place for projects.
        """
        digest = manifest.digest
        folder = self._place(digest)
        if digest in self._lock_by_digest:
            return str(folder)
        with contextlib.ExitStack() as undo:
            lock = self._open_lock(digest)
            undo.callback(os.close, lock)
            if not folder.is_dir() or not self._is_sound(lock, folder, digest):
                return ""
            size_text, _ = _said(lock)  # that of a manifest may be a lie, if nothing was unpacked from it
            self._hold(digest, int(size_text) if size_text.isdigit() else manifest.size_bytes, lock)
            undo.pop_all()
        return str(folder)

    def unpack(self, manifest: Manifest, parts: Iterable[bytes]) -> str:
        """Unpack a project and return its folder, which is held.

        :raises ConcurrentError: if it is not what its manifest says, or cannot be written.
        """
        folder = self._place(manifest.digest)
        half = folder.with_name(f"{manifest.digest}{HALF}{secrets.token_hex(NAME_BYTES)}")
        try:
            unpack(manifest, parts, str(half))
            self._move(half, manifest)
        except OSError as error:
            raise NodeError(
                f"a project of {manifest.size_bytes} bytes cannot be unpacked into {folder.parent}: "
                f"{error.strerror or error}",
                thing=OPTION,
                value=str(folder.parent),
                remedy=f"Make room there, or name another folder as {OPTION}",
            ) from error
        finally:
            remove_folder(str(half))
        self._make_room()
        return str(folder)

    def release(self, digest: str) -> None:
        """Use a project no more; it stays as long as there is room."""
        lock = self._lock_by_digest.pop(digest, None)
        if lock is not None:
            os.close(lock)

    def close(self) -> None:
        """Use none any more."""
        for digest in list(self._lock_by_digest):
            self.release(digest)

    def _move(self, half: Path, manifest: Manifest) -> None:
        """Have what was unpacked in its place, and hold it."""
        folder = self._place(manifest.digest)
        with contextlib.ExitStack() as undo:
            lock = self._open_lock(manifest.digest)
            undo.callback(os.close, lock)
            try:
                half.rename(folder)
            except OSError:  # another one was first, or what is there was cut
                if not self._is_sound(lock, folder, manifest.digest):
                    remove_folder(str(folder))
                    half.rename(folder)
            self._hold(manifest.digest, manifest.size_bytes, lock)
            undo.pop_all()

    def _hold(self, digest: str, size_bytes: int, lock: int) -> None:
        """Use a project from now on; one lock is enough for all programs here that have it."""
        _say(lock, size_bytes)
        self.release(digest)
        self._lock_by_digest[digest] = lock

    def _folder(self) -> Path:
        """Return where all projects are; whoever has removed the cache meanwhile has done no harm."""
        return user_folder("projects", self._given, OPTION)

    def _place(self, digest: str) -> Path:
        return self._folder() / digest

    def _open_lock(self, digest: str) -> int:
        """Return the file beside a project, with a lock that others may have too.

        :raises NodeError: if it cannot be opened.
        """
        path = self._place(digest).with_name(digest + LOCK)
        try:
            while True:
                lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                fcntl.flock(lock, fcntl.LOCK_SH)
                if _is_file_of(lock, path):
                    return lock
                os.close(lock)  # it was removed with its project while this waited
        except OSError as error:
            raise NodeError(
                f"projects cannot be kept in {path.parent}: {error.strerror or error}",
                thing=OPTION,
                value=str(path.parent),
                remedy=f"Name a folder that this user may write as {OPTION}",
            ) from error

    def _is_sound(self, lock: int, folder: Path, digest: str) -> bool:
        """Return whether what is there is all of a project."""
        _, boot_id = _said(lock)
        if boot_id == _boot_id():
            return True
        try:
            is_sound = digest_of_folder(str(folder)) == digest
        except (OSError, ValueError):
            return False
        if not is_sound:
            log.warning("%s is not what was unpacked there, and is unpacked anew", folder)
            remove_folder(str(folder))
        return is_sound

    def _make_room(self) -> None:
        """Remove what is over the limit and used by nobody, and what is half of something."""
        entries: list[_Entry] = []
        for path in self._folder().iterdir():
            with contextlib.suppress(OSError, ValueError):
                status = path.stat()
                is_stale = time.time() - status.st_mtime > STALE_S
                if path.suffix == LOCK and is_stale and not path.with_suffix("").is_dir():
                    self._remove(path.stem)  # it came to nothing
                elif path.suffix == LOCK:
                    size_text = path.read_text(encoding="ascii").partition(" ")[0]
                    entries.append(_Entry(status.st_mtime, path.stem, int(size_text)))
                elif HALF in path.name and is_stale:
                    remove_folder(str(path))
        total = sum(entry.size_bytes for entry in entries)
        for entry in sorted(entries):
            if total <= self._bytes_max:
                return
            if self._remove(entry.digest):
                log.info("a project of %d bytes is removed, for it was not used for longest", entry.size_bytes)
                total -= entry.size_bytes

    def _remove(self, digest: str) -> bool:
        """Remove a project unless somebody uses it."""
        path = self._place(digest).with_name(digest + LOCK)
        try:
            lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_folder(str(self._place(digest)))
            path.unlink()
        except OSError:  # it is used
            return False
        finally:
            os.close(lock)
        return True


def _is_file_of(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _say(lock: int, size_bytes: int) -> None:
    """Write into the file beside a project what it is to say, and that it is used now."""
    os.pwrite(lock, f"{size_bytes} {_boot_id()}\n".encode(), 0)
    os.utime(lock)


def _said(lock: int) -> tuple[str, str]:
    """Return what the file beside a project says: its size, and since which start it is there."""
    size, _, boot_id = os.pread(lock, 200, 0).decode("ascii", "replace").partition(" ")
    return size, boot_id.strip()


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
