"""The limits of a connection: sizes, waits and windows, each with its unit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from concurrent.core.errors import ConfigurationError

__all__ = ["Limits", "check_positive"]

MIB = 1024 * 1024
FRAMES_MAX = 16384


@dataclass(frozen=True)
class Limits:
    """What one end of a connection accepts from the other, and how long it waits for it.

    :param message_bytes_max: the largest message, all of its frames together, in bytes.
    :param header_bytes_max: the largest header frame (prelude and msgpack body), in bytes.
    :param frames_max: the largest number of frames in a message, the header frame included.
    :param outbox_bytes_max: how many bytes may be queued for a peer before senders are held back.
    :param window_bytes: how many bytes may be under way unacknowledged; the rest waits.
    :param session_bytes_max: above this many queued bytes nothing more is taken, not even from
        a caller that does not hold back.
    :param heartbeat_s: seconds without sending after which a PING is sent.
    :param silence_s: seconds without hearing anything after which a carrier counts as lost.
    :param resume_s: seconds that a session whose carrier is lost waits to be resumed.
    :param hello_timeout_s: seconds in which a new connection must have greeted.
    :param room_timeout_s: seconds that a cast or call from another thread waits for room.
    :param linger_s: seconds that a closing carrier may take to send what is left.
    :param greeting_max: how many connections that have not greeted yet are kept at a time.
    :raises ConfigurationError: if a limit is not positive or contradicts another.
    """

    message_bytes_max: int = 256 * MIB
    header_bytes_max: int = 64 * MIB
    frames_max: int = 4096
    outbox_bytes_max: int = 32 * MIB
    window_bytes: int = 16 * MIB
    session_bytes_max: int = 1024 * MIB
    heartbeat_s: float = 2.0
    silence_s: float = 10.0
    resume_s: float = 5.0
    hello_timeout_s: float = 5.0
    room_timeout_s: float = 30.0
    linger_s: float = 1.0
    greeting_max: int = 1024

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
    for field in fields(limits):
        value = getattr(limits, field.name)
        if not value > 0:
            raise ConfigurationError(
                f"the limit {field.name} must be more than 0, but is {value!r}",
                thing=field.name,
                value=value,
                remedy="Leave it out to use the default.",
            )
