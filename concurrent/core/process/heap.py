"""Have the C library keep freed memory, so that large payloads need not fetch it anew from the system.

By default glibc returns large blocks when they are freed. The next payload of that size then costs a page fault
for every 4 KiB, which takes several times as long as copying them. It is a matter for processes of our own: a
program that only uses the framework decides itself what its allocator does.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["BLOCK_BYTES_MAX", "keep_freed_memory", "keeping_any_block"]

M_TRIM_THRESHOLD: Final = -1
M_TOP_PAD: Final = -2
M_MMAP_THRESHOLD: Final = -3
M_MMAP_MAX: Final = -4
M_ARENA_MAX: Final = -8

KEPT_BYTES: Final = 96 * 1024 * 1024
"""So much free memory a process may keep; when it is more, it gives back all but three quarters of this."""

BLOCK_BYTES_MAX: Final = 32 * 1024 * 1024
"""Larger blocks are given back as soon as they are freed; glibc allows no more here."""

MAPPINGS_MAX: Final = 65536
"""How many of these larger blocks there may be, as glibc has it."""

SETTINGS: Final = {
    M_TRIM_THRESHOLD: KEPT_BYTES,
    M_TOP_PAD: KEPT_BYTES // 4 * 3,
    M_MMAP_THRESHOLD: BLOCK_BYTES_MAX,
    M_ARENA_MAX: 1,  # what one thread has freed, another one can use
}


class _Kept:
    """Whether this process keeps freed memory: the function that sets it then."""

    mallopt: Any = None


def keep_freed_memory() -> bool:
    """Set it for this process and those that it forks; false where the C library has no such settings."""
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or not all(mallopt(name, value) == 1 for name, value in SETTINGS.items()):  # musl
        return False
    _Kept.mallopt = mallopt
    return True


@contextmanager
def keeping_any_block() -> Iterator[None]:
    """Have blocks of any size that are allocated meanwhile kept when they are freed, if this process keeps any.

    It is for what comes again and again in the same size: a small thing that comes to lie behind such a block
    keeps it from going back to the system.
    """
    mallopt = _Kept.mallopt
    if mallopt is None:
        yield
        return
    mallopt(M_MMAP_MAX, 0)
    try:
        yield
    finally:
        mallopt(M_MMAP_MAX, MAPPINGS_MAX)
