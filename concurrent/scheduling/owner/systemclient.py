"""The tasks of a task system that outlives its process: which the system has, and which a lost process had.

Outcomes are given back under the ids of their tasks, and the thread of the system looks for these: so each has
the number that the master gave it, and none is looked for before the system has pushed its task again. The
loop's thread keeps a step back until the master has all the tasks that the step takes for pushed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.owner.orphans import Orphans
from concurrent.scheduling.owner.results import Members, Outcome, members_of
from concurrent.scheduling.owner.taskclient import TaskClient
from concurrent.scheduling.owner.unsent import Group
from concurrent.scheduling.pickling.alike import alike
from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.pickling.shorthand import expanded
from concurrent.scheduling.tasks.options import NO_OPTIONS
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED
from concurrent.scheduling.tasks.terms import Terms, once, terms_of
from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["PushedSoFar", "Step", "SystemClient"]

DIGEST_BYTES: Final = 16


class Step(NamedTuple):
    """How far a task system is.

    :param consumed_to: the number of the last outcome that it has dealt with, as with all before.
    :param next_id: the first id of a task that it has not pushed.
    :param state: what it goes on from; empty if it cannot go on from here.
    """

    consumed_to: int
    next_id: int
    state: Payload


class PushedSoFar(NamedTuple):
    """What a client of another process has to know of the tasks.

    :param strays: tasks that were cancelled since no one adopted them, and whose outcomes have not come.
    """

    next_id: int
    pushed_count: int
    strays: list[int]


class SystemClient(TaskClient):
    """See the module. Until :meth:`follow` it is as any other client.

    :param on_outcomes: as for the base; the item of an outcome is an id, unless the master never had the task.
    """

    def __init__(
        self, loop: NodeLoop, code: AppCode, *, on_outcomes: Callable[[list[Outcome]], object]
    ) -> None:
        super().__init__(loop, code, on_outcomes=on_outcomes)
        self.is_followed = False
        self.orphans: Orphans[Payload, Outcome] = Orphans(self._digest)
        self._has_orphans = False
        self._orphaned: dict[int, Payload] = {}
        self._recalled: dict[int, Payload] = {}
        self._strays: set[int] = set()
        self._found: deque[Outcome] = deque()
        self._refused_count = 0
        self._step: Step | None = None

    # Loop thread only.

    def follow(self, next_id: int) -> None:
        """From now on steps of the system are told to the master.

        :param next_id: the first id of a task that a former process cannot have pushed.
        """
        self.is_followed = True
        self._next_id = next_id

    def keep_orphans(self, ids: Iterable[int], payloads: Iterable[Payload]) -> None:
        """Take what a former process pushed and the system may push again, before the system is there."""
        self._orphaned.update(zip(ids, payloads, strict=True))

    def recall(self, ids: Iterable[int], payloads: Iterable[Payload]) -> None:
        """Take tasks of a former process whose outcomes will come."""
        self._recalled.update(zip(ids, payloads, strict=True))

    # The thread of the system.

    def expect_orphans(self) -> None:
        """Have what is pushed from now on adopt what a former process had pushed."""
        self.orphans.add(self._orphaned.keys(), self._orphaned.values())
        self._has_orphans = bool(self._orphaned)
        self._orphaned.clear()

    def pushed_so_far(self) -> PushedSoFar:
        """Return what another process has to know; while nobody pushes."""
        return PushedSoFar(self._next_id, self._pushed_count, sorted(self._strays))

    def go_on_from(self, pushed: PushedSoFar) -> None:
        """Take what a former process knew, before anything is pushed."""
        self._pushed_count = pushed.pushed_count
        self._strays.update(pushed.strays)

    @property
    def can_step(self) -> bool:
        """Whether all that the system knows of its tasks the master knows too, or will."""
        return not self._refused_count and not self._found

    def step(self, step: Step) -> None:
        """Tell the master how far the system is, when it has the tasks; instead of an earlier step."""
        self._loop.post(self._put_step, step)

    def resolved(self, outcome: Outcome) -> Outcome | None:
        """Return an outcome with its task, as the system gets it; None if it does not get it, or not yet.

        :raises SchedulingError: if nobody knows the task.
        """
        task_id = outcome.item
        if type(task_id) is not int:
            self._refused_count -= 1
            return outcome
        task = self._open.pop(task_id, None)
        if task is None:
            if task_id in self.orphans:
                self.orphans.put_aside(task_id, outcome, len(outcome.payload))
                return None
            if task_id in self._strays:
                self._strays.discard(task_id)
                return None
            task = self._recall(task_id)
        item, work, terms = task
        if outcome.status == DIED and type(item) is Members:
            with self._pickling:
                self._found += self._append_each(item, work)
            return None
        if outcome.status == CANCELLED and not len(outcome.payload):  # as a stray, before it was pushed again
            with self._pickling:
                super()._append(item, work, terms)
            self.outgoing.wake()
            return None
        return Outcome(item, outcome.status, outcome.payload)

    def take_found(self) -> Outcome | None:
        """Return an outcome that waited for its task to be pushed again; None if there is none."""
        return self._found.popleft() if self._found else None

    def give_up_orphans(self) -> None:
        """Cancel what a former process had pushed and nobody has pushed again."""
        strays = self.orphans.give_up()
        self._has_orphans = False
        if strays:
            self._strays.update(strays)
            self._loop.post(self._cancel_strays, strays)

    def _append(self, item: Any, work: Any, terms: Terms) -> int:
        if self._has_orphans:
            task_id = self.orphans.adopt(self._shorthand.dumps(work))
            if task_id is not None:
                return self._adopt(task_id, (item, work, terms))
        return super()._append(item, work, terms)

    def _adopt(self, task_id: int, task: tuple[Any, Any, Terms]) -> int:
        self._open[task_id] = task
        outcome = self.orphans.take_aside(task_id)
        if outcome is not None and (found := self.resolved(outcome)) is not None:
            self._found.append(found)
        return task_id

    def _recall(self, task_id: int) -> tuple[Any, Any, Terms]:
        payload = self._recalled.pop(task_id, None)
        if payload is None:
            raise SchedulingError(
                f"the outcome of task {task_id} has come, but not the task, which a former process had pushed",
                thing="recalled",
                value=task_id,
                remedy="Report it: the master has lost what it had accepted",
            )
        work = expanded(self.code.loads_payload(payload), self.code)
        if type(work) is not TaskBatch:
            return work, work, terms_of(work)
        items = members_of(list(work.members), NO_OPTIONS)
        return items, work, once(items.terms[0])

    def _digest(self, payload: Payload) -> bytes:
        return blake2b(alike(payload, self.code), digest_size=DIGEST_BYTES).digest()

    # Loop thread only.

    def _take_finished(self, ids: list[int], statuses: list[int], payloads: list[Payload]) -> None:
        if self.is_followed:
            self._report(list(map(Outcome, ids, statuses, payloads)))
        else:
            super()._take_finished(ids, statuses, payloads)

    def _take_accepted(self, last_id: int) -> None:
        super()._take_accepted(last_id)
        self._send_step()

    def _fail(self, group: Group, failures: list[Payload]) -> None:
        if self.is_followed:
            self._refused_count += len(failures)
            self._step = None  # which takes these tasks for pushed
        super()._fail(group, failures)

    def _put_step(self, step: Step) -> None:
        self._step = step
        self._send_step()

    def _send_step(self) -> None:
        step, first_id = self._step, self.outgoing.first_id
        if step is not None and self._handler is not None and (first_id is None or first_id >= step.next_id):
            self._step = None
            self._handler.cast(to_master.system_stepped, *step)

    def _cancel_strays(self, ids: list[int]) -> None:
        if self._handler is not None:
            self._courier.cast(self._handler, to_master.cancel, ids)
