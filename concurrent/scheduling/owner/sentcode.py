"""Which blobs of an owner's code its master has, and the sending of the others.

Before them goes which installed modules the code names.
"""

from __future__ import annotations

import contextlib

from concurrent.core.errors import MessageTooLarge, SchedulingError, TransportError
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.wire.columns import BLOB_BYTES, CODE_BYTES_MAX
from concurrent.scheduling.wire.failure import code_too_large
from concurrent.scheduling.wire.messages import to_master
from concurrent.scheduling.wire.projectblobs import is_manifest
from concurrent.scheduling.wire.requirementsblob import is_requirements
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.frames.frames import as_payload

__all__ = ["SentCode"]


class SentCode:
    """See the module. Loop thread only. ``count`` is how many the master has.

    :param code: has the blobs.
    """

    def __init__(self, code: AppCode) -> None:
        self._code = code
        self.count = 0
        self._size_bytes = 0
        self._uses_count = 0

    def begin(self, known_count: int) -> None:
        """Go on with a registration at a master that has the first so many blobs."""
        self.count = known_count
        self._uses_count = 0
        self._size_bytes = sum(len(self._code.blob_at(one)) + BLOB_BYTES for one in range(known_count))

    def begin_uses(self, handler: TCPHandler) -> None:
        """Tell which installed modules the program has imported, before it has sent any code."""
        if handler.peer_has(to_master.USES):
            self._code.look_at_program()
            with contextlib.suppress(TransportError):  # the next session is told everything
                self._tell_uses(handler)

    def send(self, handler: TCPHandler, code_count: int) -> None:
        """Send the first so many blobs, but for those that the master has.

        :raises PayloadTooLarge: if the master would refuse one of them, or all together.
        :raises SchedulingError: if the master knows no projects, and there is one.
        """
        if len(self._code.uses) > self._uses_count:
            self._tell_uses(handler)
        for index in range(self.count, code_count):
            blob = self._code.blob_at(index)
            what = "project" if is_manifest(blob) else "requirements" if is_requirements(blob) else ""
            if what and not handler.peer_has(to_master.PROJECTS):
                raise SchedulingError(
                    f"the master is too old to take the {what} of this program along",
                    thing=what,
                    remedy=f"Update the master and its slaves, or leave the {what} out",
                )
            size_bytes = self._size_bytes + len(blob) + BLOB_BYTES
            if size_bytes > CODE_BYTES_MAX:
                raise code_too_large(size_bytes, CODE_BYTES_MAX)
            try:
                handler.cast(to_master.define_code, index, as_payload(blob))
            except MessageTooLarge:
                raise code_too_large(len(blob), handler.peer_bytes_max) from None
            self._size_bytes = size_bytes
            self.count = index + 1

    def _tell_uses(self, handler: TCPHandler) -> None:
        """Tell a master that wants to know which installed modules the code names that it was not told yet."""
        new = self._code.uses[self._uses_count :]
        self._uses_count += len(new)
        if new:
            handler.cast(to_master.uses, list(map(list, new)))
