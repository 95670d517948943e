"""Which user is at the other end of a connection of TCP that comes from this machine.

Linux tells it of each socket (``sock_diag``); elsewhere nobody does. Any thread.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Any, Final, NamedTuple

from concurrent.transport.security.place import is_of_this_machine

__all__ = ["is_of_other_user"]

SOCK_DIAG: Final = 4
"""The number of this service among those of netlink."""

SOCK_DIAG_BY_FAMILY: Final = 20
NLM_F_REQUEST: Final = 1
ESTABLISHED: Final = 1
ANSWER_BYTES_MAX: Final = 4096
TIMEOUT_S: Final = 1.0

MAPPED: Final = "::ffff:"
"""What an address of IPv4 begins with at a socket of IPv6."""

_HEAD: Final = struct.Struct("=IHHII")
_ASKED: Final = struct.Struct("=BBBBI")
_PORTS: Final = struct.Struct("!HH")
_ANY: Final = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
"""Any interface, whichever socket it was that had these addresses first."""

STATE_AT: Final = _HEAD.size + 1
USER_AT: Final = _HEAD.size + 4 + 48 + 12


class _Told(NamedTuple):
    """``user`` is meant only of a socket that is connected: of one that was closed it is that of root."""

    state: int
    user: int


def is_of_other_user(accepted: socket.socket) -> bool:
    """Tell whether a process of another user of this machine, who is not root, has opened a connection.

    A client that has closed its end counts as another user's: the system has forgotten then whose it was. One
    from another machine is nobody's of this one.

    :param accepted: this end of it.
    """
    if sys.platform != "linux" or accepted.family == socket.AF_UNIX:
        return False
    try:
        there, here = accepted.getpeername()[:2], accepted.getsockname()[:2]
    except OSError:  # it is gone
        return True
    found = _told_of(there, here)
    if found is not None and found.state == ESTABLISHED:
        return found.user not in (os.getuid(), 0)
    is_told = _told_of(here, there) is not None  # of our own end
    return is_told and is_of_this_machine(there[0].removeprefix(MAPPED))


def _told_of(near: tuple[Any, ...], far: tuple[Any, ...]) -> _Told | None:
    """Return what the system says of a socket of this machine; None if there is none, or nobody says.

    :param near: its own address and port.
    :param far: those of the other end.
    """
    family = socket.AF_INET6 if ":" in near[0] else socket.AF_INET
    addresses = b"".join(
        socket.inet_pton(family, one[0].partition("%")[0]).ljust(16, b"\0") for one in (near, far)
    )
    asked = _ASKED.pack(family, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + _PORTS.pack(near[1], far[1])
    asked += addresses + _ANY
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
            kernel.settimeout(TIMEOUT_S)
            head = _HEAD.pack(_HEAD.size + len(asked), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0)
            kernel.sendto(head + asked, (0, 0))
            answer = kernel.recv(ANSWER_BYTES_MAX)
    except OSError:
        return None
    if _HEAD.unpack_from(answer)[1] != SOCK_DIAG_BY_FAMILY:
        return None
    return _Told(answer[STATE_AT], int.from_bytes(answer[USER_AT : USER_AT + 4], sys.byteorder))
