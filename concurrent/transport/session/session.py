"""One end of a session: numbers, acknowledgements, resending, heartbeats. Pure: it does no I/O.

A session outlives its carriers (a TCP connection, a ZeroMQ connection). Each message that matters
has a number; what the peer has not acknowledged yet is kept, and when a new carrier resumes the
session both ends say what they received last and the rest is sent again. A number that was received
before is dropped, so nothing is lost and nothing happens twice.

Acknowledgements are cumulative and ride on every message. When there is nothing to send, one goes
out on a PING after ``ACK_BYTES`` or ``ACK_COUNT`` of data, else after a short delay (the owner's).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from concurrent.core.errors import MessageTooLarge, ProtocolError, QueueFull
from concurrent.core.machine import next_state
from concurrent.transport.frames.frames import Buffer, Frame
from concurrent.transport.session.envelope import Body, Message, control_message, make_header
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Kind
from concurrent.transport.session.states import TRANSITIONS, SessionEvent, SessionState

__all__ = ["ACK_BYTES", "ACK_COUNT", "Session"]

ACK_BYTES: Final = 1024 * 1024
ACK_COUNT: Final = 128
STORY_EVENTS: Final = 8
"""How many of the latest events are told if an impossible one comes."""

ANSWER_KINDS: Final = frozenset((Kind.RESULT, Kind.ERROR))
REFUSED_CALLS_MAX: Final = 10_000
"""So many calls in a row are answered with an error before their sender is."""


_Outgoing = tuple[int, int, Body]
"""Number, kind and body of a message. A plain tuple is made faster."""


class Session:
    """The numbered, acknowledged exchange with one peer, seen from one end.

    ``unacknowledged_count`` is how many messages were received that the peer does not know of yet, and
    ``was_silent`` whether the last carrier was given up because nothing was heard on it.

    :param limits: the bounds of this end.
    :param now: the present time in seconds, of any monotonic clock; later calls use the same one.
    """

    __slots__ = (
        "_answers_bytes",
        "_give_up_at",
        "_in_flight",
        "_in_flight_bytes",
        "_last_number",
        "_limits",
        "_refused_calls",
        "_resend_asked",
        "_resent_to",
        "_story",
        "_unacknowledged_bytes",
        "_waiting",
        "heard_at",
        "heartbeat_s",
        "opened_at",
        "peer_bytes_max",
        "queued_bytes",
        "received",
        "sent_at",
        "session_id",
        "state",
        "unacknowledged_count",
        "waiting_bytes",
        "was_silent",
    )

    def __init__(self, limits: Limits, now: float) -> None:
        self.session_id = ""
        self.state = SessionState.CONNECTING
        self.opened_at = now
        self.heard_at = now
        self.sent_at = now
        self.heartbeat_s = limits.heartbeat_s
        self.peer_bytes_max = limits.message_bytes_max
        self.received = 0
        self.queued_bytes = 0
        self.waiting_bytes = 0
        self.was_silent = False
        self._limits = limits
        self._give_up_at = now
        self._story: deque[SessionEvent] = deque(maxlen=STORY_EVENTS)
        self._last_number = 0
        self._answers_bytes = 0
        self._refused_calls = 0
        self._waiting: deque[_Outgoing] = deque()
        self._in_flight: deque[_Outgoing] = deque()
        self._in_flight_bytes = 0
        self._unacknowledged_bytes = 0
        self.unacknowledged_count = 0
        self._resend_asked = 0
        self._resent_to = 0

    def __str__(self) -> str:
        return f"a session (so far: {', '.join(each.value for each in self._story) or 'nothing'})"

    @property
    def owes_ack_now(self) -> bool:
        """Whether so much was received that the acknowledgement should not wait for company."""
        return self._unacknowledged_bytes >= ACK_BYTES or self.unacknowledged_count >= ACK_COUNT

    @property
    def message_counts(self) -> tuple[int, int]:
        """How many messages were queued, which is the number of the latest, and how many are acknowledged."""
        return self._last_number, self._last_number - len(self._in_flight) - len(self._waiting)

    def change(self, event: SessionEvent, now: float) -> None:
        """Move to the state that follows ``event``."""
        self.state = next_state(TRANSITIONS, self.state, event, self)
        self._story.append(event)
        self.heard_at = now

    def cut(self, now: float, *, is_silent: bool) -> None:
        """Wait for another carrier: for long if nothing was heard, as of a peer that is only paused or cut off.

        One whose machine has closed the carrier is there, and back soon, or has ended.
        """
        give_up_at = now + self._limits.resume_s
        if is_silent:
            give_up_at = max(give_up_at, self.heard_at + self._limits.return_s)
        self._give_up_at = give_up_at
        self.was_silent = is_silent
        self.change(SessionEvent.CARRIER_LOST, now)

    def excuse(self, now: float) -> None:
        """Do not hold the past against the peer: this end was held up itself."""
        self.heard_at = now
        self._give_up_at = max(self._give_up_at, now + self._limits.resume_s)

    def check(self, body: Body, what: str) -> None:
        """Raise MessageTooLarge if the peer would refuse the message."""
        data, frames, nbytes = body
        if nbytes > self.peer_bytes_max:
            raise MessageTooLarge(
                f"{what} has {nbytes} bytes, but the peer accepts {self.peer_bytes_max}",
                thing=what,
                value=nbytes,
                remedy="Split it, or raise the limit message_bytes_max at the peer.",
            )
        limits = self._limits
        if len(data) > limits.header_bytes_max - 64:
            raise MessageTooLarge(
                f"{what} has {len(data)} bytes outside of frames, but the limit is {limits.header_bytes_max}",
                thing=what,
                value=len(data),
                remedy="Wrap large buffers with as_payload(), or split the batch.",
            )
        if frames and len(frames) >= limits.frames_max:
            raise MessageTooLarge(
                f"{what} has {len(frames)} frames, but the limit is {limits.frames_max - 1}",
                thing=what,
                value=len(frames),
                remedy="Split the batch.",
            )

    def push(self, kind: int, body: Body) -> None:
        """Queue a message for the peer.

        :raises QueueFull: if more than ``session_bytes_max`` bytes are queued already.
        """
        if self.queued_bytes > self._limits.session_bytes_max:
            raise QueueFull(
                f"{self.queued_bytes} bytes are queued for a peer that does not take them",
                thing="session_bytes_max",
                value=self.queued_bytes,
                remedy="Hold back while has_room is false.",
            )
        self._last_number = number = self._last_number + 1
        self._waiting.append((number, kind, body))
        nbytes = body.nbytes
        self.queued_bytes += nbytes
        self.waiting_bytes += nbytes
        if kind in ANSWER_KINDS:
            self._answers_bytes += nbytes

    def refusal_of_call(self) -> QueueFull | None:
        """Return why a call is not accepted now: the peer does not take the answers that it asked for.

        :raises ProtocolError: if it goes on to call all the same.
        """
        if self._answers_bytes <= self._limits.answers_bytes_max:
            self._refused_calls = 0
            return None
        self._refused_calls += 1
        problem = f"{self._answers_bytes} bytes of answers wait to be taken"
        if self._refused_calls > REFUSED_CALLS_MAX:
            raise ProtocolError(problem, thing="answers_bytes_max", value=self._answers_bytes)
        return QueueFull(
            problem,
            thing="answers_bytes_max",
            value=self._answers_bytes,
            remedy="Take them first, and ask for less at a time.",
        )

    def take(self, size_bytes: int, now: float) -> list[list[Buffer | Frame]]:
        """Return the next messages to send, as lists of frames; they count as under way.

        :param size_bytes: stop when this many bytes are reached; at least one message is returned
            if the window allows one.
        """
        messages: list[list[Buffer | Frame]] = []
        waiting = self._waiting
        window = self._limits.window_bytes
        while waiting and size_bytes > 0 and self._in_flight_bytes < window:
            outgoing = waiting.popleft()
            number, kind, (data, frames, nbytes) = outgoing
            messages.append([make_header(kind, number, self.received, data), *frames])
            self._in_flight.append(outgoing)
            self._in_flight_bytes += nbytes
            self.waiting_bytes -= nbytes
            size_bytes -= nbytes
        if messages:
            self.mark_sent(now)
        return messages

    def control(self, kind: int, fields: list[object], now: float) -> list[Buffer]:
        """Return the frames of a message without a number, for sending at once."""
        self.mark_sent(now)
        return control_message(kind, fields, self.received)

    def mark_sent(self, now: float) -> None:
        """Note that a message, and with it an acknowledgement, goes out now."""
        self.sent_at = now
        self._unacknowledged_bytes = 0
        self.unacknowledged_count = 0

    def receive(self, message: Message) -> bool:
        """Take in a message; tells whether it is new and in order, that is, to be acted upon.

        :raises ProtocolError: if the peer acknowledges what was never sent.
        """
        self._acknowledge(message.ack)
        if not message.number:
            return True
        self.unacknowledged_count += 1
        self._unacknowledged_bytes += message.nbytes
        if message.number != self.received + 1:
            return False
        self.received = message.number
        return True

    def missing_from(self, message: Message) -> int | None:
        """Return the number to ask a RESEND from if ``message`` left a gap not yet asked for."""
        missing = self.received + 1
        if message.number <= missing or self._resend_asked == missing:
            return None
        self._resend_asked = missing
        return missing

    def resume(self, last_received: int) -> None:
        """Go on with another carrier: send again, before anything else, all that follows ``last_received``.

        :raises ProtocolError: if the peer dropped what it had acknowledged, or claims what was
            never sent.
        """
        self._rewind(last_received)
        self._resend_asked = 0
        self._resent_to = 0

    def resend(self, first_missing: int) -> None:
        """Send again, before anything else, ``first_missing`` and all that follows, as a RESEND asks.

        What was sent again once is not sent a third time on the same carrier: a peer that asks for it
        does not want it, but fill the queues of this end.

        :raises ProtocolError: if it asks for that, or for what :meth:`resume` would refuse.
        """
        if first_missing <= self._resent_to:
            raise ProtocolError(
                f"the peer asks for message {first_missing} again and again",
                thing="first_missing",
                value=first_missing,
            )
        under_way = self._in_flight[-1][0] if self._in_flight else 0
        self._rewind(first_missing - 1)
        self._resent_to = max(under_way, first_missing)

    def _rewind(self, last_received: int) -> None:
        oldest = self._in_flight or self._waiting
        first = oldest[0][0] if oldest else self._last_number + 1
        if last_received + 1 < first:
            raise ProtocolError(
                f"the peer asks for message {last_received + 1}, which it acknowledged before",
                thing="last_received",
                value=last_received,
            )
        self._acknowledge(last_received)
        self._waiting.extendleft(reversed(self._in_flight))
        self.waiting_bytes += self._in_flight_bytes
        self._in_flight.clear()
        self._in_flight_bytes = 0

    def wants_ping(self, now: float) -> bool:
        """Tell whether nothing was sent for so long that the peer needs a sign of life."""
        return now - self.sent_at >= self.heartbeat_s

    def is_silent(self, now: float) -> bool:
        """Tell whether nothing was heard for so long that the carrier counts as lost."""
        return now - self.heard_at > self._limits.silence_s

    def is_expired(self, now: float) -> bool:
        """Tell whether the carrier is gone for so long that the session is given up."""
        return self.state is SessionState.CUT and now > self._give_up_at

    def _acknowledge(self, ack: int) -> None:
        if ack > self._last_number:
            raise ProtocolError(
                f"the peer acknowledges message {ack}, but {self._last_number} was the last one",
                thing="ack",
                value=ack,
            )
        in_flight, waiting = self._in_flight, self._waiting
        while in_flight:
            if in_flight[0][0] > ack:
                return
            self._in_flight_bytes -= self._forget(in_flight.popleft())
        while waiting and waiting[0][0] <= ack:
            self.waiting_bytes -= self._forget(waiting.popleft())

    def _forget(self, outgoing: _Outgoing) -> int:
        """Keep no account any more of what has been acknowledged; returns its size."""
        _, kind, body = outgoing
        nbytes = body.nbytes
        self.queued_bytes -= nbytes
        if kind in ANSWER_KINDS:
            self._answers_bytes -= nbytes
        return nbytes
