"""One process that hosts a task system, or waits for one. Loop thread only."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from concurrent.core.errors import NodeError
from concurrent.core.logformat import FORMATS
from concurrent.core.machine import Machine
from concurrent.scheduling.processes.launcher import Launcher, how_it_ended
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.transport.calls.handler import TCPHandler

__all__ = ["TRANSITIONS", "End", "Host", "HostEvent", "HostState", "Reach"]

ENTRY: Final = "concurrent.scheduling.owner.systemhost:main"


class HostState(Enum):
    """How far a host and its system are."""

    STARTING = "starting"
    """It has not joined, and has no system."""
    WAITING = "waiting"
    """It has joined, and has no system."""
    CLAIMED = "claimed"
    """It has a system and has not joined, so it cannot be given that."""
    LOADING = "loading"
    """It was sent its system, and has not said that it has it."""
    HOSTING = "hosting"
    """It has its system."""
    OVER = "over"
    """What came of the system was reported; the process may still be there."""
    DROPPED = "dropped"
    """No system shall come any more; the process is killed."""
    ENDED = "ended"
    """The process has ended."""


class HostEvent(Enum):
    """What can happen to a host."""

    JOIN = "joining"
    CLAIM = "a system"
    BEGIN = "the begin of its system"
    REPORT = "a report"
    DROP = "dropping"
    END = "the end of its process"


TRANSITIONS: Final[Mapping[tuple[HostState, HostEvent], HostState]] = {
    (HostState.STARTING, HostEvent.JOIN): HostState.WAITING,
    (HostState.STARTING, HostEvent.CLAIM): HostState.CLAIMED,
    (HostState.STARTING, HostEvent.DROP): HostState.DROPPED,
    (HostState.STARTING, HostEvent.END): HostState.ENDED,
    (HostState.WAITING, HostEvent.CLAIM): HostState.LOADING,
    (HostState.WAITING, HostEvent.DROP): HostState.DROPPED,
    (HostState.WAITING, HostEvent.END): HostState.ENDED,
    (HostState.CLAIMED, HostEvent.JOIN): HostState.LOADING,
    (HostState.CLAIMED, HostEvent.REPORT): HostState.OVER,
    (HostState.CLAIMED, HostEvent.END): HostState.ENDED,
    (HostState.LOADING, HostEvent.BEGIN): HostState.HOSTING,
    (HostState.LOADING, HostEvent.REPORT): HostState.OVER,
    (HostState.LOADING, HostEvent.END): HostState.ENDED,
    (HostState.HOSTING, HostEvent.REPORT): HostState.OVER,
    (HostState.HOSTING, HostEvent.END): HostState.ENDED,
    (HostState.OVER, HostEvent.END): HostState.ENDED,
    (HostState.DROPPED, HostEvent.END): HostState.ENDED,
}

WITH_SYSTEM: Final = (HostState.CLAIMED, HostState.LOADING, HostState.HOSTING)
EXPECTED: Final = (HostState.STARTING, HostState.CLAIMED)


class Reach(NamedTuple):
    """Where hosts find the master."""

    channel: str
    host: str
    port: int
    place: str = ""
    """The folder with the master's sockets for its user; empty: there is none, and no host can connect."""
    recipe: dict[str, Any] | None = None
    """Makes an environment that has the carriers of the channel; None: they are the framework's own."""
    log_format: str = FORMATS[0]
    """How they write their logs."""


class End(NamedTuple):
    """How the process of a host ended.

    :param before: the state that it was in.
    :param how: the signal or exit code, in words.
    :param tail: what it printed last.
    """

    before: HostState
    how: str
    tail: str


class Host:
    """See the module. It is started when it is made.

    :param launcher: what starts it.
    :param is_ahead: whether it is started before there is a system for it.
    :param on_ended: called with it when its process has ended.
    :raises NodeError: if the launcher starts nothing any more.
    """

    def __init__(
        self, launcher: Launcher, reach: Reach, on_ended: Callable[[Host, End], object], *, is_ahead: bool
    ) -> None:
        self.is_ahead = is_ahead
        self.session: TCPHandler | None = None
        """Its session with the master, once it has joined."""
        self._machine = Machine("a host of task systems", TRANSITIONS, HostState.STARTING)
        self._on_ended = on_ended
        self._token = secrets.token_hex(16)
        self._output = OutputFile("system-output")
        level = logging.getLevelName(logging.getLogger("concurrent").getEffectiveLevel()).lower()
        try:
            self._child = launcher.launch(
                ENTRY, [], [list(reach), self._token, level], output=self._output, on_exit=self._exited
            )
        except (NodeError, OSError):
            self._output.close()
            raise

    @property
    def pid(self) -> int:
        """The number of its process, 0 until that has started."""
        return self._child.pid

    @property
    def has_system(self) -> bool:
        """Whether it has a system of which nothing was reported yet."""
        return self._machine.state in WITH_SYSTEM

    def expects(self, token: str) -> bool:
        """Tell whether who has this token is this host, and has not joined yet."""
        is_it = hmac.compare_digest(self._token.encode(), token.encode())
        return is_it and self._machine.state in EXPECTED

    def join(self, session: TCPHandler) -> None:
        """Take the session over which it can be given its system."""
        self._machine.undergo(HostEvent.JOIN)
        self.session = session

    def claim(self) -> None:
        """Note that there is a system for it."""
        self._machine.undergo(HostEvent.CLAIM)

    def begin(self) -> None:
        """Note that it has its system; nothing happens if that is over already."""
        if self._machine.state is HostState.LOADING:
            self._machine.undergo(HostEvent.BEGIN)

    def report(self) -> None:
        """Note that what came of its system is told to the application."""
        self._machine.undergo(HostEvent.REPORT)

    def drop(self) -> None:
        """End it, which has no system and shall get none."""
        self._machine.undergo(HostEvent.DROP)
        self.kill()

    def kill(self) -> None:
        """Kill its process; nothing happens if that has ended."""
        self._child.kill()

    def _exited(self, _pid: int, signal: int | None, code: int | None, tail: str) -> None:
        self._output.close()
        before = self._machine.undergo(HostEvent.END)
        self._on_ended(self, End(before, how_it_ended(signal, code), tail))
