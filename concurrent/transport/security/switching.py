"""Puts a key folder in the place of an older one, so that whatever ends the process leaves one of them, whole.

Not every file system can exchange two folders at once, so it takes several steps. A folder is filled below
``.new-XXXX``. When it is whole it becomes ``.next-NAME``, in one step, and from then on it counts: whoever
opens or writes keys next ends what was begun. Any thread; whoever changes something has the lock.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from concurrent.transport.security.privatefiles import locked, sync_folder

__all__ = ["empty_folder", "is_unfinished", "put_in_place", "settled", "writing"]

NEW: Final = ".new-"
NEXT: Final = ".next-"
OLD: Final = ".old-"


@contextlib.contextmanager
def writing(base: Path) -> Iterator[None]:
    """Be the only one who writes the keys below a folder, where nothing is left half done.

    :raises ConfigurationError: if nothing can be written there, or another process writes for too long.
    """
    with locked(base):
        _finish(base)
        yield


def settled(base: Path, name: str) -> None:
    """End what was begun with a key folder, unless it is as it has to be, which takes one system call.

    :raises ConfigurationError: if that cannot be.
    """
    if os.path.lexists(base / f"{NEXT}{name}"):
        with writing(base):
            pass


def is_unfinished(name: str) -> bool:
    """Tell by the name of a folder whether it is one that has to be put in its place yet."""
    return name.startswith(NEXT)


@contextlib.contextmanager
def empty_folder(place: Path) -> Iterator[Path]:
    """Have an empty folder beside a place for the time of a block, unless it is put there."""
    folder = place.parent / f"{NEW}{secrets.token_hex(4)}" / place.name
    folder.parent.mkdir(mode=0o700)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def put_in_place(new: Path, place: Path) -> None:
    """Move a folder that is whole to its place, in that of an older one if there is any.

    :param new: what ``empty_folder`` returned.
    """
    os.rename(new, place.parent / f"{NEXT}{place.name}")
    sync_folder(place.parent)
    _finish_one(place)


def _finish(base: Path) -> None:
    """End all that was begun, and remove what is left of what was not."""
    for name in os.listdir(base):
        if is_unfinished(name):
            _finish_one(base / name.removeprefix(NEXT))
    for name in os.listdir(base):
        if name.startswith((NEW, OLD)):
            _remove(base / name)


def _finish_one(place: Path) -> None:
    old = place.parent / f"{OLD}{secrets.token_hex(4)}"
    if os.path.lexists(place):
        os.rename(place, old)
    os.rename(place.parent / f"{NEXT}{place.name}", place)
    sync_folder(place.parent)
    if os.path.lexists(old):
        _remove(old)


def _remove(path: Path) -> None:
    """Remove a folder with all that is in it, or whatever is in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
