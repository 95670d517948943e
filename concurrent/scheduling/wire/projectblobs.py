"""A project among the blobs of an application's code: masters and slaves know it without opening any. Pure.

The first of its blobs is the *manifest*, behind it come its *parts*, slices of the packed project. A master
sends slaves empty parts: a slave that has not unpacked the project yet asks for each of them. It gives its
workers a manifest that says where the project is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import InvalidArguments
from concurrent.transport.frames.frames import Frame

with installed_first("msgpack"):
    import msgpack

__all__ = [
    "EMPTY_PART",
    "PART_BYTES",
    "Manifest",
    "is_manifest",
    "is_of_project",
    "is_part",
    "part_data",
    "parts_of",
]

MANIFEST: Final = b"\xff\xff\xff\xff"
PART: Final = b"\xff\xff\xff\xfe"
"""What such blobs begin with. Others begin with the length of their head, which is never so long."""

EMPTY_PART: Final = PART

PART_BYTES: Final = 1 << 20
"""How much of a packed project one blob has; far below what a message may be."""

SIZE_BYTES_MAX: Final = 1 << 30
"""How much a project may be when it is unpacked."""

PARTS_MAX: Final = 4096

MANIFEST_BYTES_MAX: Final = 64 << 10
"""How long a manifest may be: it has two paths and little else."""

DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Manifest(NamedTuple):
    """What a project is.

    :param digest: SHA-256 of its content, in hexadecimal digits.
    :param size_bytes: how much it is when it is unpacked.
    :param parts: how many blobs behind this one belong to it.
    :param root: where its folder is at the program.
    :param folder: where it is on this machine; empty while that is not known.
    """

    digest: str
    size_bytes: int
    parts: int
    root: str
    folder: str = ""

    def blob(self) -> bytes:
        """Return it as it travels; not its folder, unless it has one."""
        return MANIFEST + bytes(msgpack.packb(list(self), unicode_errors="surrogateescape"))

    @classmethod
    def of(cls, blob: bytes | Frame) -> Manifest:
        """Read one that has travelled.

        :raises InvalidArguments: if it is none.
        """
        if len(blob) > MANIFEST_BYTES_MAX:
            raise _no_manifest("it is too long")
        try:
            fields: Any = msgpack.unpackb(bytes(blob)[len(MANIFEST) :], unicode_errors="surrogateescape")
            digest, size_bytes, parts, root, folder = fields
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise _no_manifest("it cannot be read") from error
        texts, counts = (digest, root, folder), (size_bytes, parts)
        is_sound = all(type(text) is str for text in texts) and all(type(count) is int for count in counts)
        if not is_sound or DIGEST.fullmatch(digest) is None:
            raise _no_manifest("its fields make no sense")
        if not 0 <= size_bytes <= SIZE_BYTES_MAX:
            raise _no_manifest(f"a project may have {SIZE_BYTES_MAX} bytes, not {size_bytes}")
        if not 0 < parts <= PARTS_MAX:
            raise _no_manifest(f"a project has from 1 to {PARTS_MAX} parts, not {parts}")
        return cls(digest, size_bytes, parts, root, folder)


def is_manifest(blob: bytes | Frame) -> bool:
    """Return whether a project begins with a blob."""
    return _view(blob)[: len(MANIFEST)] == MANIFEST


def is_part(blob: bytes | Frame) -> bool:
    """Return whether a blob is a part of a project."""
    return _view(blob)[: len(PART)] == PART


def is_of_project(blob: bytes | Frame) -> bool:
    """Return whether a blob is the manifest or a part of a project."""
    return _view(blob)[: len(PART)] in (MANIFEST, PART)


def parts_of(packed: bytes) -> Iterator[bytes]:
    """Yield the blobs of a packed project, behind its manifest."""
    for start in range(0, len(packed), PART_BYTES):
        yield PART + packed[start : start + PART_BYTES]


def part_data(blob: bytes | Frame) -> bytes:
    """Return the slice of the packed project that a part has."""
    return bytes(_view(blob)[len(PART) :])


def _view(blob: bytes | Frame) -> bytes | memoryview:
    return blob.buffer if isinstance(blob, Frame) else blob


def _no_manifest(why: str) -> InvalidArguments:
    return InvalidArguments(f"this is no manifest of a project: {why}", thing="blob")
