"""The task systems at a master: starts a host process for each and brings its result home.

A host is a client of the master like an application. It proves by a token that it is the one that was
started, gets the system and its code, and from then on pushes tasks under an owner number of its own.
Loop thread only.
"""

from __future__ import annotations

import hmac
import itertools
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from concurrent.core.errors import (
    InvalidArguments,
    MessageTooLarge,
    NodeError,
    SchedulingError,
    TransportError,
)
from concurrent.scheduling.dispatcher import Dispatcher
from concurrent.scheduling.failure import too_large
from concurrent.scheduling.launcher import Child, Launcher, signal_name
from concurrent.scheduling.outcome import CANCELLED, DIED, FAILED
from concurrent.scheduling.taskoutput import OutputFile
from concurrent.transport.frames import Frame
from concurrent.transport.handler import TCPHandler

__all__ = ["SystemHosts"]

SYSTEMS_MAX: Final = 100
"""How many task systems one application may have at a time."""

ENTRY: Final = "concurrent.scheduling.systemhost:main"

log = logging.getLogger("concurrent.scheduling.systems")


@dataclass(slots=True, eq=False)
class _Host:
    """One task system and the process that hosts it."""

    token: str
    handler: TCPHandler
    owner: int
    system_id: int
    code: list[bytes | Frame]
    payload: bytes | Frame
    output: OutputFile
    child: Child | None = None
    number: int = 0
    is_over: bool = False


class SystemHosts:
    """See the module.

    :param launcher: what starts the hosts.
    :param dispatcher: where they become owners of tasks.
    :param reach: channel, host and port at which the hosts reach the master.
    """

    def __init__(
        self, launcher: Launcher, dispatcher: Dispatcher, reach: tuple[str, str, int]
    ) -> None:
        self._launcher = launcher
        self._dispatcher = dispatcher
        self._reach = reach
        self._hosts: dict[int, _Host] = {}
        self._keys = itertools.count(1)

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
        running = sum(host.owner == owner for host in self._hosts.values())
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
        key = next(self._keys)
        host = _Host(
            secrets.token_hex(16),
            handler,
            owner,
            system_id,
            code[:code_count],
            payload,
            OutputFile("system-output"),
        )
        self._hosts[key] = host

        def ended(pid: int, signal: int | None, exit_code: int | None, tail: str) -> None:
            self._ended(key, pid, signal, exit_code, tail)

        level = logging.getLevelName(logging.getLogger("concurrent").getEffectiveLevel()).lower()
        host.child = self._launcher.launch(
            ENTRY, [], [*self._reach, host.token, level], stderr_to=host.output, on_exit=ended
        )
        handler.cast("tasksystem_accepted", system_id)

    def join(self, handler: TCPHandler, token: str) -> tuple[int, dict[str, Any]]:
        """Let a host that was started push tasks.

        :returns: its number as an owner, and what it needs to know.
        :raises NodeError: if no host that is expected has this token.
        """
        for host in self._hosts.values():
            is_it = hmac.compare_digest(host.token.encode(), token.encode())
            if is_it and host.number == 0 and not host.is_over:
                name = f"system {host.system_id} of {host.handler.node_id}"
                host.number = self._dispatcher.join_owner(handler, name)
                for index, blob in enumerate(host.code):
                    self._dispatcher.define_code(host.number, index, blob)
                answer = {
                    "system_id": host.system_id,
                    "code": host.code,
                    "payload": host.payload,
                }
                host.payload = b""
                return host.number, answer
        raise NodeError("no task system is expected with this token", thing="join_system")

    def finished(self, number: int, status: int, payload: bytes | Frame) -> None:
        """Bring the result of a system home to its application."""
        for host in self._hosts.values():
            if host.number == number and not host.is_over:
                self._report(host, status, payload)

    def progress(self, number: int, done: int, total: int) -> None:
        """Tell the application how far a system is."""
        for host in self._hosts.values():
            if host.number == number and not host.is_over and host.handler.is_open:
                host.handler.cast("tasksystem_progress", host.system_id, done, total)

    def log(self, number: int, level: int, text: str) -> None:
        """Log what a system has to say."""
        for host in self._hosts.values():
            if host.number == number:
                log.log(level, "task system %d of %s: %s", host.system_id, host.handler.node_id, text)

    def cancel(self, owner: int, system_ids: Sequence[int] | None = None) -> None:
        """Kill the hosts of an application: those of these systems, or all."""
        for host in self._hosts.values():
            if host.owner == owner and (system_ids is None or host.system_id in system_ids):
                self._report(host, CANCELLED, b"")
                if host.child is not None:
                    host.child.kill()

    def lost(self, number: int) -> None:
        """End the host whose session has ended while it lives; its end is reported to the application."""
        for host in self._hosts.values():
            if host.number == number and host.child is not None:
                host.child.kill()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return the systems that run, as plain values."""
        return [
            {
                "system_id": host.system_id,
                "application": host.handler.node_id,
                "pid": host.child.pid if host.child is not None else 0,
                "owner": host.number,
            }
            for host in self._hosts.values()
            if not host.is_over
        ]

    def _report(self, host: _Host, status: int, payload: bytes | Frame) -> None:
        """Tell the application once how its system ended, and free what the system left behind."""
        if host.is_over:
            return
        host.is_over = True
        if host.number:
            self._dispatcher.leave_owner(host.number)
        try:
            host.handler.cast("tasksystem_finished", host.system_id, status, payload)
        except MessageTooLarge:
            limit = host.handler.peer_bytes_max
            failure = too_large("the result of a task system", len(payload), limit)
            host.handler.cast("tasksystem_finished", host.system_id, FAILED, failure)
        except TransportError as error:
            log.info("the outcome of task system %d is not wanted any more: %s", host.system_id, error)

    def _ended(
        self, key: int, pid: int, signal: int | None, code: int | None, tail: str
    ) -> None:
        host = self._hosts.pop(key)
        for line in tail.splitlines():
            log.info("task system %d: %s", host.system_id, line)
        if not host.is_over:
            how = f"was killed by {signal_name(signal)}" if signal else f"ended with exit code {code}"
            evidence = f"the host {pid} of the task system {how}"
            log.warning("%s", evidence)
            text = f"{evidence}; its last output:\n{tail}" if tail else evidence
            self._report(host, DIED, text.encode())
        host.output.close()
