"""The locked requirements of an application: a blob of its code, which is known by its first bytes.

It comes before all other code, so a slave makes the environment before it runs anything. Pure.
"""

from __future__ import annotations

from typing import Final

from concurrent.transport.frames.frames import Frame

__all__ = ["TEXT_BYTES_MAX", "is_requirements", "requirements_blob", "requirements_of"]

REQUIREMENTS: Final = b"\xff\xff\xff\xfd"
"""What such a blob begins with. Others begin with the length of their head, which is never so long."""

TEXT_BYTES_MAX: Final = 1 << 20


def requirements_blob(text: str) -> bytes:
    """Return requirements as they travel."""
    return REQUIREMENTS + text.encode()


def is_requirements(blob: bytes | Frame) -> bool:
    """Return whether a blob has requirements."""
    return _view(blob)[: len(REQUIREMENTS)] == REQUIREMENTS


def requirements_of(blob: bytes | Frame) -> str:
    """Return the requirements that a blob has; what is no UTF-8 in them is replaced."""
    return bytes(_view(blob)[len(REQUIREMENTS) :]).decode("utf-8", "replace")


def _view(blob: bytes | Frame) -> bytes | memoryview:
    return blob.buffer if isinstance(blob, Frame) else blob
