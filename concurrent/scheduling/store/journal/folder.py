"""The folder of a journal: its lock, which names the owner, and whether it lies on this machine.

One thread. A process that is forked while a folder is open has neither its lock nor its files, see ``Folder``.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import shlex
import weakref
from pathlib import Path
from typing import Any, Final

from concurrent.core.errors import JournalDamaged, JournalError

__all__ = ["DATABASE", "Folder", "beyond_repair", "damaged", "network_file_system", "repair_command"]

DATABASE: Final = "journal.sqlite"
LOCK: Final = "lock"

MOUNTS: Final = Path("/proc/self/mountinfo")

NETWORK: Final = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gfs2",
        "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs",
    }
)  # fmt: skip
"""File systems on which locks and syncs are not what they are on a disk of this machine."""


class Folder:
    """The folder of one journal, locked until it is closed.

    A child that is forked without an exec loses it at once: it lets go of the lock, its copies of the file
    descriptors lead nowhere, and what is in ``immortal`` is never freed there. So it can neither
    write to the files nor take locks away from the parent.

    ``last_epoch`` is that of the last owner, as the lock says; 0 if there was none.

    :param path: where it is; it is made if there is none.
    :param allow_network: whether it may lie on a network file system.
    :raises JournalError: if it cannot be made, is in use, or lies on a network file system.
    """

    def __init__(self, path: Path, *, allow_network: bool = False) -> None:
        self.path = path
        self.immortal: list[Any] = []
        try:
            _make(path)
            mounts = MOUNTS.read_text(encoding="utf-8", errors="replace") if MOUNTS.exists() else ""
            network = network_file_system(mounts, os.path.realpath(path))
            if network and not allow_network:
                raise _on_network(path, network)
            self._lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(
                f"the journal {path} cannot be opened: {error.strerror or error}",
                thing=str(path),
                remedy="Check the path and its rights, or set [journal] folder",
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = _owner(self._lock)
            os.close(self._lock)
            raise JournalError(
                f"the journal {path} is in use by {owner}",
                thing=str(path),
                remedy="Stop the other master, or give this one another folder with [journal] folder",
            ) from error
        said = _said(self._lock)
        self.last_epoch = said["epoch"] if isinstance(said.get("epoch"), int) else 0
        this = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forked(this()))

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.path / DATABASE

    def sign(self, epoch: int) -> None:
        """Write into the lock who has it."""
        said = json.dumps({"pid": os.getpid(), "host": os.uname().nodename, "epoch": epoch})
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{said}\n".encode(), 0)

    def close(self) -> None:
        """Let go of the folder; may be repeated."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def lose(self) -> None:
        """This process is a forked child: what it has of the journal is not its own."""
        if self._lock < 0:
            return
        self.close()
        for one in self.immortal:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))
        nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for number in _descriptors_below(self.path):
            os.dup2(nowhere, number, inheritable=False)
        os.close(nowhere)


def _forked(folder: Folder | None) -> None:
    if folder is not None:
        folder.lose()


def network_file_system(mounts: str, path: str) -> str:
    """Return the type of the network file system that has a path; nothing if it is on another one.

    :param mounts: what ``/proc/self/mountinfo`` says.
    :param path: absolute, without links.
    """
    found, found_type = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), fields[4])
        is_above = path == point or path.startswith(point if point.endswith("/") else f"{point}/")
        if is_above and len(point) >= len(found):
            found, found_type = point, after.split()[0]
    return found_type if found_type in NETWORK else ""


def damaged(folder: Path, problem: str) -> JournalDamaged:
    """Return the error for a journal whose bookkeeping is not what was written."""
    return JournalDamaged(
        f"the journal {folder} is damaged: {problem}",
        thing=str(folder),
        remedy=f"Save what is whole of it: {repair_command(folder)}",
    )


def beyond_repair(folder: Path, problem: str) -> JournalDamaged:
    """Return the error for a journal of which nothing can be read."""
    name = str(folder)
    return JournalDamaged(
        f"the journal {folder} is damaged: {problem}",
        thing=name,
        remedy="Nothing of it can be read, so put a backup of the folder in its place; or begin anew, without "
        f"its work: mv {shlex.quote(name)} {shlex.quote(f'{name}-damaged')}",
    )


def repair_command(folder: Path) -> str:
    """Return what a person types to save what is whole of a journal, ready to be pasted."""
    return f"concurrent journal repair {shlex.quote(str(folder))}"


def _on_network(path: Path, kind: str) -> JournalError:
    return JournalError(
        f"the journal {path} is on a network file system ({kind}), where locks and syncs cannot be relied on",
        thing=str(path),
        value=kind,
        remedy="Give it a folder on a disk of this machine with [journal] folder, or set "
        "[journal] allow_network = true",
    )


def _make(path: Path) -> None:
    """Make a folder, so that it is there after a power cut, too."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):  # not ``parents=True``, which makes those above for everybody
        one.mkdir(mode=0o700, exist_ok=True)
    for made in missing:
        above = os.open(made.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(above)
        finally:
            os.close(above)


def _said(lock: int) -> dict[str, Any]:
    """Return what a lock says of its owner; nothing if that cannot be read."""
    try:
        said = json.loads(os.pread(lock, 4096, 0))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _owner(lock: int) -> str:
    """Return who has a lock, in words, as far as its file says so."""
    said = _said(lock)
    if not said:
        return "another process"
    return f"process {said.get('pid')} on {said.get('host')} (epoch {said.get('epoch')})"


def _descriptors_below(folder: Path) -> list[int]:
    """Return this process's file descriptors of files in a folder."""
    place = os.path.realpath(folder)
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # that of the listing itself
            continue
        if os.path.dirname(target) == place:
            found.append(int(name))
    return found
