"""The task systems at a master: starts a host process for each and brings its result home.

A host is a client of the master like an application. It proves by a token that it is the one that was
started, gets the system and its code, and from then on pushes tasks under an owner number of its own.

While applications with systems are there, one host is kept ready, so that the next system does not wait for a
process to start. It is started a while after the first of them has come, when that has got everything else. If
it turns out to be dead or frozen, its system gets another. Loop thread only.
"""

from __future__ import annotations

import hmac
import itertools
import logging
import secrets
from asyncio import TimerHandle
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
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.status import SystemRow
from concurrent.scheduling.processes.launcher import Child, Launcher, how_it_ended
from concurrent.scheduling.processes.taskoutput import OutputFile
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

AHEAD_DELAY_S: Final = 1.0
"""How long after an application has joined a host is started ahead: the cluster may just be starting too."""

ENTRY: Final = "concurrent.scheduling.owner.systemhost:main"

log = get_log("concurrent.scheduling.master.systems")


@dataclass(slots=True, eq=False)
class _System:
    """A task system as its application pushed it: who that is, and what has to travel to the host."""

    handler: TCPHandler
    owner: int
    system_id: int
    code: list[bytes | Frame]
    payload: bytes | Frame


@dataclass(slots=True, eq=False)
class _Host:
    """A process that hosts one task system, or waits for it.

    ``session`` is None until it has joined; ``number`` is 0 until it is an owner of tasks. ``has_begun`` says
    that it has its system; until then another process can have it, if this one was started before there was
    any (``is_ahead``).
    """

    token: str
    output: OutputFile
    is_ahead: bool
    child: Child | None = None
    session: TCPHandler | None = None
    system: _System | None = None
    number: int = 0
    has_begun: bool = False
    is_over: bool = False


class SystemHosts:
    """See the module.

    :param loop: the master's loop.
    :param launcher: what starts the hosts.
    :param dispatcher: where they become owners of tasks.
    :param reach: channel, host and port at which the hosts reach the master.
    :param on_owner: called when a host may push tasks, with its session and its number as an owner.
    """

    def __init__(
        self,
        loop: NodeLoop,
        launcher: Launcher,
        dispatcher: Dispatcher,
        reach: tuple[str, str, int],
        on_owner: Callable[[TCPHandler, int], object],
    ) -> None:
        self._loop = loop
        self._courier = Courier(loop)
        self._launcher = launcher
        self._dispatcher = dispatcher
        self._reach = reach
        self._on_owner = on_owner
        self._hosts: dict[int, _Host] = {}
        self._spare: _Host | None = None
        self._applications: set[int] = set()
        self._timer: TimerHandle | None = None
        self._keys = itertools.count(1)

    def application_joined(self, owner: int) -> None:
        """Have a host ready, before long, for the first system of an application that may push some."""
        self._applications.add(owner)
        if self._timer is None:
            self._timer = self._loop.call_later(AHEAD_DELAY_S, self._prepare)

    def application_left(self, owner: int) -> None:
        """End all systems of an application; nothing happens if it is not known."""
        self._applications.discard(owner)
        self.cancel(owner)
        if not self._applications:
            self._drop_spare()

    def close(self) -> None:
        """Have no more hosts ready."""
        self._cancel_timer()
        self._applications.clear()
        self._drop_spare()

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
        running = sum(system.owner == owner for _, system in self._hosted())
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
        host = self._take_spare() or self._launch(is_ahead=False)
        host.system = _System(handler, owner, system_id, code[:code_count], payload)
        if host.session is not None:
            self._hand_over(host, host.session, host.system)
        self._courier.cast(handler, to_owner.tasksystem_accepted, system_id)

    def join(self, handler: TCPHandler, token: str) -> None:
        """Take in a host that was started; it gets its system now, or when there is one.

        :raises NodeError: if no host that is expected has this token.
        """
        for host in self._hosts.values():
            is_it = hmac.compare_digest(host.token.encode(), token.encode())
            if is_it and host.session is None and not host.is_over:
                host.session = handler
                if host.system is not None:
                    self._hand_over(host, handler, host.system)
                return
        raise NodeError("no host of a task system is expected with this token", thing="join_system")

    def finished(self, number: int, status: int, payload: bytes | Frame) -> None:
        """Bring the result of a system home to its application."""
        for host, system in self._hosted():
            if host.number == number and not host.is_over:
                self._report(host, system, status, payload)

    def progress(self, number: int, done: int, total: int) -> None:
        """Tell the application how far a system is."""
        for host, system in self._hosted():
            if host.number == number and not host.is_over and system.handler.is_open:
                self._courier.cast(system.handler, to_owner.tasksystem_progress, system.system_id, done, total)

    def held(self, number: int, reason: str) -> None:
        """Tell the application why the tasks of its system are not accepted for now."""
        for host, system in self._hosted():
            if host.number == number and not host.is_over and system.handler.is_open:
                self._courier.cast(system.handler, to_owner.held, reason)

    def log(self, number: int, level: int, text: str) -> None:
        """Log what a system has to say."""
        for host, system in self._hosted():
            if host.number == number:
                first, _, lines = text.partition("\n")
                who = system.system_id, system.handler.node_id
                log_with_lines(log, level, lines, "task system %d of %s: %s", *who, first)

    def cancel(self, owner: int, system_ids: Sequence[int] | None = None) -> None:
        """End these systems of an application, or all: their hosts are killed."""
        for host, system in self._hosted():
            if system.owner == owner and (system_ids is None or system.system_id in system_ids):
                self._report(host, system, CANCELLED, b"")
                _kill(host)

    def lost(self, session: TCPHandler) -> None:
        """End the host whose session has ended while it lives; its end is reported to the application."""
        for host in self._hosts.values():
            if host.session is session:
                _kill(host)

    def status(self) -> tuple[SystemRow, ...]:
        """Return the systems that run; the newest ``ROWS_MAX`` of them."""
        running = [one for one in self._hosted() if not one[0].is_over]
        return tuple(
            SystemRow(
                system_id=system.system_id,
                application=system.handler.node_id,
                pid=host.child.pid if host.child is not None else 0,
                owner=host.number,
            )
            for host, system in reversed(running[-ROWS_MAX:])
        )

    @property
    def count(self) -> int:
        """How many systems run."""
        return sum(not host.is_over for host, _ in self._hosted())

    def _hosted(self) -> Iterator[tuple[_Host, _System]]:
        """Iterate over the hosts that have a system, over or not."""
        for host in self._hosts.values():
            if host.system is not None:
                yield host, host.system

    def _prepare(self) -> None:
        """Have a host ready for the next system, if there may be one."""
        self._cancel_timer()
        if self._spare is None and self._applications:
            try:
                self._spare = self._launch(is_ahead=True)
            except (NodeError, OSError) as error:  # the next system says so, if that is still so
                log.info("no host waits for the next task system: %s", error)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            _kill(spare)

    def _launch(self, *, is_ahead: bool) -> _Host:
        """Start a host."""
        key = next(self._keys)
        host = _Host(secrets.token_hex(16), OutputFile("system-output"), is_ahead)

        def ended(pid: int, signal: int | None, exit_code: int | None, tail: str) -> None:
            self._ended(key, pid, signal, exit_code, tail)

        level = logging.getLevelName(logging.getLogger("concurrent").getEffectiveLevel()).lower()
        try:
            host.child = self._launcher.launch(
                ENTRY, [], [*self._reach, host.token, level], stderr_to=host.output, on_exit=ended
            )
        except NodeError:
            host.output.close()
            raise
        self._hosts[key] = host
        return host

    def _take_spare(self) -> _Host | None:
        """Return the host that waits for a system, if there is one that can be reached."""
        spare = self._spare
        if spare is not None and spare.session is not None and not spare.session.is_open:
            self._drop_spare()
            return None
        self._spare = None
        return spare

    def _hand_over(self, host: _Host, session: TCPHandler, system: _System) -> None:
        """Give a host its system."""
        name = f"system {system.system_id} of {system.handler.node_id}"
        host.number = self._dispatcher.join_owner(session, name)
        for index, blob in enumerate(system.code):
            self._dispatcher.define_code(host.number, index, blob)
        self._on_owner(session, host.number)
        answer = session.call(to_system.host_system, system.system_id, system.code, system.payload)
        answer.add_done_callback(partial(self._handed_over, host, system))

    def _handed_over(self, host: _Host, system: _System, answer: Future[None]) -> None:
        """Take note that a host has its system, or end the host."""
        error = answer.exception()
        if error is None:
            host.has_begun = True
            system.payload = b""
            return
        if isinstance(error, MessageTooLarge):
            self._report(host, system, FAILED, dumps_failure(error, None, ""))
        _kill(host)

    def _report(self, host: _Host, system: _System, status: int, payload: bytes | Frame) -> None:
        """Tell the application once how its system ended, and free what the system left behind."""
        if host.is_over:
            return
        host.is_over = True
        if host.number:
            self._dispatcher.leave_owner(host.number)
        handler, message = system.handler, to_owner.tasksystem_finished
        try:
            self._courier.cast_data(handler, message, system.system_id, status, payload)
        except MessageTooLarge:
            failure = too_large("the result of a task system", len(payload), handler.peer_bytes_max)
            self._courier.cast(handler, message, system.system_id, FAILED, failure)

    def _ended(self, key: int, pid: int, signal: int | None, code: int | None, tail: str) -> None:
        host = self._hosts.pop(key)
        host.output.close()
        how = how_it_ended(signal, code)
        system = host.system
        if system is None:
            if self._spare is host:  # else that was wanted
                self._spare = None
                log.info("the host %d that waited for a task system %s: %s", pid, how, tail)
            return
        for line in tail.splitlines():
            log.info("task system %d: %s", system.system_id, line)
        if not host.is_over:
            if not (host.is_ahead and not host.has_begun and self._move(host, system)):
                evidence = f"the host {pid} of the task system {how}"
                log.warning("%s", evidence)
                text = f"{evidence}; its last output:\n{tail}" if tail else evidence
                self._report(host, system, DIED, text.encode())
        self._prepare()

    def _move(self, host: _Host, system: _System) -> bool:
        """Start another host for a system that the former one never had; tells whether that is possible."""
        try:
            other = self._launch(is_ahead=False)
        except (NodeError, OSError):
            return False
        if host.number:
            self._dispatcher.leave_owner(host.number)
        other.system = system
        return True


def _kill(host: _Host) -> None:
    if host.child is not None:
        host.child.kill()
