"""The task systems at a master: gives each to a host process and brings its result home.

A host is a client of the master like an application. It proves by a token that it is the one that was
started, gets the system and its code, and from then on pushes tasks under an owner number of its own. If one
that was started ahead turns out to be dead or frozen, its system gets another. Where the master has a journal a
system outlives its hosts: each goes on with what the last one left. Loop thread only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

from concurrent.core.errors import (
    InvalidArguments,
    MessageTooLarge,
    NodeError,
    SchedulingError,
)
from concurrent.core.logformat import log_with_lines
from concurrent.core.loggers import get_log
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling.ledger.events import SystemStepped
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.hosts import End, Host, HostState, Reach
from concurrent.scheduling.master.sparehost import SpareHost
from concurrent.scheduling.master.status import SystemRow
from concurrent.scheduling.master.systembook import System
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.failure import dumps_failure, too_large
from concurrent.scheduling.wire.messages import to_owner, to_system
from concurrent.transport.calls.declaration import Cast, P
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["SystemHosts"]

SYSTEMS_MAX: Final = 100
"""How many task systems one application may have at a time."""

log = get_log(__name__)


class SystemHosts:
    """See the module.

    :param loop: the master's loop.
    :param launcher: what starts the hosts.
    :param dispatcher: where they become owners of tasks.
    :param reach: where the hosts find the master.
    :param on_owner: called when a host may push tasks, with its session and its number as an owner.
    """

    def __init__(
        self,
        loop: NodeLoop,
        launcher: Launcher,
        dispatcher: Dispatcher,
        reach: Reach,
        on_owner: Callable[[TCPHandler, int], object],
    ) -> None:
        self._courier = Courier(loop)
        self._launcher = launcher
        self._loop = loop
        self._dispatcher = dispatcher
        self._desk = dispatcher.systems
        self._book = self._desk.book
        self._reach = reach
        self._on_owner = on_owner
        self._hosts: dict[Host, None] = {}
        self._system_by_host: dict[Host, System] = {}
        self._spare = SpareHost(loop, partial(self._launch, is_ahead=True))

    def application_joined(self, owner: int, handler: TCPHandler) -> None:
        """Have a host ready, before long, for the first system of an application that may push some.

        It is told again how its systems have ended.
        """
        self._spare.application_joined(owner)
        for system in self._book.of(owner):
            system.handler = handler
            if system.outcome is not None:
                self._tell_outcome(system)

    def application_left(self, owner: int) -> None:
        """End all systems of an application; nothing happens if it is not known."""
        self.cancel(owner)
        self._spare.application_left(owner)
        for system in self._book.of(owner):
            self._desk.leave(system)

    def session_left(self, owner: int) -> None:
        """Have no host ready for an application that has left its job; its systems go on."""
        self._spare.application_left(owner)

    def hold(self, owner: int) -> None:
        """End the hosts of an application that is held; its systems go on in others once it is not."""
        for host, system in list(self._running()):
            if system.application == owner:
                host.kill()

    def released(self, owner: int) -> None:
        """Have the systems of an application run that was held."""
        for system in self._book.of(owner):
            self._desk.release(system)
        self.resume(owner)

    def resume(self, owner: int | None = None) -> None:
        """Have systems go on that outlived their hosts: those of an application, or all."""
        hosted = set(self._system_by_host.values())
        for system in self._book:
            is_meant = owner in (None, system.application) and system.outcome is None
            if is_meant and system not in hosted and not self._desk.why_held(system):
                self._go_on(system)

    def close(self) -> None:
        """Have no more hosts ready."""
        self._spare.close()

    def start(
        self,
        handler: TCPHandler,
        owner: int,
        system_id: int,
        code_count: int,
        payload: bytes | Frame,
    ) -> None:
        """Start a host for a system of an application.

        :param handler: the session of the application.
        :param owner: its number.
        :param system_id: the number that the application gave to the system.
        :raises SchedulingError: if the application has too many already.
        :raises InvalidArguments: if the system needs code that was not sent.
        """
        if known := self._book.of(owner, system_id):
            self._pushed_again(known[0], handler)
            return
        running = sum(system.application == owner for system in self._system_by_host.values())
        if running >= SYSTEMS_MAX:
            raise SchedulingError(
                f"the application has {running} task systems already",
                thing="push_tasksystem",
                value=running,
                remedy="Push the next one when one of them has finished",
            )
        code = self._dispatcher.code_of(owner)
        if code_count > len(code):
            raise InvalidArguments(
                f"the task system needs {code_count} code blobs, {len(code)} were sent",
                thing="code_count",
            )
        host = self._spare.take() or self._launch(is_ahead=False)
        system = System(owner, handler.node_id, system_id, payload, code[:code_count], handler)
        self._desk.begin(system)
        self._give(host, system)
        self._desk.when_kept(partial(self._tell, system, to_owner.tasksystem_accepted, system_id))

    def join(self, handler: TCPHandler, token: str) -> None:
        """Take in a host that was started; it gets its system now, or when there is one.

        :raises NodeError: if no host that is expected has this token.
        """
        for host in self._hosts:
            if host.expects(token):
                host.join(handler)
                if host.has_system:
                    self._hand_over(host, handler, self._system_by_host[host])
                return
        raise NodeError("no host of a task system is expected with this token", thing="join_system")

    def finished(self, number: int, status: int, payload: bytes | Frame) -> None:
        """Bring the result of a system home to its application."""
        for host, system in self._running(number):
            self._report(host, system, status, payload)

    def progress(self, number: int, done: int, total: int) -> None:
        """Tell the application how far a system is."""
        for _, system in self._running(number):
            self._tell(system, to_owner.tasksystem_progress, system.system_id, done, total)

    def held(self, number: int, reason: str) -> None:
        """Tell the application why the tasks of its system are not accepted for now."""
        for _, system in self._running(number):
            self._tell(system, to_owner.held, reason)

    def stepped(self, step: SystemStepped) -> None:
        """Keep how far a system is.

        :raises SchedulingError: if it was not given so many outcomes.
        """
        for _, system in self._running(step.owner):
            if system.job:
                self._desk.stepped(system, step)

    def heard(self, owner: int, system_id: int) -> None:
        """An application has dealt with the outcome of a system."""
        for system in self._book.of(owner, system_id):
            if system.outcome is not None:
                self._desk.heard(system)

    def notice(self, number: int, text: str) -> None:
        """Tell the application what it should know of its system."""
        for _, system in self._running(number):
            is_told = self._tell(system, to_owner.notice, text)  # then its program warns
            log.log(logging.INFO if is_told else logging.WARNING, "task %s: %s", system.name, text)

    def log(self, number: int, level: int, text: str) -> None:
        """Log what a system has to say."""
        for system in self._system_by_host.values():
            if system.number == number:
                first, _, lines = text.partition("\n")
                log_with_lines(
                    log, level, lines, "task system %d of %s: %s", system.system_id, system.node_id, first
                )

    def cancel(self, owner: int, system_ids: Sequence[int] | None = None) -> None:
        """End these systems of an application, or all: their hosts are killed."""
        for host, system in self._system_by_host.items():
            if system.application == owner and (system_ids is None or system.system_id in system_ids):
                self._report(host, system, CANCELLED, b"")
                host.kill()
        for system in self._book.of(owner):
            if system.outcome is None and (system_ids is None or system.system_id in system_ids):
                self._bring_home(system, CANCELLED, b"")

    def lost(self, session: TCPHandler) -> None:
        """End the host whose session has ended while it lives; its end is reported to the application."""
        for host in self._hosts:
            if host.session is session:
                host.kill()

    def status(self) -> tuple[SystemRow, ...]:
        """Return the systems that run; the newest ``ROWS_MAX`` of them."""
        running = list(self._running())
        return tuple(
            SystemRow(
                system_id=system.system_id,
                application=system.node_id,
                pid=host.pid,
                owner=system.number,
            )
            for host, system in reversed(running[-ROWS_MAX:])
        )

    @property
    def count(self) -> int:
        """How many systems run."""
        return sum(host.has_system for host in self._system_by_host)

    def _running(self, number: int | None = None) -> Iterator[tuple[Host, System]]:
        """Iterate over the systems of which nothing was reported yet.

        :param number: that of the one that is wanted as an owner of tasks; None for all.
        """
        for host, system in self._system_by_host.items():
            if host.has_system and (number is None or system.number == number):
                yield host, system

    def _launch(self, *, is_ahead: bool) -> Host:
        host = Host(self._launcher, self._reach, self._ended, is_ahead=is_ahead)
        self._hosts[host] = None
        return host

    def _give(self, host: Host, system: System) -> None:
        """Have a host get a system: now, or when it joins."""
        self._system_by_host[host] = system
        host.claim()
        if host.session is not None:
            self._hand_over(host, host.session, system)

    def _hand_over(self, host: Host, session: TCPHandler, system: System) -> None:
        """Send a host its system."""
        if system.job:
            self._on_owner(session, system.number)
            self._dispatcher.fits.system_joined(system.number, system.application)
            try:
                self._desk.hand_over(system, session, partial(self._send, host, session, system))
            except OSError as error:
                log.error("task %s cannot be read from the journal: %s", system.name, error)
                host.kill()
            return
        weight = self._dispatcher.jobs.weight_of(system.application)
        system.number = self._dispatcher.jobs.begin(
            session, system.name, weight=weight, application=system.application
        )
        for index, blob in enumerate(system.code):
            self._dispatcher.define_code(system.number, index, blob)
        self._on_owner(session, system.number)
        self._dispatcher.fits.system_joined(system.number, system.application)
        self._send(host, session, system, system.code, system.payload)

    def _send(self, host: Host, session: TCPHandler, system: System, code: list[Any], payload: Any) -> None:
        answer = session.call(to_system.host_system, system.system_id, code, payload)
        answer.add_done_callback(partial(self._handed_over, host, system))

    def _handed_over(self, host: Host, system: System, answer: Future[None]) -> None:
        """Note that a host has its system, or end the host."""
        error = answer.exception()
        if error is None:
            host.begin()
            if not system.job:
                system.payload = b""
            return
        if isinstance(error, MessageTooLarge):
            self._report(host, system, FAILED, dumps_failure(error, None, ""))
        host.kill()

    def _report(self, host: Host, system: System, status: int, payload: bytes | Frame) -> None:
        """Tell the application how its system ended, unless it was told."""
        if host.has_system:
            host.report()
            self._bring_home(system, status, payload)

    def _bring_home(self, system: System, status: int, payload: bytes | Frame) -> None:
        """Tell the application how its system ended, and free what the system left behind."""
        if system.job:
            self._desk.ended(system, status, payload)
            self._desk.when_kept(partial(self._tell_outcome, system))
        else:
            self._free(system)
            self._tell_end(system, status, payload)

    def _tell_outcome(self, system: System) -> None:
        try:
            self._tell_end(system, *self._desk.outcome_of(system))
        except OSError as error:
            log.error("the outcome of task %s cannot be read from the journal: %s", system.name, error)

    def _tell_end(self, system: System, status: int, payload: bytes | Frame) -> None:
        handler, message = system.handler, to_owner.tasksystem_finished
        if handler is None or not handler.is_open:
            return
        try:
            self._courier.cast_data(handler, message, system.system_id, status, payload)
        except MessageTooLarge:
            failure = too_large("the result of a task system", len(payload), handler.peer_bytes_max)
            self._courier.cast(handler, message, system.system_id, FAILED, failure)

    def _tell(self, system: System, message: Cast[P], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Tell the application something of its system, if it is there; return whether it is."""
        handler = system.handler
        if handler is None or not handler.is_open:
            return False
        return self._courier.cast(handler, message, *args, **kwargs)

    def _pushed_again(self, system: System, handler: TCPHandler) -> None:
        """An application has pushed a system that is here."""
        system.handler = handler
        self._tell(system, to_owner.tasksystem_accepted, system.system_id)
        if system.outcome is not None:
            self._tell_outcome(system)

    def _free(self, system: System) -> None:
        """Have the system be an owner of tasks no more."""
        if system.number:
            self._dispatcher.jobs.leave(system.number)

    def _ended(self, host: Host, end: End) -> None:
        """The process of a host has ended."""
        del self._hosts[host]
        system = self._system_by_host.pop(host, None)
        if system is None:
            if self._spare.ended(host):  # else that was wanted
                tail = end.tail and f": {end.tail}"
                log.info("the host %d that waited for a task system %s%s", host.pid, end.how, tail)
            return
        for line in end.tail.splitlines():
            log.info("task system %d: %s", system.system_id, line)
        never_had_it = end.before in (HostState.CLAIMED, HostState.LOADING)
        if never_had_it or end.before is HostState.HOSTING:
            if not (host.is_ahead and never_had_it and self._move(system)):
                self._lost(host, system, end)
        self._spare.refill()

    def _lost(self, host: Host, system: System, end: End) -> None:
        """A host has ended before its system had."""
        if system.job and (reason := self._desk.why_held(system)):
            log.info("task %s waits: %s", system.name, reason)
            self._desk.detach(system)
            return
        evidence = f"the host {host.pid} of the task system {end.how}"
        log.warning("%s", evidence)
        text = f"{evidence}; its last output:\n{end.tail}" if end.tail else evidence
        was_given = end.before is not HostState.CLAIMED
        may_go_on = system.may_go_on(text, time.time(), was_given=was_given)
        if system.job:
            self._desk.lost(system)
        if may_go_on and system.job and self._move(system):
            log.warning("task %s goes on in another process", system.name)
        else:
            self._bring_home(system, DIED, system.evidence.encode())

    def _move(self, system: System) -> bool:
        """Start another host for a system that has lost its one; tells whether that is possible."""
        try:
            other = self._launch(is_ahead=False)
        except (NodeError, OSError):
            return False
        if system.job:
            self._desk.detach(system)
        else:
            self._free(system)
            system.number = 0
        self._give(other, system)
        return True

    def _go_on(self, system: System) -> None:
        """Have a system go on that has no host."""
        try:
            self._give(self._launch(is_ahead=False), system)
        except (NodeError, OSError) as error:
            self._bring_home(system, FAILED, dumps_failure(error, None, ""))
