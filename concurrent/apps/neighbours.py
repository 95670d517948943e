"""Nodes whose processes run on this machine: whether they have ended is seen at once. Loop thread only.

A connection that is closed may come back, so its node is waited for; but not if its process is gone. What a
node says of its process is believed only as far as it does no harm: the worst is that a node which is cut off
for a moment has to join again.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from typing import Any, Final

from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Neighbours"]

PID_MAX: Final = 1 << 22
"""No process has a higher number on Linux."""


class Neighbours:
    """See the module."""

    def __init__(self, loop: NodeLoop) -> None:
        self._loop = loop
        self._fd_by_key: dict[object, int] = {}
        self._ended: set[object] = set()

    def watch(self, key: object, data: Mapping[str, Any], on_ended: Callable[[], object]) -> None:
        """Watch the process of a node, if it is here and this system can do that.

        :param key: what it is known by from now on.
        :param data: what the node said of itself.
        :param on_ended: called once, when the process has ended.
        """
        pid = _pid_here(data)
        open_pidfd = getattr(os, "pidfd_open", None)
        if pid is None or open_pidfd is None:
            return
        try:
            fd = self._fd_by_key[key] = open_pidfd(pid)
        except OSError:  # it has ended already, or the kernel is older
            return

        def ended() -> None:
            self._close(key)
            self._ended.add(key)
            on_ended()

        self._loop.add_reader(fd, ended)

    def has_ended(self, key: object) -> bool:
        """Return whether the process of a node was seen to end."""
        return key in self._ended

    def forget(self, key: object) -> None:
        """Watch a process no more."""
        self._ended.discard(key)
        self._close(key)

    def close(self) -> None:
        """Watch nothing any more."""
        for key in list(self._fd_by_key):
            self._close(key)

    def _close(self, key: object) -> None:
        fd = self._fd_by_key.pop(key, None)
        if fd is not None:
            self._loop.remove_reader(fd)
            os.close(fd)


def _pid_here(data: Mapping[str, Any]) -> int | None:
    """Return the number of a node's process if it is one of this machine."""
    pid, host = data.get("pid"), data.get("host")
    is_pid = type(pid) is int and 0 < pid <= PID_MAX
    return pid if is_pid and host == platform.node() else None
