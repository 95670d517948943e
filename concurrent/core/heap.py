"""Have the C library keep freed memory, so that large payloads need not fetch it anew from the system.

By default glibc returns large blocks when they are freed. The next payload of that size then costs a page fault
for every 4 KiB, which takes several times as long as copying them. It is a matter for processes of our own: a
program that only uses the framework decides itself what its allocator does.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

__all__ = ["keep_freed_memory"]

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3

KEPT_BYTES: Final = 64 * 1024 * 1024
"""So much free memory a process may keep; more of it is given back."""

BLOCK_BYTES_MAX: Final = 32 * 1024 * 1024
"""Larger blocks are given back as soon as they are freed; glibc allows no more here."""


def keep_freed_memory() -> bool:
    """Set it for this process and those that it forks; false where the C library has no such settings."""
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    settings = ((M_TRIM_THRESHOLD, KEPT_BYTES), (M_MMAP_THRESHOLD, BLOCK_BYTES_MAX))
    return all(mallopt(name, value) == 1 for name, value in settings)
