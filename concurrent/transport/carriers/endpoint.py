"""What servers and clients share: their carriers and handlers, their pulse and their end."""

from __future__ import annotations

import errno
import os
import time
from abc import ABC, abstractmethod
from asyncio import TimerHandle
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import partial
from typing import Any, Final

from concurrent.core.errors import AddressError, CallTimeout, LoopClosed, NotAllowed, ProtocolError
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine, RareTexts
from concurrent.core.stats import IEventCounter
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.carrier import ICarrier
from concurrent.transport.session.envelope import Message, control_message, decode
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import FEATURES, Bye, Kind

__all__ = ["Endpoint", "cannot_listen"]

STALL_S: Final = 1.0
"""A loop that is later than this for its pulse cannot blame its peers for silence."""

CLEAN_UP_TIMEOUT_S: Final = 1.0

log = get_log(__name__)


class Endpoint(ABC):
    """The common half of servers and clients; the owner of their carriers and handlers.

    Everything but the constructor and ``stop`` runs on the loop thread.
    """

    kind: str = ""
    on_open: Callable[[TCPHandler, bool], object] | None
    on_cut: Callable[[TCPHandler, bool], object] | None
    on_lost: Callable[[TCPHandler, str], object] | None
    on_refused: Callable[[str, NotAllowed], object] | None

    def __init__(self, loop: NodeLoop, node_id: str, stats: IEventCounter | None, limits: Limits) -> None:
        self.node_id = node_id
        self.methods = MethodRegistry()
        self.on_open = None
        self.on_cut = None
        self.on_lost = None
        self.on_refused = None
        self._loop = loop
        self._stats = stats
        self._limits = limits
        self._carriers: set[ICarrier] = set()
        self._greeting: dict[ICarrier, None] = {}
        self._handler_by_carrier: dict[ICarrier, TCPHandler] = {}
        self._missed_line = RareLine()
        self._refused_line = RareLine()
        self._not_allowed = RareTexts()
        self._is_started = False
        self._is_stopping = False
        self._heartbeat_s = limits.heartbeat_s
        self._pulse_at = 0.0
        self._pulse_timer: TimerHandle | None = None
        self._stop_when_released: Future[None] | None = None
        self.farewell = ""
        """Why it stops, for the peers."""

    def stop(self, timeout_s: float = 5.0) -> None:
        """Send what is queued, say BYE to the peers and free all resources.

        Another thread than the loop's; may be repeated. What cannot be sent in time is dropped.

        :param timeout_s: how long this may take, in seconds.
        """
        assert not self._loop.is_current(), "a stop that waits would block the loop"
        if not self._is_started:
            return
        deadline = time.monotonic() + timeout_s
        drained: Future[None] = Future()
        released: Future[None] = Future()
        try:
            self._loop.post(self._begin_stop, drained)
            with suppress(FutureTimeoutError):
                drained.result(timeout_s / 2)
            self._loop.post(self._dismiss_all, released)
            with suppress(FutureTimeoutError):
                released.result(max(0.0, deadline - time.monotonic()))
            self._loop.call(self._close_all, timeout_s=CLEAN_UP_TIMEOUT_S)
        except LoopClosed:  # its thread is gone, so this one is alone with the rest
            self._close_all()
        except CallTimeout:
            log.error("%s: the loop is held up; sockets may be left open", self)
        self._free()

    def dismiss_revoked(self, serials: Iterable[str]) -> None:
        """End the sessions with those who have just been revoked, cut ones too. Loop thread only.

        It is called by the ``Trust`` of this end; to repeat it does nothing.

        :param serials: of their certificates.
        """
        revoked = frozenset(serials)
        for handler in self._all_handlers():
            if handler.identity.serial in revoked:
                log.warning("%s: %s has been revoked: the session of %s ends", self, handler.identity, handler)
                handler.dismiss(Bye.of(NotAllowed(f"{handler.identity} has been revoked")))

    @property
    def features(self) -> tuple[str, ...]:
        """What this endpoint says in its greeting that it knows: its own features and those of its methods."""
        return (*FEATURES, *self.methods.features)

    def received(self, carrier: ICarrier, batch: list[list[Buffer]]) -> None:
        """Take in messages from ``carrier``; the first one on it is the greeting."""
        handler = self._handler_by_carrier.get(carrier)
        try:
            if handler is None:
                if carrier not in self._carriers:
                    return
                self._greet(carrier, decode(batch[0]))
                handler = self._handler_by_carrier.get(carrier)
                batch = batch[1:]
            if handler is not None and batch:
                handler.receive(carrier, batch)
        except ProtocolError as error:
            self.broken(carrier, error)

    def broken(self, carrier: ICarrier, error: ProtocolError) -> None:
        """Refuse a peer that broke the protocol: it alone pays for it."""
        handler = self._handler_by_carrier.get(carrier)
        self.say_refused(f"{handler.node_id} at {carrier.peer_ip}" if handler else carrier.peer_ip, error)
        bye = Bye.of(error)
        if handler is not None:
            handler.dismiss(bye)
        else:
            carrier.send([control_message(Kind.BYE, bye.to_fields())])
            carrier.close(flush=True)

    def say_refused(self, who: str, error: ProtocolError) -> None:
        """Count a peer that is refused, and log it, rarely for one that comes again and again."""
        now = self._loop.time()
        is_new = not isinstance(error, NotAllowed) or self._not_allowed.is_due(f"{who}: {error}", now)
        suffix = self._refused_line.suffix(now) if is_new else None
        if suffix is not None:
            log.warning("%s: refused %s: %s%s", self, who, error, suffix)
            if isinstance(error, NotAllowed) and self.on_refused is not None:
                self._tell(self.on_refused, who, error)
        self.count("connections_refused")

    def lost(self, carrier: ICarrier, reason: str, *, is_silent: bool = False) -> None:
        """A carrier is gone; its session waits to be resumed."""
        handler = self._handler_by_carrier.pop(carrier, None)
        if handler is not None:
            log.info("%s: lost the connection to %s: %s", self, handler.node_id, reason)
            self.count("connections_lost")
            handler.lose_carrier(is_silent=is_silent)
            if self.on_cut is not None:
                self._tell(self.on_cut, handler, is_silent)

    def writable(self, carrier: ICarrier) -> None:
        """The carrier has room again."""
        handler = self._handler_by_carrier.get(carrier)
        if handler is not None:
            handler.flush()

    def released(self, carrier: ICarrier) -> None:
        """The carrier holds no resource any more."""
        self._carriers.discard(carrier)
        self._greeting.pop(carrier, None)
        self._handler_by_carrier.pop(carrier, None)
        self._check_released()

    def ended(self, handler: TCPHandler, carrier: ICarrier | None, reason: str) -> None:
        """A session has ended for good."""
        if carrier is not None:
            self._handler_by_carrier.pop(carrier, None)
            carrier.close(flush=True)
        log.debug("%s: the session with %s has ended: %s", self, handler.node_id, reason)
        if self.on_lost is not None:
            self._tell(self.on_lost, handler, reason)

    def count(self, name: str) -> None:
        """Count an event in the node's statistics, if it keeps any."""
        if self._stats is not None:
            self._stats.add_count(f"transport.{name}")

    def _add_carrier(self, carrier: ICarrier) -> None:
        """Own a connection; it has to greet soon."""
        self._carriers.add(carrier)
        self._greeting[carrier] = None

    def _has_greeted(self, carrier: ICarrier, handler: TCPHandler) -> None:
        """The connection carries the session of ``handler`` from now on."""
        self._greeting.pop(carrier, None)
        self._handler_by_carrier[carrier] = handler

    @abstractmethod
    def _greet(self, carrier: ICarrier, message: Message) -> None:
        """Take the first message on a carrier; raises ProtocolError."""

    @abstractmethod
    def _all_handlers(self) -> list[TCPHandler]:
        """Return the handlers whose sessions have not ended."""

    @abstractmethod
    def _stop_opening(self) -> None:
        """Open no more connections."""

    @abstractmethod
    def _free(self) -> None:
        """Free what is left when all carriers are closed. Runs in the thread that calls stop."""

    def _tell(self, fn: Callable[..., object], *args: Any) -> None:
        try:
            fn(*args)
        except BaseException:  # boundary: a callback of the node must not take the connection along
            log.exception("%s: a callback failed", self)

    def _start_pulse(self) -> None:
        if self._pulse_timer is not None:
            self._pulse_timer.cancel()
        self._pulse_at = self._loop.time()
        self._pulse_timer = self._loop.call_later(self._heartbeat_s / 2, self._pulse)

    def _pulse(self) -> None:
        """Twice per heartbeat: look after the sessions, and after connections that do not greet."""
        if self._is_stopping:
            return
        now = self._loop.time()
        has_stalled = now - self._pulse_at > self._heartbeat_s / 2 + STALL_S
        self._start_pulse()
        for handler in self._all_handlers():
            handler.tick(now, has_stalled=has_stalled)
        for carrier in tuple(self._greeting):
            if now - carrier.opened_at > self._limits.hello_timeout_s and not has_stalled:
                self._greeting_missed(carrier)

    def _greeting_missed(self, carrier: ICarrier) -> None:
        suffix = self._missed_line.suffix(self._loop.time())
        if suffix is not None:
            timeout_s = self._limits.hello_timeout_s
            log.warning("%s: %s did not greet within %s s%s", self, carrier.peer_ip, timeout_s, suffix)
        carrier.close()

    def _begin_stop(self, drained: Future[None]) -> None:
        """Take no new connection; ``drained`` is done when no peer has anything left to get."""
        self._is_stopping = True
        self._stop_opening()
        waiting = {handler for handler in self._all_handlers() if handler.is_open}

        def one_drained(handler: TCPHandler) -> None:
            waiting.discard(handler)
            if not waiting:
                drained.set_result(None)

        for handler in tuple(waiting):
            handler.when_drained(partial(one_drained, handler))
        if not waiting:
            drained.set_result(None)

    def _dismiss_all(self, released: Future[None]) -> None:
        for carrier in self._carriers - self._handler_by_carrier.keys():
            carrier.close()
        for handler in self._all_handlers():
            handler.dismiss(Bye("closed", f"{self.node_id} stops{self.farewell and ': ' + self.farewell}"))
        self._stop_when_released = released
        self._check_released()

    def _check_released(self) -> None:
        if self._stop_when_released is not None and not self._carriers:
            self._stop_when_released.set_result(None)
            self._stop_when_released = None

    def _close_all(self) -> None:
        self._is_stopping = True
        self._stop_when_released = None
        self._stop_opening()
        for carrier in tuple(self._carriers):
            carrier.close()


def cannot_listen(address: str, port: int, number: int | None) -> AddressError:
    """Return the error for an address that cannot be bound.

    :param number: the error number of the system.
    """
    return AddressError(
        f"cannot listen on {address}: {os.strerror(number or errno.EINVAL)}",
        thing="port",
        value=port,
        remedy="Stop what uses the address, choose another port, or use port 0."
        if number == errno.EADDRINUSE
        else "Use an address of this machine and a port that you may use.",
    )
