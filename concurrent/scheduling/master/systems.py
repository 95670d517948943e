"""The task systems at a master: gives each to a host process and brings its result home.

A host is a client of the master like an application. It proves by a token that it is the one that was
started, gets the system and its code, and from then on pushes tasks under an owner number of its own. If one
that was started ahead turns out to be dead or frozen, its system gets another. Loop thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final

from concurrent.core.errors import (
    InvalidArguments,
    MessageTooLarge,
    NodeError,
    SchedulingError,
)
from concurrent.core.loggers import get_log
from concurrent.core.logs import log_with_lines
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling.ledger.events import SystemStepped
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.hosts import End, Host, HostState, Reach
from concurrent.scheduling.master.sparehost import SpareHost
from concurrent.scheduling.master.status import SystemRow
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.failure import dumps_failure, too_large
from concurrent.scheduling.wire.messages import to_owner, to_system
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["SystemHosts"]

SYSTEMS_MAX: Final = 100
"""How many task systems one application may have at a time."""

log = get_log("concurrent.scheduling.master.systems")


@dataclass(slots=True, eq=False)
class _System:
    """A task system as its application pushed it: who that is, and what has to travel to the host.

    ``number`` is that of the system as an owner of tasks, 0 until a host was sent it.
    """

    handler: TCPHandler
    owner: int
    system_id: int
    code: list[bytes | Frame]
    payload: bytes | Frame
    number: int = 0
    step: SystemStepped | None = None


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
        self._dispatcher = dispatcher
        self._reach = reach
        self._on_owner = on_owner
        self._hosts: dict[Host, None] = {}
        self._system_by_host: dict[Host, _System] = {}
        self._spare = SpareHost(loop, partial(self._launch, is_ahead=True))

    def application_joined(self, owner: int) -> None:
        """Have a host ready, before long, for the first system of an application that may push some."""
        self._spare.application_joined(owner)

    def application_left(self, owner: int) -> None:
        """End all systems of an application; nothing happens if it is not known."""
        self.cancel(owner)
        self._spare.application_left(owner)

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
        running = sum(system.owner == owner for system in self._system_by_host.values())
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
        self._give(host, _System(handler, owner, system_id, code[:code_count], payload))
        self._courier.cast(handler, to_owner.tasksystem_accepted, system_id)

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
            if system.handler.is_open:
                self._courier.cast(system.handler, to_owner.tasksystem_progress, system.system_id, done, total)

    def held(self, number: int, reason: str) -> None:
        """Tell the application why the tasks of its system are not accepted for now."""
        for _, system in self._running(number):
            if system.handler.is_open:
                self._courier.cast(system.handler, to_owner.held, reason)

    def stepped(self, event: SystemStepped) -> None:
        """Keep what a system can go on from."""
        for _, system in self._running(event.owner):
            system.step = event

    def notice(self, number: int, text: str) -> None:
        """Tell the application what it should know of its system."""
        for _, system in self._running(number):
            log.warning("task system %d of %s: %s", system.system_id, system.handler.node_id, text)
            if system.handler.is_open:
                self._courier.cast(system.handler, to_owner.notice, text)

    def log(self, number: int, level: int, text: str) -> None:
        """Log what a system has to say."""
        for system in self._system_by_host.values():
            if system.number == number:
                first, _, lines = text.partition("\n")
                who = system.system_id, system.handler.node_id
                log_with_lines(log, level, lines, "task system %d of %s: %s", *who, first)

    def cancel(self, owner: int, system_ids: Sequence[int] | None = None) -> None:
        """End these systems of an application, or all: their hosts are killed."""
        for host, system in self._system_by_host.items():
            if system.owner == owner and (system_ids is None or system.system_id in system_ids):
                self._report(host, system, CANCELLED, b"")
                host.kill()

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
                application=system.handler.node_id,
                pid=host.pid,
                owner=system.number,
            )
            for host, system in reversed(running[-ROWS_MAX:])
        )

    @property
    def count(self) -> int:
        """How many systems run."""
        return sum(host.has_system for host in self._system_by_host)

    def _running(self, number: int | None = None) -> Iterator[tuple[Host, _System]]:
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

    def _give(self, host: Host, system: _System) -> None:
        """Have a host get a system: now, or when it joins."""
        self._system_by_host[host] = system
        host.claim()
        if host.session is not None:
            self._hand_over(host, host.session, system)

    def _hand_over(self, host: Host, session: TCPHandler, system: _System) -> None:
        """Send a host its system."""
        name = f"system {system.system_id} of {system.handler.node_id}"
        system.number = self._dispatcher.join_owner(session, name)
        for index, blob in enumerate(system.code):
            self._dispatcher.define_code(system.number, index, blob)
        self._on_owner(session, system.number)
        answer = session.call(to_system.host_system, system.system_id, system.code, system.payload)
        answer.add_done_callback(partial(self._handed_over, host, system))

    def _handed_over(self, host: Host, system: _System, answer: Future[None]) -> None:
        """Note that a host has its system, or end the host."""
        error = answer.exception()
        if error is None:
            host.begin()
            system.payload = b""
            return
        if isinstance(error, MessageTooLarge):
            self._report(host, system, FAILED, dumps_failure(error, None, ""))
        host.kill()

    def _report(self, host: Host, system: _System, status: int, payload: bytes | Frame) -> None:
        """Tell the application how its system ended, unless it was told."""
        if host.has_system:
            host.report()
            self._bring_home(system, status, payload)

    def _bring_home(self, system: _System, status: int, payload: bytes | Frame) -> None:
        """Tell the application how its system ended, and free what the system left behind."""
        self._free(system)
        handler, message = system.handler, to_owner.tasksystem_finished
        try:
            self._courier.cast_data(handler, message, system.system_id, status, payload)
        except MessageTooLarge:
            failure = too_large("the result of a task system", len(payload), handler.peer_bytes_max)
            self._courier.cast(handler, message, system.system_id, FAILED, failure)

    def _free(self, system: _System) -> None:
        """Have the system be an owner of tasks no more."""
        if system.number:
            self._dispatcher.leave_owner(system.number)

    def _ended(self, host: Host, end: End) -> None:
        """The process of a host has ended."""
        del self._hosts[host]
        system = self._system_by_host.pop(host, None)
        if system is None:
            if self._spare.ended(host):  # else that was wanted
                log.info("the host %d that waited for a task system %s: %s", host.pid, end.how, end.tail)
            return
        for line in end.tail.splitlines():
            log.info("task system %d: %s", system.system_id, line)
        never_had_it = end.before in (HostState.CLAIMED, HostState.LOADING)
        if never_had_it or end.before is HostState.HOSTING:
            if not (host.is_ahead and never_had_it and self._move(system)):
                self._died(host, system, end)
        self._spare.refill()

    def _died(self, host: Host, system: _System, end: End) -> None:
        """A host has ended before its system had."""
        evidence = f"the host {host.pid} of the task system {end.how}"
        log.warning("%s", evidence)
        text = f"{evidence}; its last output:\n{end.tail}" if end.tail else evidence
        self._bring_home(system, DIED, text.encode())

    def _move(self, system: _System) -> bool:
        """Start another host for a system that the former one never had; tells whether that is possible."""
        try:
            other = self._launch(is_ahead=False)
        except (NodeError, OSError):
            return False
        self._free(system)
        system.number = 0
        self._give(other, system)
        return True
