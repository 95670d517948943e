"""What the parts of a handler are tried with: a loop whose time stands still, a carrier, and owners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from concurrent.transport.calls.line import Line
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.calls.pushback import PushBack
from concurrent.transport.security.identity import ANYBODY
from concurrent.transport.session.envelope import Message, decode
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Bye, Kind

PEER_BYTES_MAX = 1 << 28


class Timer:
    """One call that comes later."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        """Do not call."""
        self.is_cancelled = True


class StillLoop:
    """Does nothing before it is told to; ``is_other`` says that the caller is in another thread."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_other = False
        self.deferred: list[Callable[[], object]] = []
        self.ready: list[Callable[[], object]] = []
        self.timers: list[Timer] = []

    def time(self) -> float:
        """Return the time."""
        return self.now

    def is_current(self) -> bool:
        """Tell whether the caller is in the loop's thread."""
        return not self.is_other

    def defer(self, fn: Callable[[], object]) -> None:
        """Call at the end of the turn."""
        self.deferred.append(fn)

    def call_soon(self, fn: Callable[..., object], *args: Any) -> None:
        """Call in the turn."""
        self.ready.append(lambda: fn(*args))

    post = call_soon

    def call_later(self, delay_s: float, fn: Callable[..., object], *args: Any) -> Timer:
        """Call when the timers are let run."""
        self.timers.append(Timer(lambda: fn(*args)))
        return self.timers[-1]

    def turn(self) -> None:
        """Make all calls that are due."""
        while self.ready or self.deferred:
            (self.ready or self.deferred).pop(0)()

    def let_timers_run(self) -> None:
        """Make all calls of timers, then those that are due."""
        timers, self.timers = self.timers, []
        for timer in timers:
            if not timer.is_cancelled:
                timer.call()
        self.turn()


class Wire:
    """A carrier that keeps what it is given."""

    peer_ip = "192.0.2.1"
    opened_at = 0.0
    has_room = True
    is_held_up = False

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.sendings = 0
        self.is_closed = False

    def send(self, messages: Sequence[Sequence[Any]]) -> None:
        """Keep messages."""
        self.sendings += 1
        self.messages += [decode(message) for message in messages]

    def kinds(self) -> list[Kind]:
        """Return the kinds of what was sent."""
        return [Kind(message.kind) for message in self.messages]

    def close(self, *, flush: bool = False) -> None:
        """Close."""
        self.is_closed = True


class Owner:
    """Has methods and counts."""

    def __init__(self) -> None:
        self.methods = MethodRegistry()
        self.counted: list[str] = []

    def count(self, name: str) -> None:
        """Count an event."""
        self.counted.append(name)


class Peer:
    """Who is answered."""

    node_id = "peer"
    peer_ip = "192.0.2.1"
    identity = ANYBODY

    def __init__(self) -> None:
        self.dismissals: list[Bye] = []

    def dismiss(self, bye: Bye) -> None:
        """Keep why the session was ended."""
        self.dismissals.append(bye)


def new_line(loop: StillLoop, limits: Limits | None = None) -> tuple[Line, PushBack, Wire]:
    """Return a line with an open session, the bound of its queue, and the carrier under it."""
    limits = limits or Limits()
    push_back = PushBack(limits.outbox_bytes_max, limits.room_timeout_s)
    line, wire = Line(loop, limits, push_back), Wire()
    line.open(wire, "session", PEER_BYTES_MAX)
    loop.turn()
    return line, push_back, wire
