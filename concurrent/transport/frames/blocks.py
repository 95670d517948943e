"""New memory for large buffers, without paying for it before it is used.

The first write to each 4 KiB that are new to a process costs a page fault, which takes several times as long as
filling them. Very large blocks come in huge pages of 2 MiB instead, and go back to the system with their last
view. Smaller ones come from the C library, which uses again what was freed; there ``bytearray`` would
write zeros first, which is half of the work of filling them.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from concurrent.core.process.heap import BLOCK_BYTES_MAX
from concurrent.transport.frames.frames import Buffer

__all__ = ["MAPPED_BYTES_MIN", "NewBlock", "copied", "new_block", "new_block_of"]

NewBlock = Callable[[int, Buffer], memoryview]
"""Returns memory of so many bytes that can be written to, and holds anything before that; for a payload frame
of the message with this header frame."""

HUGE_PAGE_BYTES: Final = 2 * 1024 * 1024
MAPPED_BYTES_MIN: Final = BLOCK_BYTES_MAX
"""Blocks of this size are mapped: smaller ones can be kept when they are freed, and memory that was used before
costs no page fault at all."""

HUGE_PAGES: Final = Path("/sys/kernel/mm/transparent_hugepage/enabled")

if sys.implementation.name == "cpython":
    _unwritten: Any = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)(
        ("PyByteArray_FromStringAndSize", ctypes.pythonapi)
    )
else:

    def _unwritten(_contents: None, size_bytes: int) -> bytearray:
        return bytearray(size_bytes)


def new_block(size_bytes: int) -> memoryview:
    """Return memory that can be written to, and holds anything before that. Any thread.

    No more is taken from the system than what is written to, and the rest of a page. It is freed with the last
    view of it.
    """
    if size_bytes >= MAPPED_BYTES_MIN and _has_huge_pages():
        # The system lets a mapping begin at the boundary of a huge page only if it ends at one.
        whole_bytes = size_bytes + -size_bytes % HUGE_PAGE_BYTES
        with contextlib.suppress(OSError):  # too many mappings, most likely
            block = mmap.mmap(-1, whole_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            block.madvise(mmap.MADV_HUGEPAGE)
            return memoryview(block)[:size_bytes]
    return memoryview(_unwritten(None, size_bytes))


def new_block_of(size_bytes: int, _header: Buffer) -> memoryview:
    """Return memory for a payload frame of any message, see :func:`new_block`. Any thread."""
    return new_block(size_bytes)


def copied(buffer: Buffer) -> bytes | memoryview:
    """Return a copy of a buffer in memory of its own. Any thread."""
    if len(buffer) < MAPPED_BYTES_MIN:
        return bytes(buffer)
    block = new_block(len(buffer))
    block[:] = buffer
    return block


@cache
def _has_huge_pages() -> bool:
    """Return whether the system gives huge pages to those that ask for them."""
    try:
        return hasattr(mmap, "MADV_HUGEPAGE") and "[never]" not in HUGE_PAGES.read_text()
    except OSError:  # it has none, or does not say so
        return False
