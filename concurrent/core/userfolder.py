"""Folders of one user, from which processes of that user run things: nobody else may write there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from concurrent.core.errors import NodeError

__all__ = ["user_folder"]


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
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    usual = [Path(home, "concurrent"), Path(tempfile.gettempdir(), f"concurrent-{user}")]
    reasons: list[str] = []
    for base in usual if given is None else [given / f"user-{user}"]:
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
        value=str(given or usual[0]),
        remedy=f"Name one that this user may write as {option}",
    )


def _why_not(folder: Path, user: int) -> str:
    """Make a folder if it is not there; return why it cannot be used, empty if it can."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != user or status.st_mode & 0o022:
        return f"{folder} is not of this user alone"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} may not be written"
