"""A master and the hosts of one task system in one thread: what a host says, and what it is told."""

from __future__ import annotations

import pickle
import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from concurrent.scheduling import ITaskSystem, Task
from concurrent.scheduling.owner.results import Members, Outcome, load_outcomes
from concurrent.scheduling.owner.systemclient import SystemClient
from concurrent.scheduling.owner.systemsteps import StepLimits, SystemSteps
from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.pickling.shorthand import expanded
from concurrent.scheduling.tasks.drive import SystemDrive
from concurrent.scheduling.tasks.outcome import CANCELLED, FAILED, FINISHED
from concurrent.scheduling.wire.failure import dumps_failure
from concurrent.transport.calls.declaration import Message

__all__ = ["Host", "Master"]

BYTES_MAX = 1 << 20


class Master:
    """Has the tasks and outcomes of one system, whichever host it has, and runs tasks when it is told to."""

    def __init__(self, system: ITaskSystem) -> None:
        self.pushed = pickle.dumps(system)
        self.code = AppCode()
        self.payload_by_id: dict[int, Any] = {}
        self.open: dict[int, Any] = {}
        self.outcomes: list[tuple[int, int, Any]] = []
        self.runs: Counter[str] = Counter()
        self.step: tuple[int, int, Any] | None = None
        self.step_count = 0
        self.now = 0.0
        self.notices: list[str] = []

    def push(self, first_id: int, payloads: list[Any]) -> None:
        """Take tasks."""
        for task_id, payload in enumerate(payloads, first_id):
            assert task_id not in self.payload_by_id
            self.payload_by_id[task_id] = self.open[task_id] = payload

    def run(self, task_id: int, status: int = FINISHED) -> None:
        """Have a task run to its end, or end without."""
        payload = self.open.pop(task_id)
        if status != FINISHED:
            self.outcomes.append((task_id, status, b"evidence"))
            return
        work = expanded(self.code.loads_payload(payload), self.code)
        if isinstance(work, TaskBatch):
            self.runs.update(task.name for task in work.members)
            self.outcomes.append((task_id, FINISHED, work.run(self.code, "")))
            return
        self.runs[work.name] += 1
        try:
            self.outcomes.append((task_id, FINISHED, self.code.dumps_payload(work())))
        except ZeroDivisionError as error:
            self.outcomes.append((task_id, FAILED, dumps_failure(error, self.code, "")))

    def is_batch(self, task_id: int) -> bool:
        """Tell whether it is several tasks, which are pushed one by one if a worker dies of one of them."""
        return isinstance(expanded(self.code.loads_payload(self.payload_by_id[task_id]), self.code), TaskBatch)

    def loaded(
        self, task_id: int, status: int, payload: Any
    ) -> Iterable[tuple[Any, Any, BaseException | None]]:
        """Return the tasks of an outcome, with their results and errors."""
        work = expanded(self.code.loads_payload(self.payload_by_id[task_id]), self.code)
        item = Members(work.members) if isinstance(work, TaskBatch) else work
        return load_outcomes(self.code, [Outcome(item, status, payload)])

    def cancel(self, ids: Iterable[int]) -> None:
        """Cancel tasks that have not ended."""
        for task_id in ids:
            if self.open.pop(task_id, None) is not None:
                self.outcomes.append((task_id, CANCELLED, b""))


class Host:
    """The process of a system: its loop and its thread take turns."""

    peer_bytes_max = BYTES_MAX
    has_room = True
    is_open = True

    def __init__(self, master: Master, go_on: Callable[[Host], object]) -> None:
        self._master = master
        self._posted: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self._batches: list[list[Outcome]] = []
        self._receivers: dict[str, Callable[..., object]] = {}
        self._casts: list[tuple[str, tuple[Any, ...]]] = []
        self.client = SystemClient(self, master.code, on_outcomes=self._batches.append)  # type: ignore[arg-type]
        self.client.register_methods(self)  # type: ignore[arg-type]
        consumed_to, next_id, state = master.step or (0, 1, None)
        self.given_to = consumed_to
        next_to_push = max(master.payload_by_id, default=0) + 1
        self.client.follow(next_to_push)
        self.client.attach(self, 0, next_to_push, consumed_to)  # type: ignore[arg-type]
        orphans = {one: payload for one, payload in master.payload_by_id.items() if one >= next_id}
        self.client.keep_orphans(orphans.keys(), orphans.values())
        self.client.expect_orphans()
        random.seed("the id of the job")
        system = pickle.loads(master.pushed)
        self.drive = SystemDrive(system, self, lambda: go_on(self) or True)  # type: ignore[arg-type]
        limits = StepLimits(consumed_to, len(master.outcomes), BYTES_MAX, next_to_push == 1)
        self.steps = SystemSteps(
            self.client, self.drive, limits, clock=lambda: master.now, tell=master.notices.append
        )
        if state is None:
            self.steps.begin()
        else:
            self.steps.restore(system, state)
        self.go_on()

    # As the loop and the session.

    @property
    def methods(self) -> Host:
        return self

    def receive(self, message: Message[..., Any], function: Callable[..., object]) -> None:
        self._receivers[message.name] = function

    def peer_has(self, feature: str) -> bool:
        return True

    def time(self) -> float:
        return self._master.now

    def post(self, function: Callable[..., object], *args: Any) -> None:
        self._posted.append((function, args))

    def defer(self, function: Callable[[], object]) -> None:
        self.post(function)

    def call_later(self, _delay_s: float, function: Callable[..., object], *args: Any) -> None:
        """The word that outcomes were consumed may wait for ever."""

    def cast(self, message: Message[..., Any], *args: Any) -> None:
        self._casts.append((message.name, args))

    # As the master of the system.

    def push_tasks(self, tasks: Iterable[Task], batch_size: int = 1) -> None:
        self.steps.pushing(lambda: self.client.push_many(tasks, batch_size))

    # For tests.

    def go_on(self) -> None:
        """Have all that is posted or came run; nothing reaches the master or comes from there."""
        self.steps.look()
        while self._posted or self._batches:
            for function, args in self._take_posted():
                function(*args)
            for outcomes in [*self._batches]:
                self._batches.remove(outcomes)
                self.drive.take(self.steps.followed(outcomes))
            self.drive.take(self.steps.found())
            self.steps.look()

    def tell(self) -> None:
        """Have what was said reach the master, and be accepted."""
        casts, self._casts = self._casts, []
        for name, args in casts:
            if name == "push_tasks":
                self._master.push(args[0], args[3])
                self._receivers["accepted"](self, None, args[0] + len(args[3]) - 1)
            elif name == "system_stepped":
                assert all(one in self._master.payload_by_id for one in range(1, args[1])), "step before task"
                if len(args[2]):
                    self._master.step = args  # type: ignore[assignment]
                    self._master.step_count += 1
            elif name == "cancel":
                self._master.cancel(args[0])
        self.go_on()

    def deliver(self, count: int, *, with_tasks: bool = True) -> None:
        """Bring the next outcomes, and the tasks that the host may not know."""
        part = self._master.outcomes[self.given_to : self.given_to + count]
        if not part:
            return
        ids, statuses, payloads = map(list, zip(*part, strict=True))
        self.given_to += len(part)
        if with_tasks:
            self.client.recall(ids, [self._master.payload_by_id[one] for one in ids])
        self._receivers["finished"](self, None, ids, statuses, payloads, -1)
        self.go_on()

    def settle(self) -> None:
        """Have everything be told and delivered."""
        self.go_on()
        while self._casts or self.given_to < len(self._master.outcomes):
            self.tell()
            self.deliver(1000)

    def _take_posted(self) -> list[tuple[Callable[..., object], tuple[Any, ...]]]:
        posted, self._posted = self._posted, []
        return posted
