"""The limits of a connection: sizes, waits and windows, each with its unit."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field, fields
from typing import Any

from concurrent.core.errors import ConfigurationError

if sys.platform != "win32":
    import resource

__all__ = ["Limits", "check_files_max", "check_positive", "raise_files_max"]

MIB = 1024 * 1024
FRAMES_MAX = 16384
FILES_MAX = 16384
CONNECTIONS_MAX = 1024


@dataclass(frozen=True)
class Limits:
    """What one end of a connection accepts from the other, and how long it waits for it.

    :param message_bytes_max: the largest message, all of its frames together, in bytes.
    :param header_bytes_max: the largest header frame (prelude and msgpack body), in bytes.
    :param frames_max: the largest number of frames in a message, the header frame included.
    :param incomplete_bytes_max: how many bytes the large messages may have together that are just being
        received by all connections of an endpoint; more of them wait unread. On TCP only.
    :param outbox_bytes_max: how many bytes may be queued for a peer before senders are held back.
    :param window_bytes: how many bytes may be under way unacknowledged; the rest waits.
    :param session_bytes_max: above this many queued bytes nothing more is taken, not even from
        a caller that does not hold back.
    :param answers_bytes_max: above this many bytes of answers that the peer has not acknowledged its
        calls are refused.
    :param heartbeat_s: seconds without sending after which a PING is sent.
    :param silence_s: seconds without hearing anything after which a carrier counts as lost.
    :param resume_s: seconds that a session whose carrier was closed waits to be resumed.
    :param return_s: seconds from the last word of a peer that fell silent in which it may resume its
        session; it has ``resume_s`` after its carrier was given up in any case.
    :param hello_timeout_s: seconds in which a new connection must have greeted.
    :param room_timeout_s: seconds that a cast or call from another thread waits for room.
    :param linger_s: seconds that a closing carrier may take to send what is left.
    :param greeting_max: how many connections that have not greeted yet are kept at a time; by default
        1024, or an eighth of the files that this process may open if that is less.
    :param sessions_max: how many sessions a server keeps at a time; by default 1024, or half of the files
        that this process may open.
    :param sessions_per_address_max: how many of them the peers of one address may have; by default seven
        eighths, so that no address keeps the others out.
    :param unbound_per_address_max: how many of these may be sessions for which the server has not found a use
        yet, where it has to (``SessionServer``); one more ends the oldest.
    :raises ConfigurationError: if a limit is not positive or contradicts another.
    """

    message_bytes_max: int = 256 * MIB
    header_bytes_max: int = 64 * MIB
    frames_max: int = 4096
    incomplete_bytes_max: int = 256 * MIB
    outbox_bytes_max: int = 32 * MIB
    window_bytes: int = 16 * MIB
    session_bytes_max: int = 1024 * MIB
    answers_bytes_max: int = 32 * MIB
    heartbeat_s: float = 2.0
    silence_s: float = 10.0
    resume_s: float = 5.0
    return_s: float = 60.0
    hello_timeout_s: float = 5.0
    room_timeout_s: float = 30.0
    linger_s: float = 1.0
    greeting_max: int = field(default_factory=lambda: _share_of_files(8))
    sessions_max: int = field(default_factory=lambda: _share_of_files(2))
    sessions_per_address_max: int = field(default_factory=lambda: max(1, _share_of_files(2) * 7 // 8))
    unbound_per_address_max: int = 64

    def __post_init__(self) -> None:
        check_positive(self)
        if self.frames_max > FRAMES_MAX:
            raise ConfigurationError(
                f"the limit frames_max is {self.frames_max}, but at most {FRAMES_MAX} are possible",
                thing="frames_max",
                value=self.frames_max,
                remedy="Put more into each frame.",
            )
        if self.silence_s < 2 * self.heartbeat_s:
            raise ConfigurationError(
                f"the limit silence_s is {self.silence_s}, which is less than two heartbeats of "
                f"{self.heartbeat_s} seconds",
                thing="silence_s",
                value=self.silence_s,
                remedy="Raise silence_s or lower heartbeat_s.",
            )


def check_positive(limits: Any) -> None:
    """Check each field of a data class of limits.

    :raises ConfigurationError: if one is not more than 0.
    """
    for one in fields(limits):
        value = getattr(limits, one.name)
        if not value > 0:
            raise ConfigurationError(
                f"the limit {one.name} must be more than 0, but is {value!r}",
                thing=one.name,
                value=value,
                remedy="Leave it out to use the default.",
            )


def raise_files_max() -> int:
    """Let this process open as many files as the system allows it, within reason; returns how many it may.

    Each connection is an open file. Call it once, when a node starts and before it makes its limits.
    """
    if sys.platform == "win32":  # its processes have no such limit
        return FILES_MAX
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def check_files_max(needed: int, what: str) -> None:
    """Check that this process may open so many files.

    :param what: what needs them, for the error.
    :raises ConfigurationError: if it may not.
    """
    files_max = _files_max()
    if files_max < needed:
        raise ConfigurationError(
            f"{what} needs about {needed} open files, but this process may have {files_max}",
            thing="RLIMIT_NOFILE",
            value=files_max,
            remedy="Raise the limit (ulimit -n), or have fewer workers",
        )


def _share_of_files(divisor: int) -> int:
    """Return how many connections of one sort may be open: a part of the files that may be open."""
    return max(1, int(min(CONNECTIONS_MAX, _files_max() / divisor)))


def _files_max() -> float:
    """Return how many files this process may open; infinity if it has no such limit."""
    if sys.platform == "win32":
        return math.inf
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft
