"""Follows a task system from outcome to outcome, and has it pickled in between: so it outlives its process.

A step is how far the system is between two of its calls: it has dealt with all outcomes up to a number, and is
pickled as it is then. A process that takes a system over first does again what the former one did since the
last step. It gets the same outcomes in the same order, and what the system pushes again alike is there already.
The thread of the system only.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from concurrent.scheduling.owner.pacing import CheckpointPacing
from concurrent.scheduling.owner.results import Loaded, Outcome, load_outcomes
from concurrent.scheduling.owner.systemclient import PushedSoFar, Step, SystemClient
from concurrent.scheduling.tasks.drive import Checkpoint, SystemDrive
from concurrent.scheduling.tasks.tasksystem import ITaskSystem
from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.failure import message_of

__all__ = ["StepLimits", "SystemSteps"]

ANEW: Final = "if its process is lost it begins anew, though nothing that has ended is run again"


class StepLimits(NamedTuple):
    """Between which outcomes a process takes a system over, and how large a step may be.

    :param consumed_to: the number of the last outcome that a former process had dealt with at its last step.
    :param known_to: that of the last one that it can have dealt with at all.
    :param bytes_max: what the master accepts.
    :param is_first: whether there was no former process.
    """

    consumed_to: int
    known_to: int
    bytes_max: int
    is_first: bool


class SystemSteps:
    """See the module.

    :param clock: tells the time, in seconds since any instant.
    :param tell: tells people something of the system.
    """

    def __init__(
        self,
        client: SystemClient,
        drive: SystemDrive,
        limits: StepLimits,
        *,
        clock: Callable[[], float],
        tell: Callable[[str], object],
    ) -> None:
        self._client = client
        self._drive = drive
        self._clock = clock
        self._tell = tell
        self._pacing = CheckpointPacing(clock)
        self._limits = limits
        self._given_to = self._dealt_to = limits.consumed_to
        self._pushes = 1  # until it has begun
        self._does_again = True
        self._has_news = False
        self._has_warned = False

    @property
    def due_in_s(self) -> float | None:
        """In how many seconds :meth:`look` has something to do if nothing comes; None: never."""
        return max(0.0, self._pacing.due_in_s) if self._has_news and not self._does_again else None

    def begin(self) -> None:
        """Have the system push its first tasks."""
        self._drive.begin()
        self._pushes -= 1
        self._has_news = True
        self.look()

    def restore(self, pushed: ITaskSystem, state: Payload) -> None:
        """Have the system go on from the last step of a former process.

        :param pushed: the system as it was pushed.
        """
        so_far, of_chance, checkpoint = self._client.code.loads_payload(state)
        self._client.go_on_from(PushedSoFar(*so_far))
        random.setstate(of_chance)
        self._drive.restore(pushed, Checkpoint(*checkpoint))
        self._pushes -= 1
        self.look()

    def pushing(self, push: Callable[[], object]) -> None:
        """Push tasks; the system is in one of its calls meanwhile, whatever else runs."""
        self._pushes += 1
        try:
            push()
        finally:
            self._pushes -= 1

    def followed(self, outcomes: Iterable[Outcome]) -> Iterator[Loaded]:
        """Yield what the system gets of outcomes; it has dealt with one when the next is asked for."""
        outcomes = list(outcomes)
        number = self._given_to
        last = self._given_to = number + sum(type(outcome.item) is int for outcome in outcomes)
        for outcome in outcomes:
            number += type(outcome.item) is int
            yield from self._loaded(self._client.resolved(outcome))
            yield from self.found()
            self._has_news = True
            if self._given_to == last:  # nothing later was dealt with, within a push
                self._dealt_to = number
                self.look()
        self._dealt_to = self._given_to

    def found(self) -> Iterator[Loaded]:
        """Yield what had ended before the system pushed it again."""
        while (outcome := self._client.take_found()) is not None:
            yield from self._loaded(outcome)

    def look(self) -> None:
        """Make a step if it is time, and nothing of the system is under way."""
        if self._pushes or not self._client.can_step:
            return
        is_due = self._pacing.due_in_s <= 0.0
        if self._does_again:
            if self._dealt_to < self._limits.known_to:
                return
            self._does_again = False  # what a former process pushed besides is in vain
            self._client.give_up_orphans()
            is_due = True
        if is_due and self._has_news:
            self._make()

    def _loaded(self, outcome: Outcome | None) -> Iterable[Loaded]:
        return load_outcomes(self._client.code, () if outcome is None else (outcome,))

    def _make(self) -> None:
        """Have the system pickled, and the master told."""
        self._has_news = False
        began_at = self._clock()
        so_far = self._client.pushed_so_far()
        state: Payload = b""
        checkpoint: Checkpoint | None = None
        try:
            checkpoint = self._drive.checkpoint()
            state, _ = self._client.pickled((tuple(so_far), random.getstate(), tuple(checkpoint)))
        except Exception as error:  # boundary: the system's own code runs
            self._warn(f"cannot be pickled: {message_of(self._why_not(checkpoint) or error)}")
        if len(state) > self._limits.bytes_max:
            self._warn(f"has {len(state)} bytes when pickled, more than a message may have")
            state = b""
        self._client.step(Step(self._dealt_to, so_far.next_id, state))
        problem = self._pacing.made(began_at, len(state))
        if problem:
            self._tell(f"the checkpoint of {self._drive.name} {problem}; let checkpoint() return less")

    def _why_not(self, checkpoint: Checkpoint | None) -> Exception | None:
        """Return what is raised when just the state is pickled: it says where in the system the reason is."""
        try:
            if checkpoint is not None and not self._has_warned:
                self._client.pickled(checkpoint.state)
        except Exception as error:  # boundary: the system's own code runs
            return error
        return None

    def _warn(self, why: str) -> None:
        """Say once that there are no steps, and not again when another process takes over."""
        if not self._has_warned and self._limits.is_first:
            self._tell(f"the task system {self._drive.name} {why}; {ANEW}")
        self._has_warned = True
