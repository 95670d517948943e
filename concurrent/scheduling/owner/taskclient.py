"""An owner's end of its tasks: pushes them to the master and gives back the outcome of each, once.

Applications, executors, hosts of systems each have one. It keeps what was pushed until its outcome is here:
when a master is lost for good the next one is given all that is unfinished, and second outcomes are dropped.
Tasks are pickled in the thread that pushes them, and on the loop's thread if they are pushed again; one lock
covers that. The loop takes what was pushed without a lock: what it does not find yet, it finds the next time.
The rest happens on the loop's thread.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from concurrent.core.errors import (
    MessageTooLarge,
    PayloadTooLarge,
    SchedulingError,
    TransportError,
)
from concurrent.core.loggers import get_log
from concurrent.scheduling.owner.consumption import Consumption
from concurrent.scheduling.owner.locks import when_free
from concurrent.scheduling.owner.results import Members, Outcome
from concurrent.scheduling.owner.room import SAID_AGAIN_S, Room
from concurrent.scheduling.owner.unsent import Group, UnsentTasks
from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.pickling.coding import Codec, CodedShorthand
from concurrent.scheduling.pickling.shorthand import Shorthand
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms, once, terms_of, terms_of_each
from concurrent.scheduling.wire.columns import (
    BLOB_BYTES,
    CODE_BYTES_MAX,
    OVERHEAD_BYTES,
    Payload,
    check_columns,
    check_statuses,
)
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.failure import code_too_large, dumps_failure, each_too_large
from concurrent.scheduling.wire.messages import to_master, to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.frames.frames import as_payload
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["TaskClient"]

PENDING_BYTES_MAX: Final = 32 << 20
"""Above this many bytes that the master has not accepted, whoever pushes has to wait."""

WAKE_COUNT: Final = 250
"""After the first task of a bulk, so many are pickled before the loop is woken, and changed code looked for."""

log = get_log("concurrent.scheduling.owner.taskclient")


_Open = tuple[Any, Any, Terms]
"""What was pushed of a task: item, work, and terms. A plain tuple is made faster."""

_new_outcome = partial(tuple.__new__, Outcome)
"""Makes one of item, status and payload, without a call of a function in Python."""


class TaskClient:
    """See the module.

    :param loop: the owner's loop.
    :param code: pickles tasks and unpickles results.
    :param on_outcomes: called on the loop with the outcomes that came together.
    :param on_accepted: called on the loop with the items that the master has accepted.
    :param on_running: called on the loop with items whose tasks have begun to run and will take a while.
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
        on_running: Callable[[list[Any]], object] | None = None,
        room_timeout_s: float | None = None,
        codec: Codec | None = None,
    ) -> None:
        self.code = code
        self.room = Room(loop, self._explain_no_room, room_timeout_s)
        self._shorthand = Shorthand(code) if codec is None else CodedShorthand(code, codec)
        self._loop = loop
        self._courier = Courier(loop)
        self._on_outcomes = on_outcomes
        self._on_accepted = on_accepted
        self._on_running = on_running
        self._pickling = threading.RLock()  # any thread may push, even code that runs while a task is pickled
        self._held_because = ""
        self._held_said_until = 0.0
        self._next_id = 1
        self._pushed_count = 0
        self._open: dict[int, _Open] = {}
        self._unsent = UnsentTasks()
        self._accepted_bytes = 0
        self._consumption = Consumption(loop, self._courier)
        self._arrived: list[Outcome] = []
        self._is_woken = False
        self._closed_because: str | None = None
        self._handler: TCPHandler | None = None
        self._joining: TCPHandler | None = None  # the handler, or the one that is to be it soon
        self._sent_code_count = 0
        self._sent_code_bytes = 0
        self._in_flight: OrderedDict[int, Group] = OrderedDict()  # by the last id of each
        self._in_flight_bytes = 0
        self._is_held_back = False

    @property
    def pushed_count(self) -> int:
        """How many tasks were pushed ever. Any thread."""
        return self._pushed_count

    @property
    def open_count(self) -> int:
        """How many tasks, or batches, have no outcome yet. Any thread."""
        return len(self._open)

    def register_methods(self, endpoint: HasMethods) -> None:
        """Register what the master calls, with the client of a compute channel."""

        @receives(endpoint, to_owner.accepted)
        def accepted(_handler: TCPHandler, _request: Any, last_id: int) -> None:
            """Take note that the master answers for the tasks up to a number from now on."""
            self._take_accepted(last_id)

        @receives(endpoint, to_owner.held)
        def held(_handler: TCPHandler, _request: Any, reason: str) -> None:
            """Take note why the master accepts nothing more for now."""
            self._held_because = reason
            if self._loop.time() >= self._held_said_until:
                self._held_said_until = self._loop.time() + SAID_AGAIN_S
                log.warning("no more tasks are accepted for now: %s", reason)

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
            self._take_outcomes(ids, statuses, payloads)

        on_running = self._on_running
        if on_running is not None:

            @receives(endpoint, to_owner.running)
            def running(_handler: TCPHandler, _request: Any, ids: list[int]) -> None:
                """Take note of tasks that have begun to run."""
                on_running(list(self._items_of(ids)))

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
        ids: list[int] | None = None,
        pending: list[Any] | None = None,
    ) -> list[int]:
        """Push many tasks, each of which is its own item; see :meth:`push`.

        If there is an error, those before the task that fails, or before its batch, are pushed.

        :param tasks: instances of :class:`~concurrent.scheduling.tasks.task.Task`.
        :param batch_size: how many travel and run as one (``batch.py``); none do if it is 1 or less.
        :param ids: a list to which the ids are added, for who wants them in spite of an error.
        :param pending: a list that holds what was taken from ``tasks`` and is not pushed, likewise.
        :returns: the ids; those of one batch have the same.
        """
        ids = [] if ids is None else ids
        pending = [] if pending is None else pending
        rest = iter(tasks)
        batch_size = max(1, batch_size)
        try:
            while True:
                pending.extend(islice(rest, batch_size))
                if not pending:
                    break
                if batch_size > 1:
                    ids += self._push_batch(list(pending))
                else:
                    task = pending[0]
                    ids.append(self._push(task, task, terms_of(task), 1, len(ids) % WAKE_COUNT))
                    if len(ids) % WAKE_COUNT == 1:
                        self._wake()
                pending.clear()
        finally:
            self._wake()
        return ids

    def _push_batch(self, batch: list[Any]) -> list[int]:
        items = Members(batch)
        items.terms = terms_of_each(batch)
        task_id = self._push(items, TaskBatch(batch), once(items.terms[0]), len(items))
        self._wake()
        return [task_id] * len(items)

    def _push(self, item: Any, work: Any, terms: Terms, count: int, since_fresh: int = 0) -> int:
        """Push what counts as so many tasks, and wake nobody; changed code was looked for or is now."""
        if not self.room.is_open:
            self._wait_for_room()
        with self._pickling:
            if not since_fresh and not self.code.is_same():
                self._shorthand.refresh()
            task_id = self._append(item, work, terms)
            self._pushed_count += count
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
        handler = self._handler
        if handler is None:
            return
        for index in range(self._sent_code_count, code_count):
            blob = self.code.blob_at(index)
            size_bytes = self._sent_code_bytes + len(blob) + BLOB_BYTES
            if size_bytes > CODE_BYTES_MAX:
                raise code_too_large(size_bytes, CODE_BYTES_MAX)
            try:
                handler.cast(to_master.define_code, index, as_payload(blob))
            except MessageTooLarge:
                raise code_too_large(len(blob), handler.peer_bytes_max) from None
            self._sent_code_bytes = size_bytes
            self._sent_code_count = index + 1

    def cancel(self, ids: Sequence[int]) -> None:
        """Ask for no more of these tasks; each still gets one outcome. Any thread."""
        self._loop.post(self._cancel, list(ids))

    def consumed(self, size_bytes: int, count: int) -> None:
        """Take note that the next so many outcomes were dealt with, of so many bytes. Any thread."""
        self._consumption.consumed(size_bytes, count)

    def close(self, reason: str) -> None:
        """Take nothing more; open tasks are reported as cancelled. Any thread."""
        self.refuse(reason)
        self._loop.post(self._cancel_all)

    def refuse(self, reason: str) -> None:
        """Take nothing more; who waits for room is told so. Any thread."""
        self._closed_because = reason
        self.room.open()

    def attach(self, handler: TCPHandler, known_code_count: int = 0) -> None:
        """Go on with a registration at a master that has none of this owner's tasks. Loop thread only.

        :param known_code_count: how many blobs of code the master has already.
        """
        self._joining = handler
        self._consumption.begin(handler)
        self._sent_code_count = known_code_count
        self._sent_code_bytes = sum(len(self.code.blob_at(one)) + BLOB_BYTES for one in range(known_code_count))
        if len(self._unsent) == len(self._open):  # all is here: no need to wait for a thread that pickles
            self._go_on(handler)
        else:
            when_free(self._pickling, self._loop, partial(self._push_again, handler))

    def detach(self) -> None:
        """The registration has ended; what is unfinished waits for the next. Loop thread only."""
        self._handler = self._joining = None
        self._consumption.end()
        self._accepted_bytes += self._in_flight_bytes
        self._in_flight.clear()
        self._in_flight_bytes = 0
        self._note_room()

    def _append(self, item: Any, work: Any, terms: Terms) -> int:
        if self._closed_because is not None:
            raise SchedulingError(f"no more tasks can be pushed: {self._closed_because}", thing="push_task")
        payload = self._shorthand.dumps(work)
        task_id = self._next_id
        self._next_id = task_id + 1
        self._open[task_id] = (item, work, terms)
        unsent = self._unsent
        unsent.append(task_id, terms, payload)
        if unsent.pushed_bytes - self._accepted_bytes > PENDING_BYTES_MAX:
            self.room.close()
            self._note_room()  # the loop may have accepted it all before it was cleared
        return task_id

    def _wait_for_room(self) -> None:
        self._wake()  # what fills the room may not have been sent yet
        self.room.wait()

    def _explain_no_room(self) -> str:
        """Return why the master accepts nothing more. Any thread."""
        if self._handler is None:
            return "this program has not joined a master"
        waiting_bytes = self._unsent.pushed_bytes - self._accepted_bytes
        return (
            f"the master has not accepted {waiting_bytes} bytes of tasks: {self._held_because or 'it is busy'}"
        )

    def _note_room(self) -> None:
        is_small = self._unsent.pushed_bytes - self._accepted_bytes <= PENDING_BYTES_MAX
        if not self.room.is_open and (is_small or self._closed_because is not None):
            self.room.open()

    def _wake(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            try:
                self._loop.post(self._flush)
            except BaseException:  # boundary: a signal came; the next push wakes the loop
                self._is_woken = False
                raise

    def _flush(self) -> None:
        """Send what is pushed, in batches, as far as the session has room and the master accepts it."""
        self._is_woken = False
        handler = self._handler
        while self._unsent and handler is not None and handler.has_room:
            if self._in_flight_bytes > PENDING_BYTES_MAX:
                self._is_held_back = True  # the master ends the session of who sends much more
                return
            group = self._unsent.take()
            first_id, payloads, code_count = group.first_id, group.payloads, self.code.blob_count
            try:
                if code_count > self._sent_code_count:
                    self.send_code(code_count)
                group.cast(handler, code_count)
            except PayloadTooLarge as error:
                self._fail(group, [dumps_failure(error, None, "")] * len(payloads))
            except MessageTooLarge:  # a group of more than one task never is
                self._fail(group, each_too_large("a task", payloads, handler.peer_bytes_max))
            except TransportError as error:  # the session is ending; the next one is given everything
                log.warning("tasks wait for another session: %s", error)
                self._accepted_bytes += group.size_bytes
                return
            else:
                if log.isEnabledFor(logging.DEBUG):
                    log.debug("sent %d tasks, %d and on", len(payloads), first_id)
                self._in_flight[first_id + len(payloads) - 1] = group
                self._in_flight_bytes += group.size_bytes

    def _fail(self, group: Group, failures: list[Payload]) -> None:
        """Report tasks that the master would refuse."""
        self._accepted_bytes += group.size_bytes
        self._note_room()
        ids = range(group.first_id, group.first_id + len(group.payloads))
        self._take_outcomes(list(ids), [FAILED] * len(ids), failures)

    def _push_again(self, handler: TCPHandler) -> None:
        """Queue anew what an earlier master was given, in the old order, while no thread pickles."""
        if self._joining is not handler:  # this registration has ended meanwhile
            return
        lost, payload_by_id = list[Outcome](), self._unsent.drain()
        for task_id, (item, work, terms) in list(self._open.items()):
            try:
                payload = payload_by_id.get(task_id) or self._shorthand.dumps(work)
            except BaseException as error:  # boundary: it was changed after it had been pushed
                del self._open[task_id]
                lost.append(Outcome(item, FAILED, dumps_failure(error, None, "")))
            else:
                self._unsent.append(task_id, terms, payload)
        self._report(lost)
        self._go_on(handler)

    def _go_on(self, handler: TCPHandler) -> None:
        self._handler = handler
        handler.on_room = self._flush
        self._flush()

    def _take_accepted(self, last_id: int) -> None:
        in_flight = self._in_flight
        if last_id not in in_flight:
            return  # known already, or of a registration that has ended
        items: list[Any] = []
        while last_id in in_flight:
            group_id, group = in_flight.popitem(last=False)
            self._accepted_bytes += group.size_bytes
            self._in_flight_bytes -= group.size_bytes
            if self._on_accepted is not None:
                items += self._items_of(range(group.first_id, group_id + 1))
        self._held_because = ""
        self._note_room()
        if self._is_held_back:
            self._is_held_back = False
            self._flush()
        if self._on_accepted is not None:
            self._on_accepted(items)

    def _items_of(self, ids: Iterable[int]) -> Iterator[Any]:
        """Yield what was pushed along with those of these tasks that have no outcome."""
        for task_id in ids:
            task = self._open.get(task_id)
            if task is not None:
                yield from task[0] if type(task[0]) is Members else (task[0],)

    def _take_outcomes(self, ids: list[int], statuses: list[int], payloads: list[Payload]) -> None:
        open_tasks = self._open
        tasks: list[Any] = [open_tasks.pop(task_id, None) for task_id in ids]
        if all(tasks) and DIED not in statuses:
            items = [task[0] for task in tasks]
            self._report(list(map(_new_outcome, zip(items, statuses, payloads, strict=True))))
            return
        outcomes: list[Outcome] = []
        for task, status, payload in zip(tasks, statuses, payloads, strict=True):
            if task is None:
                continue
            item, work, _ = task
            if status == DIED and type(item) is Members:
                when_free(self._pickling, self._loop, partial(self._push_singly, item, work))
                self.consumed(len(payload), 0)
            else:
                outcomes.append(Outcome(item, status, payload))
        self._report(outcomes)

    def _report(self, outcomes: list[Outcome]) -> None:
        """Give outcomes back at the end of the turn: then the loop leaves the interpreter to other threads."""
        self._consumption.given_back(len(outcomes))
        if outcomes and not self._arrived:
            self._loop.defer(self._give_back)
        self._arrived += outcomes

    def _give_back(self) -> None:
        arrived, self._arrived = self._arrived, []
        self._on_outcomes(arrived)

    def _push_singly(self, items: Members, batch: TaskBatch) -> None:
        """Push the tasks of a batch one by one, after a worker died of one of them; while no thread pickles."""
        lost: list[Outcome] = []
        for item, work, terms in zip(items, batch.members, items.terms, strict=True):
            try:
                self._append(item, work, terms)
            except BaseException as error:  # boundary: its code is called again
                lost.append(Outcome(item, FAILED, dumps_failure(error, None, "")))
        self._wake()
        self._report(lost)

    def _cancel(self, ids: list[int]) -> None:
        unsent = self._take_unsent(set(ids))
        here = unsent if self._handler is not None else ids
        cancelled = [task for one in here if (task := self._open.pop(one, None)) is not None]
        self._report([Outcome(item, CANCELLED, b"") for item, _, _ in cancelled])
        there = [task_id for task_id in ids if task_id in self._open]
        if self._handler is not None and there:
            self._courier.cast(self._handler, to_master.cancel, there)

    def _take_unsent(self, ids: set[int]) -> list[int]:
        """Take those of these tasks that were not sent out of the queue, and return their ids."""
        removed = self._unsent.remove(ids)
        self._accepted_bytes += sum(len(payload) + OVERHEAD_BYTES for _, _, payload in removed)
        self._note_room()
        return [task_id for task_id, _, _ in removed]

    def _cancel_all(self) -> None:
        self._cancel(list(self._open))
