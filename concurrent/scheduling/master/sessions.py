"""Which session belongs to which job and which slave, by the numbers that the master gave them.

Loop thread only. It is the only such table. A job has at most one session here.
"""

from __future__ import annotations

from itertools import count

from concurrent.transport.calls.handler import TCPHandler

__all__ = ["Sessions"]


class Sessions:
    """See the module. ``owners`` and ``slaves`` are for others to look at.

    :param first_number: the first that is given; none is given twice.
    """

    def __init__(self, first_number: int = 1) -> None:
        self.owners: dict[int, TCPHandler] = {}
        self.slaves: dict[int, TCPHandler] = {}
        self._numbers = count(first_number)

    def next_number(self) -> int:
        """Return the number of a job that has no session yet."""
        return next(self._numbers)

    def join_owner(self, handler: TCPHandler) -> int:
        """Take in the session of an application or task system, and return the number of its job."""
        number = next(self._numbers)
        self.owners[number] = handler
        return number

    def attach_owner(self, owner: int, handler: TCPHandler) -> None:
        """Take in a session that goes on with a job, in the place of any that it has."""
        self.owners[owner] = handler

    def join_slave(self, handler: TCPHandler) -> int:
        """Take in the session of a slave, and return its number."""
        number = next(self._numbers)
        self.slaves[number] = handler
        return number

    def leave_owner(self, owner: int) -> bool:
        """Forget the session of an owner; tells whether it was known."""
        return self.owners.pop(owner, None) is not None

    def leave_slave(self, slave: int) -> TCPHandler | None:
        """Forget the session of a slave, and return it; None if it was not known."""
        return self.slaves.pop(slave, None)
