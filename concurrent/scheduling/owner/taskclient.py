"""An owner's end of its tasks: pushes them to the master and gives back the outcome of each, once.

Applications, executors, hosts of systems each have one. It keeps what was pushed until its outcome is here:
when a master is lost for good the next one is given all that is unfinished, and second outcomes are dropped.
A master that still has the job says which tasks it has; only the others are sent to it.
Tasks are pickled in the thread that pushes them, and on the loop's thread if they are pushed again; one lock
covers that. The rest happens on the loop's thread. What travels is in ``outgoing.py``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.owner.classesmet import ClassesMet
from concurrent.scheduling.owner.consumption import Consumption
from concurrent.scheduling.owner.former import FormerTasks, GoesOn
from concurrent.scheduling.owner.graces import Graces
from concurrent.scheduling.owner.locks import when_free
from concurrent.scheduling.owner.news import TaskNews, register_news
from concurrent.scheduling.owner.outgoing import Outgoing
from concurrent.scheduling.owner.results import Members, Outcome, Recalled, members_of
from concurrent.scheduling.owner.unsent import Group
from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.pickling.coding import Codec, shorthand_for
from concurrent.scheduling.tasks.options import NO_OPTIONS, Options
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms, once, terms_of
from concurrent.scheduling.wire.columns import Payload, check_columns, check_statuses
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.failure import dumps_failure
from concurrent.scheduling.wire.messages import to_master, to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["TaskClient"]

WAKE_COUNT: Final = 250
"""After the first task of a bulk, so many are pickled before the loop is woken, and changed code looked for."""

_Open = tuple[Any, Any, Terms]
"""What was pushed of a task: item, work, and terms. A plain tuple is made faster."""

_new_outcome = partial(tuple.__new__, Outcome)
"""Makes one of item, status and payload, without a call of a function in Python."""


class TaskClient:
    """An owner's end of its tasks: pushes them to the master and gives back the outcome of each, once.

    :param loop: the owner's loop.
    :param code: pickles tasks and unpickles results.
    :param on_outcomes: called on the loop with the outcomes that came together.
    :param on_accepted: called on the loop with the items that the master has accepted.
    :param news: who wants to know what happens to tasks before they end.
    :param codec: makes bytes of the data of tasks and results; None: pickle does.
    :param room_timeout_s: how long a push waits for the master to accept more, in seconds.
    """

    def __init__(
        self,
        loop: NodeLoop,
        code: AppCode,
        *,
        on_outcomes: Callable[[list[Outcome]], object],
        on_accepted: Callable[[list[Any]], object] | None = None,
        news: TaskNews | None = None,
        room_timeout_s: float | None = None,
        codec: Codec | None = None,
    ) -> None:
        self.code = code
        self.outgoing = Outgoing(
            loop, code, on_known=self._meet, on_refused=self._fail, room_timeout_s=room_timeout_s
        )
        self.room = self.outgoing.room
        self._unsent, self._wake = self.outgoing.unsent, self.outgoing.wake  # looked up for each task
        self._shorthand = shorthand_for(code, codec, ClassesMet())
        self._loop = loop
        self._courier = Courier(loop)
        self._on_outcomes = on_outcomes
        self._on_accepted = on_accepted
        self._news = news
        self._pickling = threading.RLock()  # any thread may push, even code that runs while a task is pickled
        self._next_id = 1
        self._pushed_count = 0
        self._open: dict[int, _Open] = {}
        self._unwanted: set[int] = set()  # a master that has them is to cancel them
        self._graces = Graces()
        self._former = FormerTasks()
        self._asked: deque[int] = deque()  # what was adopted since the loop has looked
        self._is_asked = False
        self._consumption = Consumption(loop, self._courier)
        self._arrived: list[Outcome] = []
        self._closed_because: str | None = None
        self._handler: TCPHandler | None = None
        self._joining: TCPHandler | None = None  # the handler, or the one that is to be it soon

    @property
    def pushed_count(self) -> int:
        """How many tasks were pushed ever. Any thread."""
        return self._pushed_count

    @property
    def open_count(self) -> int:
        """How many tasks, or batches, have no outcome yet. Any thread."""
        return len(self._open)

    def item_of(self, task_id: int) -> Any:
        """Return the item of a task, None if that has an outcome. Loop thread only."""
        task = self._open.get(task_id)
        return None if task is None else task[0]

    @property
    def arrived_to(self) -> int:
        """The number of the last outcome that has come. Loop thread only."""
        return self._consumption.arrived_to

    def register_methods(self, endpoint: HasMethods) -> None:
        """Register what the master calls, with the client of a compute channel."""

        @receives(endpoint, to_owner.accepted)
        def accepted(_handler: TCPHandler, _request: Any, last_id: int) -> None:
            """Take note that the master answers for the tasks up to a number from now on."""
            self._take_accepted(last_id)

        @receives(endpoint, to_owner.held)
        def held(_handler: TCPHandler, _request: Any, reason: str) -> None:
            """Take note why the master accepts nothing more for now."""
            self.outgoing.held(reason)

        @receives(endpoint, to_owner.finished)
        def finished(
            _handler: TCPHandler,
            _request: Any,
            ids: list[int],
            statuses: list[int],
            payloads: list[Payload],
            accepted_to: int,
        ) -> None:
            """Take outcomes of tasks, and note which ones the master answers for."""
            check_columns(ids, statuses, payloads)
            check_statuses(statuses)
            self._take_accepted(accepted_to)
            self._consumption.arrived(len(ids))
            self._take_finished(ids, statuses, payloads)

        if self._news is not None:
            register_news(endpoint, self._news, self._items_of)

    def register_job_methods(self, endpoint: HasMethods) -> None:
        """Register what the master calls of a program that goes on with the job of a former one."""

        @receives(endpoint, to_owner.recalled_code)
        def recalled_code(_handler: TCPHandler, _request: Any, index: int, blob: Payload) -> None:
            """Take a blob of the former program's code."""
            self.code.recall(index, bytes(blob))

        @receives(endpoint, to_owner.recalled)
        def recalled(_handler: TCPHandler, _request: Any, ids: list[int], payloads: list[Payload]) -> None:
            """Take tasks that the former program has pushed; their outcomes come next."""
            check_columns(ids, payloads)
            for task_id, payload in zip(ids, payloads, strict=True):
                if task_id not in self._open and self._former.recall(task_id, payload):
                    self._open[task_id] = Recalled(payload), None, DEFAULT_TERMS

    def push(self, item: Any, work: Any, terms: Terms = DEFAULT_TERMS) -> int:
        """Push one task and return its id. Any thread but the loop's; waits while there is no room.

        :param item: given back with the outcome.
        :param work: a task, or a tuple of function, arguments and keyword arguments.
        :param terms: what it asks for.
        :raises SchedulingError: if it cannot be pickled, or the client is closed.
        :raises QueueFull: if the master accepts nothing more within ``room_timeout_s``; see also ``Room.wait``.
        """
        task_id = self._push(item, work, terms, 1)
        self._wake()
        return task_id

    def push_many(
        self,
        tasks: Iterable[Any],
        batch_size: int = 1,
        *,
        options: Options = NO_OPTIONS,
        ids: list[int] | None = None,
        pending: list[Any] | None = None,
    ) -> list[int]:
        """Push many tasks, each of which is its own item; see :meth:`push`.

        If there is an error, those before the task that fails, or before its batch, are pushed.

        :param tasks: instances of :class:`~concurrent.scheduling.tasks.task.Task`.
        :param batch_size: how many travel and run as one (``batch.py``); none do if it is 1 or less.
        :param options: what is asked for each, besides what it asks for itself.
        :param ids: a list to which the ids are added, for who wants them in spite of an error.
        :param pending: a list that holds what was taken from ``tasks`` and is not pushed, likewise.
        :returns: the ids; those of one batch have the same.
        """
        ids = [] if ids is None else ids
        pending = [] if pending is None else pending
        over = options.over if options else None
        rest = iter(tasks)
        with self.outgoing.bulk():
            if batch_size > 1:
                while True:
                    pending.extend(islice(rest, batch_size))  # what is made before an error is known
                    if not pending:
                        return ids
                    ids += self._push_batch(members_of(list(pending), options))
                    pending.clear()
            for task in rest:
                pending.append(task)
                terms = terms_of(task) if over is None else over(terms_of(task))
                ids.append(self._push(task, task, terms, 1, len(ids) % WAKE_COUNT))
                if len(ids) % WAKE_COUNT == 1:
                    self._wake()
                pending.clear()
        return ids

    def _push_batch(self, items: Members) -> list[int]:
        task_id = self._push(items, TaskBatch(list(items)), once(items.terms[0]), len(items))
        self._wake()
        return [task_id] * len(items)

    def _push(self, item: Any, work: Any, terms: Terms, count: int, since_fresh: int = 0) -> int:
        """Push what counts as so many tasks, and wake nobody; changed code was looked for or is now."""
        if not self.room.is_open:
            self.outgoing.wait_for_room()
        with self._pickling:
            if not since_fresh and not self.code.is_same():
                self._shorthand.refresh()
            task_id = self._append(item, work, terms)
            self._pushed_count += count
        return task_id

    def adopt(self, task_id: int, item: Any, work: Any, terms: Terms = DEFAULT_TERMS) -> int:
        """Wait for the outcome of a task that a former program of the job pushed; return its id. Any thread.

        :param work: what it was made of: if the master has it no more it is pushed, and gets another id.
        :raises SchedulingError: if the client is closed.
        """
        if self._closed_because is not None:
            raise self._closed()
        with self._pickling:
            self._open[task_id] = item, work, terms  # before it is asked whether it is there: see attach
            is_here = not self._former.is_gone(task_id)
            self._pushed_count += is_here
            if not is_here:
                del self._open[task_id]
        if not is_here:
            return self.push(item, work, terms)
        self._asked.append(task_id)
        if not self._is_asked:
            self._is_asked = True
            self._loop.post(self._meet_asked)
        return task_id

    def pickled(self, value: Any) -> tuple[Payload, int]:
        """Pickle something else than a task; returns it and how many blobs it needs. Any thread.

        :raises SchedulingError: if it cannot be pickled.
        """
        with self._pickling:
            return self._shorthand.dumps_value(value), self.code.blob_count

    def send_code(self, code_count: int) -> None:
        """Send the first blobs of code, those that the master does not have. Loop thread only.

        :raises PayloadTooLarge: if the master would refuse one of them, or all together.
        """
        if self._handler is not None:
            self.outgoing.sent_code.send(self._handler, code_count)

    def cancel(self, ids: Sequence[int], grace_s: float = 0.0) -> None:
        """Ask for no more of these tasks; each still gets one outcome. Any thread. See ``to_master.cancel``."""
        self._loop.post(self._cancel, list(ids), grace_s)

    def consumed(self, size_bytes: int, count: int) -> None:
        """Take note that the next so many outcomes were dealt with, of so many bytes. Any thread."""
        self._consumption.consumed(size_bytes, count)

    def tell_consumed(self) -> None:
        """Tell the master now what was consumed. Loop thread only."""
        self._consumption.tell()

    def when_accepted(self, call: Callable[[], object]) -> None:
        """Have ``call()`` called on the loop once the master answers for all that was pushed. Any thread."""
        self._loop.post(self.outgoing.when_empty, call)

    def end_pushes(self) -> int:
        """Have tasks come along that a former program pushed and this one has not; returns how many. Loop."""
        left_over = self._former.left_over(self._next_id)
        self._report([Outcome(Recalled(task), *end) for task, end in self._former.end_pushes()])
        return left_over

    def close(self, reason: str) -> None:
        """Take nothing more; open tasks are reported as cancelled. Any thread."""
        self.refuse(reason)
        self._loop.post(lambda: self._cancel(list(self._open)))

    def refuse(self, reason: str) -> None:
        """Take nothing more; who waits for room is told so. Any thread."""
        self._closed_because = reason
        self.outgoing.refuse()

    def begin(self, next_id: int, code_count: int, how: GoesOn) -> None:
        """Take the place of a former program of the job, before anything is pushed. Loop thread only.

        :param next_id: the former program pushed the tasks whose ids are less.
        :param code_count: how many blobs of code it sent.
        """
        self.code.reserve(code_count)
        self._former.begin(next_id, how)
        if how is not GoesOn.BY_PUSHES:
            self._next_id = max(next_id, 1)

    def attach(
        self, handler: TCPHandler, known_code_count: int = 0, next_id: int = 0, consumed_to: int = 0
    ) -> None:
        """Go on with a registration. Loop thread only.

        :param known_code_count: how many blobs of code the master has already.
        :param next_id: the master has the tasks whose ids are less; 0 if it has none of this owner.
        :param consumed_to: the number of the last outcome that it will not bring again.
        """
        self._joining = handler
        self._consumption.begin(handler, consumed_to)
        self.outgoing.sent_code.begin(known_code_count)
        self._former.joined(next_id)
        if next_id > self.outgoing.accepted_to or len(self._unsent) == len(self._open):
            self._go_on(handler, next_id)  # all is here: no need to wait for a thread that pickles
        else:
            when_free(self._pickling, self._loop, partial(self._push_again, handler, next_id))

    def detach(self) -> None:
        """The registration has ended; what is unfinished waits for the next. Loop thread only."""
        self._handler = self._joining = None
        self._consumption.end()
        self.outgoing.detach()

    def _append(self, item: Any, work: Any, terms: Terms) -> int:
        if self._closed_because is not None:
            raise self._closed()
        payload = self._shorthand.dumps(work)
        task_id = self._next_id
        self._next_id = task_id + 1
        self._open[task_id] = (item, work, terms)
        unsent = self._unsent
        unsent.append(task_id, terms, payload)
        if unsent.pushed_bytes > self.outgoing.full_at:
            self.outgoing.close_room()
        return task_id

    def _closed(self) -> SchedulingError:
        return SchedulingError(f"no more tasks can be pushed: {self._closed_because}", thing="push_task")

    def _meet_asked(self) -> None:
        self._is_asked = False
        asked = self._asked
        self._meet([asked.popleft() for _ in range(len(asked))])  # what comes meanwhile has another call posted

    def _meet(self, ids: list[int]) -> None:
        """The program has come to tasks that the master has already; what waits for them is theirs."""
        self._tell_accepted(ids)
        early: list[tuple[int, Outcome]] = []
        for task_id in ids:
            waiting = self._former.ask(task_id)
            task = self._open.pop(task_id, None) if waiting is not None else None
            if waiting is not None and task is not None and not self._is_pushed_singly(task, *waiting[1:]):
                early.append((waiting[0], Outcome(task[0], *waiting[1:])))
        early.sort(key=itemgetter(0))  # as they were delivered, so they are consumed in that order
        self._report([outcome for _, outcome in early])

    def _fail(self, group: Group, failures: list[Payload]) -> None:
        """Report tasks that the master would refuse."""
        ids = list(group.ids)
        self._take_outcomes(ids, [FAILED] * len(ids), failures)

    def _push_again(self, handler: TCPHandler, next_id: int) -> None:
        """Queue anew what an earlier master had accepted and this one has not, while no thread pickles."""
        if self._joining is not handler:  # this registration has ended meanwhile
            return
        here = self._unsent.ids()
        again: list[tuple[int, Terms, Payload]] = []
        lost: list[Outcome] = []
        for task_id in sorted(one for one in self._open if one >= next_id and one not in here):
            item, work, terms = self._open[task_id]
            if type(item) is Recalled:  # its outcome was to come next, and is lost with the job
                del self._open[task_id]
                continue
            try:
                again.append((task_id, terms, self._shorthand.dumps(work)))
            except BaseException as error:  # boundary: it was changed after it had been pushed
                del self._open[task_id]
                lost.append(Outcome(item, FAILED, dumps_failure(error, None, "")))
        self._unsent.put_before(again)
        self._report(lost)
        self._go_on(handler, next_id)

    def _go_on(self, handler: TCPHandler, next_id: int) -> None:
        self._handler = handler
        self.outgoing.attach(handler, next_id)
        self._unwanted = {one for one in self._unwanted if one < next_id or one in self._open}
        if self._unwanted:
            self._cancel(list(self._unwanted))
        self.outgoing.flush()

    def _take_accepted(self, last_id: int) -> None:
        if (groups := self.outgoing.accepted(last_id)) and self._on_accepted is not None:
            self._tell_accepted(one for group in groups for one in group.ids)

    def _tell_accepted(self, ids: Iterable[int]) -> None:
        if self._on_accepted is not None:
            items = list(self._items_of(ids))
            if items:
                self._on_accepted(items)

    def _items_of(self, ids: Iterable[int]) -> Iterator[Any]:
        """Yield what was pushed along with those of these tasks that have no outcome."""
        for task_id in ids:
            task = self._open.get(task_id)
            if task is not None:
                yield from task[0] if type(task[0]) is Members else (task[0],)

    def _take_outcomes(self, ids: list[int], statuses: list[int], payloads: list[Payload]) -> None:
        open_tasks = self._open
        if self._unwanted:
            self._unwanted.difference_update(ids)
        tasks: list[Any] = [open_tasks.pop(task_id, None) for task_id in ids]
        if all(tasks) and DIED not in statuses:
            items = [task[0] for task in tasks]
            self._report(list(map(_new_outcome, zip(items, statuses, payloads, strict=True))))
            return
        outcomes: list[Outcome] = []
        unasked_bytes = 0
        first = self._consumption.arrived_to - len(ids) + 1
        columns = zip(ids, tasks, statuses, payloads, strict=True)
        for number, (task_id, task, status, payload) in enumerate(columns, first):
            if task is None:
                self._former.keep(number, task_id, status, payload)
                unasked_bytes += len(payload)
                continue
            if not self._is_pushed_singly(task, status, payload):
                outcomes.append(Outcome(task[0], status, payload))
        self._report(outcomes)
        if unasked_bytes:
            self.consumed(unasked_bytes, 0)

    _take_finished = _take_outcomes
    """Takes the outcomes that the master has sent."""

    def _report(self, outcomes: list[Outcome]) -> None:
        """Give outcomes back at the end of the turn: then the loop leaves the interpreter to other threads."""
        self._consumption.given_back(len(outcomes), self._former.held_from)
        if outcomes and not self._arrived:
            self._loop.defer(self._give_back)
        self._arrived += outcomes

    def _give_back(self) -> None:
        arrived, self._arrived = self._arrived, []
        self._on_outcomes(arrived)

    def _is_pushed_singly(self, task: _Open, status: int, payload: Payload) -> bool:
        """Have the tasks of a batch of which a worker died pushed one by one; tells whether it is one."""
        item, work, _ = task
        if status != DIED or type(item) is not Members:
            return False
        when_free(self._pickling, self._loop, lambda: self._report(self._append_each(item, work)))
        self.consumed(len(payload), 0)
        return True

    def _append_each(self, items: Members, batch: TaskBatch) -> list[Outcome]:
        """Push the tasks of a batch one by one, while no thread pickles; returns the outcomes of what fails."""
        lost: list[Outcome] = []
        for item, work, terms in zip(items, batch.members, items.terms, strict=True):
            try:
                self._append(item, work, terms)
            except BaseException as error:  # boundary: its code is called again
                lost.append(Outcome(item, FAILED, dumps_failure(error, None, "")))
        self._wake()
        return lost

    def _cancel(self, ids: list[int], grace_s: float = 0.0) -> None:
        unsent = self.outgoing.remove(set(ids))
        here = unsent if self._handler is not None else ids
        self._unwanted |= (self._open.keys() & ids).difference(unsent)
        self._report([Outcome(task[0], CANCELLED, b"") for one in here if (task := self._open.pop(one, None))])
        there = [one for one in ids if one in self._unwanted or one in self._graces]
        if self._handler is not None and there:
            self._graces.note(there, grace_s, self._loop.time())
            grace = [grace_s] if grace_s and self._handler.peer_has(to_master.OPTIONS) else []
            self._courier.cast(self._handler, to_master.cancel, there, *grace)
