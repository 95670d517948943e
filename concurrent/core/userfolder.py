"""Folders of one user, from which processes of that user run things: nobody else may write there.

So it counts who has made each folder on the way: what somebody else has put where one should be, if only a
link to a folder of this user, is not used.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from concurrent.core.errors import NodeError

__all__ = ["user_folder"]

MODE: Final = 0o700
WRITTEN_BY_OTHERS: Final = 0o022
ROOT: Final = 0


def user_folder(kind: str, given: Path | None, option: str) -> Path:
    """Return where this user's things of a kind are, which is there from now on. Any thread.

    The folder above it is of this user alone too: who may write that could put another one in its place.

    :param kind: its name, such as ``projects``.
    :param given: a folder that is configured, for all users; None: in the cache of the user, or else among
        temporary files.
    :param option: the option that names it, for the error.
    :raises NodeError: if there is no such place.
    """
    user = os.geteuid()
    bases = [*_usual(user)] if given is None else [given / f"user-{user}"]
    reasons: list[str] = []
    for base in bases:
        place = base / kind
        try:
            why = _why_not(base, user) or _why_not(place, user)
        except OSError as error:
            why = f"{place}: {error.strerror or error}"
        if not why:
            return place
        reasons.append(why)
    raise NodeError(
        f"there is no folder for {kind}: {'; '.join(reasons)}",
        thing=option,
        value=str(given or bases[0]),
        remedy=f"Name one that this user may write as {option}",
    )


def _usual(user: int) -> Iterator[Path]:
    """Yield where a user's folders may be who has configured none."""
    for home in (os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache")):
        if os.path.isabs(home):  # else this user has no home
            yield Path(home, "concurrent")
            break
    yield Path(tempfile.gettempdir(), f"concurrent-{user}")


def _why_not(folder: Path, user: int) -> str:
    """Make a folder if it is not there; return why it cannot be used, empty if it can."""
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir(MODE, exist_ok=True)  # of what is above it nobody else may have more than that either
    link, status = folder.lstat(), folder.stat()
    if status.st_uid != user or link.st_uid not in (user, ROOT) or status.st_mode & WRITTEN_BY_OTHERS:
        return f"{folder} is not of this user alone"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} may not be written"
