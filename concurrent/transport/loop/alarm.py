"""What wakes a loop that sleeps, from another thread."""

from __future__ import annotations

import os
import socket
import sys
from typing import Final

__all__ = ["Alarm", "new_alarm"]

RINGS_READ: Final = 64
ONE: Final = (1).to_bytes(8, sys.byteorder)


class Alarm:
    """A pair of sockets: one is readable for the loop after the other was written to."""

    def __init__(self) -> None:
        self._waker, self._sleeper = socket.socketpair()
        self._waker.setblocking(False)
        self._sleeper.setblocking(False)

    def fileno(self) -> int:
        """Return what the loop watches."""
        return self._sleeper.fileno()

    def ring(self) -> None:
        """Wake the loop. Any thread.

        :raises OSError: if it is closed.
        """
        self._waker.send(b"\0")

    def quiet(self) -> None:
        """Be ready for the next ring. Loop thread only.

        :raises OSError: if it is closed.
        """
        self._sleeper.recv(RINGS_READ)

    def close(self) -> None:
        """Free it; may be repeated."""
        self._waker.close()
        self._sleeper.close()


class _Counter(Alarm):
    """A counter of the system, where there are such: ringing takes a third of the time."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self._fd

    def ring(self) -> None:
        os.write(self._fd, ONE)

    def quiet(self) -> None:
        os.read(self._fd, len(ONE))

    def close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def new_alarm() -> Alarm:
    """Return what is best on this system."""
    return _Counter() if hasattr(os, "eventfd") else Alarm()
