"""What an owner has pushed and no master has accepted: it is sent as far as there is room, and kept until then.

Threads that push append, and wait while there is too much of it; all else happens on the loop's thread. What
was sent when a session ends waits for the next one, as it was pickled.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from concurrent.core.errors import MessageTooLarge, SchedulingError, TransportError
from concurrent.core.loggers import get_log
from concurrent.scheduling.owner.room import SAID_AGAIN_S, Room
from concurrent.scheduling.owner.sentcode import SentCode
from concurrent.scheduling.owner.unsent import Group, UnsentTasks
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.tasks.terms import Terms
from concurrent.scheduling.wire.columns import OVERHEAD_BYTES, Payload
from concurrent.scheduling.wire.failure import dumps_failure, each_too_large, not_kept
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Outgoing"]

PENDING_BYTES_MAX: Final = 32 << 20
"""Above this many bytes that the master has not accepted, whoever pushes has to wait."""

BULK_S: Final = 0.05
"""So often it is looked for what a push of many tasks has brought, however slowly these are made."""

log = get_log(__name__)


class Outgoing:
    """See the module.

    ``unsent`` is where whoever pushes appends; above ``full_at`` of its bytes it has to close the room.
    ``accepted_to`` is the last id that a master has accepted.

    :param code: what the tasks are pickled with.
    :param on_known: called with the ids of tasks that the master has already.
    :param on_refused: called with a group that the master would refuse, and the failure of each of its tasks.
    :param room_timeout_s: how long a push waits for the master to accept more, in seconds.
    """

    def __init__(
        self,
        loop: NodeLoop,
        code: AppCode,
        *,
        on_known: Callable[[list[int]], object],
        on_refused: Callable[[Group, list[Payload]], object],
        room_timeout_s: float | None,
    ) -> None:
        self.unsent = UnsentTasks()
        self.full_at = PENDING_BYTES_MAX
        self.accepted_to = -1
        self.sent_code = SentCode(code)
        self.room = Room(loop, self._explain_no_room, room_timeout_s)
        self.before_tasks: Callable[[TCPHandler, Group], object] | None = None
        self._loop = loop
        self._code = code
        self._on_known = on_known
        self._on_refused = on_refused
        self._next_id = 0  # the first that the master has not got
        self._handler: TCPHandler | None = None
        self._accepted_bytes = 0
        self._in_flight: OrderedDict[int, Group] = OrderedDict()  # by the last id of each
        self._in_flight_bytes = 0
        self._on_empty: list[Callable[[], object]] = []
        self._is_woken = False
        self._bulks: set[object] = set()  # pushes of many that are under way
        self._will_look = False
        self._is_held_back = False
        self._is_closed = False
        self._held_because = ""
        self._held_said_until = 0.0

    @property
    def first_id(self) -> int | None:
        """The least id of a task that was pushed and the master has not accepted; None if there is none."""
        for group in self._in_flight.values():
            return group.first_id
        return self.unsent.first_id

    # Any thread.

    def close_room(self) -> None:
        """There is more than may wait: have pushes wait, unless the loop has just made room."""
        self.room.close()
        self._note_room()

    def wait_for_room(self) -> None:
        """Wait until the master has accepted more; see ``Room.wait``."""
        self.wake()  # what fills the room may not have been sent yet
        self.room.wait()

    def refuse(self) -> None:
        """Nothing more will be pushed: who waits for room goes on, to be told so."""
        self._is_closed = True
        self.room.open()

    def wake(self) -> None:
        """Have the loop send what was pushed."""
        if not self._is_woken:
            self._is_woken = True
            try:
                self._loop.post(self.flush)
            except BaseException:  # boundary: a signal came; the next push wakes the loop
                self._is_woken = False
                raise

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Look now and then for what was pushed, though nobody wakes the loop: what makes tasks may be slow."""
        bulk = object()
        self._bulks.add(bulk)
        try:
            yield
        finally:
            self._bulks.discard(bulk)
            self.wake()

    # Loop thread only.

    def when_empty(self, call: Callable[[], object]) -> None:
        """Call back once a master has accepted all that was pushed."""
        self._on_empty.append(call)
        self._look_whether_empty()

    def put_before(self, tasks: list[tuple[int, Terms, Payload]]) -> None:
        """Send other tasks before all that waits; while nobody appends."""
        self.unsent.put_before(tasks)

    def attach(self, handler: TCPHandler, next_id: int) -> None:
        """Send from now on to a master that has the tasks with ids below ``next_id``; the others are here."""
        self._handler = handler
        self._next_id = next_id
        self.accepted_to = next_id - 1
        self.sent_code.begin_uses(handler)
        handler.on_room = self.flush
        self._leave_out_known()
        self._look_whether_empty()

    def detach(self) -> None:
        """Send nothing more until there is another session."""
        self._handler = None
        self.unsent.put_back(self._in_flight.values())
        self._in_flight.clear()
        self._in_flight_bytes = 0

    def flush(self) -> None:
        """Send what is pushed, in batches, as far as the session has room and the master accepts it."""
        self._is_woken = False
        handler = self._handler
        if self._bulks and not self._will_look:
            self._will_look = True
            self._loop.call_later(BULK_S, self._look_again)
        if self._next_id and handler is not None:
            self._leave_out_known()
        while self.unsent and handler is not None and handler.has_room:
            if self._in_flight_bytes > PENDING_BYTES_MAX:
                self._is_held_back = True  # the master ends the session of who sends much more
                return
            is_older = not handler.peer_has(to_master.OPTIONS)
            group = self.unsent.take(are_alike=is_older)
            asked = group.stretches[0][1].binding() if is_older else []
            if asked:
                self._refuse(group, [not_kept(asked)] * len(group.payloads))
            elif not self._send(handler, group):
                return

    def _send(self, handler: TCPHandler, group: Group) -> bool:
        """Send tasks and the code that they need, or report that the master would refuse them.

        :returns: False if the session is ending: they wait for the next one.
        """
        payloads, code_count = group.payloads, self._code.blob_count
        try:
            if code_count > self.sent_code.count:
                self.sent_code.send(handler, code_count)
            if self.before_tasks is not None:
                self.before_tasks(handler, group)
            group.cast(handler, code_count)
        except SchedulingError as error:
            self._refuse(group, [dumps_failure(error, None, "")] * len(payloads))
        except MessageTooLarge:  # a group of more than one task never is
            self._refuse(group, each_too_large("a task", payloads, handler.peer_bytes_max))
        except TransportError as error:  # the next session is given everything
            log.warning("tasks wait for another session: %s", error)
            self.unsent.put_back([group])
            return False
        else:
            if log.isEnabledFor(logging.DEBUG):
                log.debug("sent %d tasks, %d and on", len(payloads), group.first_id)
            self._in_flight[group.first_id + len(payloads) - 1] = group
            self._in_flight_bytes += group.size_bytes
        return True

    def _look_again(self) -> None:
        self._will_look = False
        self.flush()

    def accepted(self, last_id: int) -> list[Group]:
        """Take note that the master answers for the tasks up to a number; returns them.

        There are none if that is known already, or of a registration that has ended.
        """
        groups: list[Group] = []
        in_flight = self._in_flight
        if last_id not in in_flight:
            return groups
        size_bytes = 0
        while last_id in in_flight:
            _, group = in_flight.popitem(last=False)
            size_bytes += group.size_bytes
            groups.append(group)
        self.accepted_to = last_id
        self._in_flight_bytes -= size_bytes
        self._held_because = ""
        self._accept_bytes(size_bytes)
        if self._is_held_back:
            self._is_held_back = False
            self.flush()
        return groups

    def held(self, reason: str) -> None:
        """Take note why the master accepts nothing more for now."""
        self._held_because = reason
        if self._loop.time() >= self._held_said_until:
            self._held_said_until = self._loop.time() + SAID_AGAIN_S
            log.warning("no more tasks are accepted for now: %s", reason)

    def remove(self, ids: set[int]) -> list[int]:
        """Take those of these tasks out that were not sent, and return their ids."""
        removed = self.unsent.remove(ids)
        self._accept_bytes(_bytes_of(payload for _, _, payload in removed))
        return [task_id for task_id, _, _ in removed]

    def _leave_out_known(self) -> None:
        """Take out what the master has already, though it is pushed again here."""
        known = self.unsent.remove_below(self._next_id)
        if known:
            self._accept_bytes(_bytes_of(payload for _, _, payload in known))
            self._on_known([task_id for task_id, _, _ in known])

    def _refuse(self, group: Group, failures: list[Payload]) -> None:
        self._accept_bytes(group.size_bytes)
        self._on_refused(group, failures)

    def _accept_bytes(self, size_bytes: int) -> None:
        self._accepted_bytes += size_bytes
        self.full_at = self._accepted_bytes + PENDING_BYTES_MAX
        if not self.room.is_open:
            self._note_room()
        if self._on_empty:
            self._loop.call_soon(self._look_whether_empty)

    def _look_whether_empty(self) -> None:
        if not self.unsent and not self._in_flight and self._handler is not None:
            calls, self._on_empty = self._on_empty, []
            for call in calls:
                call()

    def _note_room(self) -> None:
        is_small = self.unsent.pushed_bytes - self._accepted_bytes <= PENDING_BYTES_MAX
        if not self.room.is_open and (is_small or self._is_closed):
            self.room.open()

    def _explain_no_room(self) -> str:
        """Return why the master accepts nothing more. Any thread."""
        if self._handler is None:
            return "this program has not joined a master"
        waiting_bytes = self.unsent.pushed_bytes - self._accepted_bytes
        return (
            f"the master has not accepted {waiting_bytes} bytes of tasks: {self._held_because or 'it is busy'}"
        )


def _bytes_of(payloads: Iterable[Payload]) -> int:
    return sum(len(payload) + OVERHEAD_BYTES for payload in payloads)
