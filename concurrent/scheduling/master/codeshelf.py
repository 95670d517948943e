"""The code of the owners at the master: opened by nobody, sent to each slave once. Loop thread only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from concurrent.core.errors import InvalidArguments, LimitExceeded
from concurrent.scheduling.wire.columns import BLOB_BYTES, CODE_BYTES_MAX
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_slave
from concurrent.scheduling.wire.projectblobs import EMPTY_PART, Manifest, is_manifest, is_part
from concurrent.scheduling.wire.requirementsblob import TEXT_BYTES_MAX, is_requirements, requirements_blob
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.frames.frames import Frame

__all__ = ["CodeShelf", "check_blob"]

TOTAL_BYTES_MAX: Final = 1 << 30
"""How much code all owners may have together, but for the share that each may have in any case."""

SHARE_BYTES: Final = 4 << 20


@dataclass(slots=True)
class _Code:
    """What one owner has sent."""

    blobs: list[bytes | Frame] = field(default_factory=list)
    size_bytes: int = 0
    parts: set[int] = field(default_factory=set)
    """Which of them are parts of a project: slaves that have it are not sent it again."""
    has_project: bool = False


class CodeShelf:
    """See the module."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._code_by_owner: dict[int, _Code] = {}
        self._total_bytes = 0
        self._counts_by_slave: dict[TCPHandler, dict[int, int]] = {}

    def join_owner(self, owner: int) -> None:
        """Keep the code of an owner from now on."""
        self._code_by_owner[owner] = _Code()

    def knows(self, owner: int) -> bool:
        """Tell whether there is code of an owner, or may be."""
        return owner in self._code_by_owner

    def leave_owner(self, owner: int) -> None:
        """Drop the code of an owner, and have the slaves do so."""
        self._total_bytes -= self._code_by_owner.pop(owner).size_bytes
        for slave, counts in list(self._counts_by_slave.items()):
            if counts.pop(owner, None) is not None:
                self._courier.cast(slave, to_slave.forget, owner)

    def join_slave(self, slave: TCPHandler) -> None:
        """Remember what is sent to a slave, which has nothing yet."""
        self._counts_by_slave[slave] = {}

    def leave_slave(self, slave: TCPHandler) -> None:
        """Forget what a slave has."""
        del self._counts_by_slave[slave]

    def define(self, owner: int, index: int, blob: bytes | Frame) -> None:
        """Keep a blob of an owner's code for the slaves that will need it.

        :raises InvalidArguments: if it is not the next one.
        :raises LimitExceeded: if it is too much.
        """
        code = self._code_by_owner[owner]
        if index != len(code.blobs):
            raise InvalidArguments(f"code blob {index} came, {len(code.blobs)} is next", thing="index")
        size_bytes = code.size_bytes + len(blob) + BLOB_BYTES
        if size_bytes > CODE_BYTES_MAX:
            raise LimitExceeded(
                f"the code of an owner has {size_bytes} bytes, but at most {CODE_BYTES_MAX} are accepted",
                thing="define_code",
                value=size_bytes,
                remedy="Keep data out of global names, or install the module on the slaves",
            )
        total_bytes = self._total_bytes + size_bytes - code.size_bytes
        if total_bytes > TOTAL_BYTES_MAX and size_bytes > SHARE_BYTES:
            raise LimitExceeded(
                f"the code of all owners has {total_bytes} bytes, but at most {TOTAL_BYTES_MAX} are accepted, "
                f"and {SHARE_BYTES} of each owner in any case",
                thing="define_code",
                value=total_bytes,
                remedy="Wait until other applications have ended, or keep data out of global names",
            )
        self._total_bytes = total_bytes
        code.size_bytes = size_bytes
        code.blobs.append(blob)
        if is_part(blob):
            code.parts.add(index)
        elif is_manifest(blob) or is_requirements(blob):
            code.has_project = True

    def blobs_of(self, owner: int) -> list[bytes | Frame]:
        """Return the blobs of an owner's code."""
        return self._code_by_owner[owner].blobs

    def has_project(self, owner: int) -> bool:
        """Tell whether a project or requirements belong to the code of an owner."""
        code = self._code_by_owner.get(owner)
        return code is not None and code.has_project

    def part(self, slave: TCPHandler, owner: int, index: int) -> bytes | Frame:
        """Return a part of a project for a slave that does not have it.

        :raises InvalidArguments: if the slave was not sent the code of the owner, or that blob is no such part.
        """
        code = self._code_by_owner.get(owner)
        has_count = self._counts_by_slave.get(slave, {}).get(owner, 0)
        if code is None or index >= has_count or index not in code.parts:
            raise InvalidArguments(
                f"blob {index} of the code of owner {owner} is no part of a project that this slave was sent",
                thing="index",
                value=index,
            )
        return code.blobs[index]

    def check(self, owner: int, code_count: int) -> None:
        """Check that an owner has sent the code that its tasks need.

        :raises InvalidArguments: if it has not.
        """
        code = self._code_by_owner.get(owner)
        if code is not None and code_count > len(code.blobs):
            raise InvalidArguments(
                f"tasks need {code_count} code blobs, {len(code.blobs)} were sent", thing="code_count"
            )

    def count(self, owner: int) -> int:
        """Return how many blobs an owner has sent. Its tasks need no others."""
        return len(self._code_by_owner[owner].blobs)

    def send(self, slave: TCPHandler, owner: int) -> None:
        """Send a slave what it lacks of an owner's code."""
        counts = self._counts_by_slave[slave]
        code = self._code_by_owner[owner]
        blobs = code.blobs
        has_count = counts.get(owner, -1)
        if has_count < len(blobs):
            for index in range(max(0, has_count), len(blobs)):
                blob = EMPTY_PART if index in code.parts else blobs[index]
                self._courier.cast(slave, to_slave.code, owner, index, blob)
            counts[owner] = len(blobs)


def check_blob(index: int, blob: bytes | Frame) -> None:
    """Check what masters and slaves read of the code of an owner: slaves would be lost by what makes no sense.

    :raises InvalidArguments: if it says that it is a project or requirements, and is none.
    """
    if is_manifest(blob):
        Manifest.of(blob)
    elif is_requirements(blob):
        if index:
            raise InvalidArguments("requirements come before all other code", thing="index", value=index)
        if len(blob) > len(requirements_blob("")) + TEXT_BYTES_MAX:
            raise InvalidArguments(
                f"requirements have at most {TEXT_BYTES_MAX} bytes", thing="blob", value=len(blob)
            )
