"""What the descriptors of this process lead to."""

from __future__ import annotations

import contextlib
import os


def open_files() -> dict[int, str]:
    """Return it by descriptor; one that is closed meanwhile, by a thread or the collection, is left out."""
    link_by_fd: dict[int, str] = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            link_by_fd[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return link_by_fd
