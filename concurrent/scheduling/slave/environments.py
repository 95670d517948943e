"""The environments of applications at a slave: made once from their requirements, and then workers are of them.

An environment is made by a process of its own, which is killed when it takes too long. When it is there a
launcher of its own starts workers on its interpreter; so whatever happens to that ends tasks of applications
with these requirements, and no others. One that no application uses any more is let go after a while.
Loop thread only.
"""

from __future__ import annotations

import os
import sys
from asyncio import TimerHandle
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from concurrent.core.errors import ConcurrentError
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.environments import Held, environment_folder, hold, name_of
from concurrent.scheduling.processes.launcher import Child, Launcher
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["EnvironmentRules", "Environments", "OnEnvironment"]

ENTRY: Final = "concurrent.scheduling.processes.environments:make"
LOOKS_MAX: Final = 3
"""So often an environment is made that is removed by others before it is used."""

LET_GO_S: Final = 30.0
"""So long the interpreter of one stays ready that no application uses."""

AGAIN_S: Final = 300.0
"""After so long it is tried again to make one that could not be made, if it is wanted still."""

ENVIRONMENTS_MAX: Final = 32
"""So many are made or used at once: each has processes of its own."""

WORDS_MAX: Final = 600
"""So much is told of what pip says when it fails, the end of it."""

log = get_log(__name__)


class EnvironmentRules(NamedTuple):
    """What a slave allows.

    :param is_allowed: whether environments are made here at all.
    :param folder: where; None: in the cache of the user.
    :param bytes_max: how much they may take together while they are not used.
    :param timeout_s: how long it may take to make one, in seconds.
    """

    is_allowed: bool
    folder: Path | None
    bytes_max: int
    timeout_s: float


class OnEnvironment(Protocol):
    """Who is told what becomes of the environment of an owner."""

    def environment_ready(self, owner: int, launcher: Launcher) -> object:
        """Have the workers of an owner started by a launcher."""

    def environment_failed(self, owner: int, words: str) -> object:
        """Run no tasks of an owner: its environment cannot be made."""

    def environment_words(self, owner: int, words: str) -> object:
        """Tell people for what the tasks of an owner wait."""


class _Environment:
    """One that is wanted; ``held`` and ``launcher`` once it is there, ``child`` while it is made."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.owners: set[int] = set()
        self.made_count = 0
        self.is_late = False
        self.begun_at = 0.0
        self.child: Child | None = None
        self.output: OutputFile | None = None
        self.timer: TimerHandle | None = None
        self.held: Held | None = None
        self.launcher: Launcher | None = None


class Environments:
    """See the module.

    :param launcher: starts the process that makes one, and launchers for the interpreters of those that are
        there.
    """

    def __init__(
        self, loop: NodeLoop, launcher: Launcher, rules: EnvironmentRules, listener: OnEnvironment
    ) -> None:
        self._loop = loop
        self._launcher = launcher
        self._rules = rules
        self._listener = listener
        self._by_name: dict[str, _Environment] = {}
        self._failed_by_name: dict[str, tuple[float, str]] = {}  # until when it is not tried again, and why

    def want(self, owner: int, text: str) -> None:
        """Have the workers of an owner be of the environment for its requirements; the listener is told."""
        if not self._rules.is_allowed:
            self._listener.environment_failed(
                owner, "this slave makes no environments ([slave] environments = no)"
            )
            return
        python = self._launcher.python
        name = name_of(text, sys.executable if python is None else python.executable)
        again_at, words = self._failed_by_name.get(name, (0.0, ""))
        if self._loop.time() < again_at:
            self._listener.environment_failed(owner, words)
            return
        environment = self._by_name.get(name)
        if environment is None:
            if not self._has_room():
                self._listener.environment_failed(
                    owner, f"this slave has {ENVIRONMENTS_MAX} environments of other applications already"
                )
                return
            environment = self._by_name[name] = _Environment(name, text)
        environment.owners.add(owner)
        if environment.launcher is not None:
            self._listener.environment_ready(owner, environment.launcher)
        elif environment.child is not None:
            self._tell_wait(environment, owner)
        else:
            self._look(environment)

    def forget(self, owner: int) -> None:
        """An owner has left: nobody needs what was made for it alone, or is being made."""
        for environment in list(self._by_name.values()):
            if owner in environment.owners:
                environment.owners.discard(owner)
                if not environment.owners:
                    self._unused(environment)

    def lines(self) -> tuple[str, ...]:
        """Return what is being made, for the status."""
        now = self._loop.time()
        return tuple(
            f"environment {one.name} is made by process {one.child.pid}, for {now - one.begun_at:.0f} s"
            for one in self._by_name.values()
            if one.child is not None
        )

    def close(self) -> None:
        """Make nothing more, and let all go. Processes end with the launcher that this was made with."""
        for environment in self._by_name.values():
            if environment.timer is not None:
                environment.timer.cancel()
            if environment.held is not None:
                os.close(environment.held.lock)
            if environment.output is not None:
                environment.output.close()
        self._by_name.clear()

    def _has_room(self) -> bool:
        """Tell whether there may be one more; one that is not used is let go for it."""
        if len(self._by_name) == ENVIRONMENTS_MAX:
            unused = [one for one in self._by_name.values() if not one.owners]
            for environment in unused[:1]:
                self._let_go(environment)
        return len(self._by_name) < ENVIRONMENTS_MAX

    def _look(self, environment: _Environment) -> None:
        """Use an environment if it is there, or have it made."""
        try:
            folder = environment_folder(self._rules.folder)
            held = hold(folder, environment.name)
            if held is None and environment.made_count < LOOKS_MAX:
                self._make(environment, folder)
                return
        except (ConcurrentError, OSError) as error:
            self._failed(environment, str(error))
            return
        if held is None:
            self._failed(
                environment, "it was removed whenever it was made: [slave] environment_cache_max is small"
            )
            return
        log.info("environment %s is there: %s", environment.name, held.python.executable)
        environment.held = held
        environment.launcher = launcher = self._launcher.beside(held.python)
        for owner in sorted(environment.owners):
            self._listener.environment_ready(owner, launcher)

    def _make(self, environment: _Environment, folder: Path) -> None:
        environment.made_count += 1
        environment.is_late = False
        environment.begun_at = self._loop.time()
        environment.output = OutputFile("environment")
        arguments = [environment.text, str(folder), environment.name, self._rules.bytes_max]
        environment.child = self._launcher.launch(
            ENTRY,
            [],
            arguments,
            output=environment.output,
            on_exit=lambda _pid, signal, code, tail: self._made(environment, signal, code, tail),
        )
        environment.timer = self._loop.call_later(self._rules.timeout_s, self._end_late, environment)
        log.info("environment %s is made, from requirements that are here for the first time", environment.name)
        for owner in environment.owners:
            self._tell_wait(environment, owner)

    def _tell_wait(self, environment: _Environment, owner: int) -> None:
        self._listener.environment_words(owner, f"makes environment {environment.name} of its requirements")

    def _end_late(self, environment: _Environment) -> None:
        environment.is_late = True
        if environment.child is not None:
            environment.child.kill()

    def _made(self, environment: _Environment, signal: int | None, code: int | None, tail: str) -> None:
        """The process that makes one has ended."""
        environment.child = None
        if environment.timer is not None:
            environment.timer.cancel()
        if environment.output is not None:
            environment.output.close()
            environment.output = None
        if self._by_name.get(environment.name) is not environment:
            return  # nobody waits for it any more
        if code == 0:
            self._look(environment)
        elif environment.is_late:
            self._failed(
                environment, f"it was not made in {self._rules.timeout_s:g} s; the last words: {_end(tail)}"
            )
        else:
            self._failed(environment, _end(tail) or f"its process ended with {signal or code}")

    def _failed(self, environment: _Environment, words: str) -> None:
        del self._by_name[environment.name]
        log.error("environment %s cannot be made: %s", environment.name, words)
        now, words = self._loop.time(), f"cannot make the environment of its requirements: {words}"
        others = self._failed_by_name.items()
        self._failed_by_name = {name: failure for name, failure in others if failure[0] > now}
        self._failed_by_name[environment.name] = now + AGAIN_S, words
        for owner in sorted(environment.owners):
            self._listener.environment_failed(owner, words)

    def _unused(self, environment: _Environment) -> None:
        if environment.child is not None:
            del self._by_name[environment.name]
            environment.child.kill()
        elif environment.launcher is not None:
            self._loop.call_later(LET_GO_S, self._let_go, environment)

    def _let_go(self, environment: _Environment) -> None:
        """End the interpreter of an environment that nobody has used for a while."""
        launcher, held = environment.launcher, environment.held
        if environment.owners or launcher is None or held is None or environment.name not in self._by_name:
            return
        del self._by_name[environment.name]
        launcher.retire()
        os.close(held.lock)
        log.info("environment %s is not used any more", environment.name)


def _end(tail: str) -> str:
    """Return the end of what was printed, in a line."""
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return " | ".join(lines)[-WORDS_MAX:]
