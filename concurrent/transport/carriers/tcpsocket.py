"""The TCP carrier: messages over the bytes of one connection."""

from __future__ import annotations

from asyncio import TimerHandle
from collections import deque
from collections.abc import Sequence
from typing import Final

from concurrent.core.errors import ProtocolError, WrongServer
from concurrent.transport.calls.methods import error_to_wire
from concurrent.transport.carriers.bytechannel import IByteChannel
from concurrent.transport.carriers.framing import GREETING_LIMITS, FrameReader
from concurrent.transport.frames.frames import Buffer, Frame, gathered
from concurrent.transport.frames.memory import MemoryShare, ReceiveMemory
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import Identity
from concurrent.transport.session.carrier import ICarrierOwner
from concurrent.transport.session.envelope import make_prefix
from concurrent.transport.session.foreign import http_refusal, is_http
from concurrent.transport.session.limits import Limits

__all__ = ["TCPSocket"]

READS_PER_TURN: Final = 16
SEND_ROOM_BYTES: Final = 1024 * 1024
"""More than this is not taken from the session while the socket is busy."""


class TCPSocket:
    """One TCP connection that carries messages; both ends use it. Loop thread only.

    :param loop: the node's loop.
    :param channel: what the bytes pass through; closed with this.
    :param identity: who the peer is, as it came; None if the channel finds that out.
    :param owner: who is told what happens on it.
    :param limits: what is accepted once the peer is trusted.
    :param scratch: ``SCRATCH_BYTES`` of memory to receive into, shared by all sockets of an endpoint.
    :param memory: bounds what all sockets of the endpoint keep of incomplete messages.
    """

    def __init__(
        self,
        loop: NodeLoop,
        channel: IByteChannel,
        owner: ICarrierOwner,
        limits: Limits,
        *,
        identity: Identity | None,
        scratch: memoryview,
        memory: ReceiveMemory,
    ) -> None:
        self.peer_ip = channel.peer_ip
        self.opened_at = loop.time()
        self._loop = loop
        self._channel = channel
        self._identity = identity
        self._receive_into = channel.receive_into
        self._send_some = channel.send
        self._owner = owner
        self._limits = limits
        self._share = MemoryShare(memory, self._on_memory)
        self._reader = FrameReader(GREETING_LIMITS, scratch, self._share)
        self._out: deque[Buffer] = deque()
        self._out_bytes = 0
        self._is_blocked = False
        self._is_closed = False
        self._is_trusted = False
        self._linger: TimerHandle | None = None
        channel.want_read(self._on_readable)

    @property
    def identity(self) -> Identity:
        """Who the peer is; known as soon as something has been received from it."""
        identity = self._identity or self._channel.identity
        assert identity is not None, "what a stranger sent was received"
        return identity

    @property
    def has_room(self) -> bool:
        """Whether the socket keeps up with what it was given."""
        return self._out_bytes < SEND_ROOM_BYTES

    @property
    def is_held_up(self) -> bool:
        """Whether what the peer sent waits here for memory."""
        return self._reader.is_held_up

    def trust(self) -> None:
        """Accept messages up to the full limits."""
        self._is_trusted = True
        self._reader.limits = self._limits

    def send(self, messages: Sequence[Sequence[Buffer | Frame]]) -> None:
        """Send messages: small buffers joined, large ones as they are."""
        if self._is_closed or self._linger is not None:
            return
        buffers: list[Buffer | Frame] = []
        for message in messages:
            buffers.append(make_prefix(message))
            buffers += message
        pieces = gathered(buffers)
        self._out += pieces
        self._out_bytes += sum(map(len, pieces))
        if not self._is_blocked:
            self._write()

    def close(self, *, flush: bool = False) -> None:
        """Close now, or after sending what is left and hearing the peer's end, if ``flush``."""
        if self._is_closed:
            return
        if not flush:
            self._release()
        elif self._linger is None:
            self._linger = self._loop.call_later(self._limits.linger_s, self._release)
            if not self._out:
                self._finish_sending()

    def _write(self) -> None:
        out = self._out
        try:
            while out:
                self._out_bytes -= self._send_some(out)
        except (BlockingIOError, InterruptedError):
            if not self._is_blocked:
                self._is_blocked = True
                self._channel.want_write(self._on_writable)
        except OSError as error:
            self._loop.call_soon(self._lose, error.strerror or str(error))

    def _on_writable(self) -> None:
        had_room = self.has_room
        self._write()
        if self._out or self._is_closed:
            if not had_room and self.has_room:
                self._owner.writable(self)
            return
        self._is_blocked = False
        self._channel.want_write(None)
        if self._linger is not None:
            self._finish_sending()
        else:
            self._owner.writable(self)

    def _on_readable(self) -> None:  # noqa: C901  one loop, as each call costs
        batch: list[list[Buffer]] = []
        reason: str | None = None
        broken: ProtocolError | None = None
        for _ in range(READS_PER_TURN):
            space = self._reader.space()
            try:
                count = self._receive_into(space)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                reason = error.strerror or str(error)
                break
            except ProtocolError as error:  # the channel lets nothing of this peer through
                broken = error
                break
            if count == 0:
                reason = self._describe_end()
                break
            if self._linger is not None:
                continue
            try:
                batch.extend(self._reader.advance(count))
            except ProtocolError as error:
                broken = error
                break
            if count < len(space) or not self._is_trusted or self._reader.is_held_up:
                break
        if batch:
            is_trusted = self._is_trusted
            self._owner.received(self, batch)
            if self._is_trusted and not is_trusted:
                self._read_on()
        if self._is_closed:
            return
        if broken is not None and self._linger is None:
            if not self._is_trusted and type(broken.value) is bytes and is_http(broken.value):
                self._refuse_http()
            self._owner.broken(self, broken)
            broken = None  # else it and this frame keep each other, and what the connection has
        elif reason is not None:
            self._lose(reason)
        elif self._reader.is_held_up:
            self._channel.want_read(None)

    def _refuse_http(self) -> None:
        """Say what this port is in words that a client of the JSON API understands, before the BYE."""
        problem = WrongServer(
            "this is the compute channel of a node, and HTTP was sent to it",
            thing="port",
            remedy="Use the port of the node's JSON API, which it logs when it starts",
        )
        self._out.append(answer := http_refusal(error_to_wire(problem)))
        self._out_bytes += len(answer)

    def _on_memory(self) -> None:
        """There may be memory for the message that waits."""
        if self._is_closed or self._linger is not None:
            self._share.release()
            return
        self._read_on()
        if not self._is_closed and not self._reader.is_held_up:
            self._channel.want_read(self._on_readable)

    def _read_on(self) -> None:
        """Go on with what has arrived already."""
        try:
            batch = self._reader.go_on()
        except ProtocolError as error:
            self._owner.broken(self, error)
            return
        if batch:
            self._owner.received(self, batch)

    def _describe_end(self) -> str:
        if self._reader.is_amid_message:
            return "the peer closed the connection in the middle of a message"
        return "the peer closed the connection"

    def _finish_sending(self) -> None:
        try:
            self._channel.finish_sending()
        except OSError:
            self._release()

    def _lose(self, reason: str) -> None:
        if self._is_closed:
            return
        if self._linger is None:
            self._owner.lost(self, reason)
        self._release()

    def _release(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._linger is not None:
            self._linger.cancel()
        self._channel.close()
        self._share.close()
        self._reader.close()
        self._out.clear()
        self._owner.released(self)
