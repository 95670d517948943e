"""What a carrier is: something that moves lists of frames between two ends until it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from concurrent.core.errors import ProtocolError
from concurrent.transport.frames.frames import Buffer, Frame

if TYPE_CHECKING:
    from concurrent.transport.security.identity import Identity

__all__ = ["ICarrier", "ICarrierOwner"]


class ICarrier(Protocol):
    """One connection. Loop thread only.

    Of the owner's methods only ``released`` is called before a method of the carrier returns.
    """

    peer_ip: str
    opened_at: float

    @property
    def identity(self) -> Identity:
        """Who the peer is; known as soon as something has been received from it."""

    @property
    def has_room(self) -> bool:
        """Whether more should be handed over now; ``writable`` says when that changes."""

    @property
    def is_held_up(self) -> bool:
        """Whether what the peer sent waits unread here, so that its silence proves nothing."""

    def send(self, messages: Sequence[Sequence[Buffer | Frame]]) -> None:
        """Send each of the lists of frames as a message, in this order."""

    def trust(self) -> None:
        """Accept messages up to the full limits; before that, only one as small as a greeting."""

    def close(self, *, flush: bool = False) -> None:
        """Close, after sending what is left if ``flush``; the owner hears only ``released``."""


class ICarrierOwner(Protocol):
    """Who is told what happens on a carrier. Loop thread only."""

    def received(self, carrier: ICarrier, batch: list[list[Buffer]]) -> None:
        """Messages came in."""

    def broken(self, carrier: ICarrier, error: ProtocolError) -> None:
        """What came in is not a message, or not an acceptable one."""

    def lost(self, carrier: ICarrier, reason: str) -> None:
        """The carrier ended without being asked to."""

    def writable(self, carrier: ICarrier) -> None:
        """There is room again."""

    def released(self, carrier: ICarrier) -> None:
        """The carrier holds no resource any more."""
