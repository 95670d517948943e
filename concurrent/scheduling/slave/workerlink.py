"""A slave's link to one worker: what was dealt to it, what came back, and what can be taken back.

There are two sockets. Tasks go out in batches, ahead of time, on the one for data, and results come back there.
On the other one a byte, a *token*, is the right to start one task. The slave keeps a duplicate of the worker's
end of it, so either side may take a token, and only one of them can::

    slave                                             worker
    outstanding  7  6  5  4  3                        runs 3, its token is gone
                 |  |  |  |
    data         7  6  5  4 ------------------------> queue  4  5  6  7     (generation 0)
    tokens       0  0  0  0 ------------------------> takes one, starts the oldest task of that generation
                 ^ slave reads at the far end: what it gets the worker never starts

    take_back(): reads tokens of 4 5 6 7, which go to others; from now on generation 1
    give(8):     data 8 and token 1 ----------------> queue  4  5  6  7  8: a token of generation 1 has come, so
                                                      4 to 7 are dropped, and 8 starts

So a task is started by its worker or taken back, never both, and taking back needs no answer. What waits in the
worker's queue and was taken back is dropped there when a token of a later generation comes.

Loop thread only. The sockets are those of ``tokens.py`` and ``workerdata.py``, the states those of
``workerstates.py``.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from signal import SIGKILL
from typing import Any, Final

from concurrent.core.errors import MalformedMessage
from concurrent.core.logformat import of_task
from concurrent.core.loggers import get_log
from concurrent.core.machine import next_state
from concurrent.scheduling.processes.cgroups import Group
from concurrent.scheduling.processes.launcher import Child, Launcher
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.scheduling.slave.bars import Bars
from concurrent.scheduling.slave.crew import Crew, Item, shown_item
from concurrent.scheduling.slave.outputlog import OutputLog
from concurrent.scheduling.slave.sayings import Sayings
from concurrent.scheduling.slave.tokens import Tokens
from concurrent.scheduling.slave.verdict import Verdict, over_memory
from concurrent.scheduling.slave.workerdata import WorkerData
from concurrent.scheduling.slave.workerstates import TRANSITIONS, WorkerEvent, WorkerState
from concurrent.scheduling.tasks.current import TaskProgress
from concurrent.scheduling.tasks.outcome import DIED
from concurrent.scheduling.tasks.runterms import RunTerms
from concurrent.scheduling.worker.board import read_record
from concurrent.scheduling.worker.workerwire import CODE, OWNER, TASKS
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["OnResults", "WorkerLink"]

ENTRY: Final = "concurrent.scheduling.worker.worker:main"

DOOMED: Final = frozenset(set(WorkerState) - {WorkerState.READY, WorkerState.SERVING, WorkerState.LEAVING})

log = get_log(__name__)

OnResults = Callable[["WorkerLink", Sequence[int], Sequence[int], Sequence[Any], float], None]
"""Called with the link, numbers, statuses, payloads, and the seconds they took together, 0 if nobody knows."""


class WorkerLink:
    """See the module. Makes the worker, which belongs to nobody until :meth:`join`, and gets tasks then.

    :param loop: the owner's loop.
    :param launcher: starts the process.
    :param on_results: called for each batch of results.
    :param on_death: called when the worker has ended and everything that it sent was read, with the link, the
        signal or None, the exit code or None and the tail of its output.
    :param sayings: takes what its tasks have said when they end.
    :param bars: takes what has run when it ends.
    :raises OSError: if there are no descriptors for it.

    ``verdicts`` has what becomes of tasks that it has, if the worker ends before they do.
    """

    __slots__ = (
        "_bars", "_code_count", "_data", "_early", "_early_outputs", "_group", "_loop", "_on_death",
        "_on_results", "_output", "_output_log", "_record", "_sayings", "_started_count", "_tokens",
        "busy_since", "child", "crew", "devices", "distrusted_because", "done_count", "is_held",
        "outstanding", "places", "progress_at", "state", "verdicts",
    )  # fmt: skip

    def __init__(
        self,
        loop: NodeLoop,
        launcher: Launcher,
        on_results: OnResults,
        on_death: Callable[[WorkerLink, int | None, int | None, str], None],
        *,
        sayings: Sayings,
        bars: Bars,
    ) -> None:
        self.crew: Crew | None = None
        self.places = 1
        self.devices: Sequence[int] = ()
        self.outstanding: deque[Item] = deque()
        self.done_count = 0
        self.progress_at = self.busy_since = loop.time()
        self.is_held = False
        self.distrusted_because = ""
        self.verdicts: dict[int, Verdict] = {}
        self.state = WorkerState.READY
        self._loop = loop
        self._on_results = on_results
        self._on_death = on_death
        self._sayings = sayings
        self._bars = bars
        self._group: Group | None = None
        self._record = b""
        self._started_count = 0
        self._early: list[Item] = []  # whose results were taken, and will be sent all the same
        self._early_outputs = 0
        self._code_count = 0
        with contextlib.ExitStack() as undo:
            self._output = OutputFile("task-output")
            undo.callback(self._output.close)
            self._output_log = OutputLog(self._output)
            self._data = WorkerData(loop, self._receive, self._distrust)
            undo.callback(self._data.its_end.close)
            undo.callback(self._data.close)
            self._tokens = Tokens()
            undo.pop_all()
        sockets = [self._data.its_end, self._tokens.its_end]
        self.child: Child = launcher.launch(
            ENTRY, sockets, [loop.name], output=self._output, on_exit=self._exited
        )

    def join(self, crew: Crew, devices: Sequence[int] = ()) -> None:
        """Have the worker belong to a crew, for good; it can be given tasks at once.

        :param devices: those that are its own.
        :raises OSError: if there are no descriptors for what they share, or the worker has ended.
        """
        self._data.join(crew.app)
        self._undergo(WorkerEvent.JOIN)
        self.crew = crew
        self.places, self.devices = crew.cpu, devices
        self._group = crew.new_group()
        group = "" if self._group is None else str(self._group.door)
        self._data.send(OWNER, crew.owner, crew.environment(devices), group, [])

    @property
    def is_leaving(self) -> bool:
        """Whether the worker gets nothing more, because it ends."""
        return self.state is not WorkerState.SERVING and self.state is not WorkerState.READY

    @property
    def is_doomed(self) -> bool:
        """Whether the worker ends in a moment, whatever its task does."""
        return self.state in DOOMED

    @property
    def pid(self) -> int:
        """The process id of the worker, 0 while it is being started."""
        return self.child.pid

    @property
    def is_idle(self) -> bool:
        """Whether it could be given a task that would start at once."""
        return not self.outstanding and not self.is_leaving

    @property
    def has_fallen(self) -> bool:
        """Whether the worker has ended because what had started it did."""
        return self.child.has_fallen

    def give(self, items: Sequence[Item], hold_s: float) -> None:
        """Deal tasks of its application to the worker, behind those that it has.

        :param hold_s: how long their results may wait for others while there is more to do, in seconds; 0 if
            there is nothing else to do.
        """
        crew = items[0][2]
        if not self.outstanding:
            self.progress_at = self.busy_since = self._loop.time()
        blobs = crew.app.blobs
        if self._code_count != len(blobs):
            self._send_code(blobs)
        numbers = [item[0] for item in items]
        payloads = [item[1] for item in items]
        terms = _terms_for_worker(items) if any(item[3].retry_on for item in items) else []
        self.outstanding.extend(items)
        data, tokens = self._data, self._tokens
        generation = tokens.generation
        # Tokens first: a worker that sleeps wakes up while the tasks are packed and sent.
        tokens.give(len(items))
        data.send(TASKS, generation, numbers, hold_s, data.take_dropped(), terms, payloads)

    @property
    def can_take_back(self) -> bool:
        """Whether what the worker has not started can be taken back; what it keeps then may be unstarted."""
        return self._tokens.can_take_back

    def take_back(self, *, is_slow: bool = True) -> list[Item]:
        """Take back every task that the worker has not started, oldest first.

        A worker that is only being started may keep what it has, see :attr:`can_take_back`.

        :param is_slow: whether the worker gets nothing more until it reports a result.
        """
        count = self._tokens.take_back() if self.outstanding else 0
        if not count:
            return []
        items = [self.outstanding.pop() for _ in range(count)]
        items.reverse()
        self.is_held = is_slow and bool(self.outstanding)
        return items

    def take_held(self) -> None:
        """Take the results that the worker holds back, for the task that it runs takes long; see ``held.py``.

        It will send them too, with the next ones; then they are passed over. May be called at any time: if the
        worker gets on meanwhile nothing is taken.
        """
        unused_count, early = self._tokens.unused_count(), self._early
        ended = [*early, *islice(self.outstanding, max(0, len(self.outstanding) - unused_count - 1))]
        if len(ended) == len(early) or self.is_doomed:
            return
        held = self._data.read_held([item[0] for item in ended])[len(early) :]
        if not held or self._tokens.unused_count() != unused_count:
            return
        items = [self.outstanding.popleft() for _ in held]
        for (number, _, _, terms), result in zip(items, held, strict=True):
            if result.output is not None:
                self._early_outputs += 1
                self._note_output(number, terms, result.output)
        early += items
        numbers = [item[0] for item in items]
        self._settled(numbers)
        self._on_results(self, numbers, [one.status for one in held], [one.payload for one in held], 0.0)

    def running_item(self) -> Item | None:
        """Return the task that runs, the newest that has started; None if none has."""
        if not self.outstanding:
            return None
        started_count = len(self.outstanding) - self._tokens.unused_count()
        return self.outstanding[started_count - 1] if started_count > 0 else None

    def running_number(self) -> int | None:
        """Return the number of the task that runs; None if none has started."""
        item = self.running_item()
        return item[0] if item is not None else None

    @property
    def tasks_before(self) -> int:
        """How many tasks the worker had before the one that it runs."""
        return self.done_count + len(self.outstanding) - self._tokens.unused_count() - 1

    def final_numbers(self) -> set[int]:
        """Return the numbers of its tasks that end with the worker, and do not run again."""
        return {number for number, verdict in self.verdicts.items() if not verdict.is_in_doubt}

    def note_progress(self, now: float) -> bool:
        """Tell whether the worker has started a task since it was last asked; its results may wait for others.

        :param now: the loop's time, which becomes ``progress_at`` if it has.
        """
        started_count = self.done_count + len(self.outstanding) - self._tokens.unused_count()
        if started_count == self._started_count:
            return False
        self._started_count = started_count
        self.progress_at = now
        return True

    def ask_to_end(self) -> None:
        """Have the worker end the task that it runs and then itself. It gets nothing more from now on."""
        self._undergo(WorkerEvent.ASK)
        self.child.terminate()

    def kill(self) -> None:
        """Kill the worker; ``on_death`` follows. It gets nothing more from now on."""
        self._undergo(WorkerEvent.KILL)
        self.child.kill()

    def finish(self) -> None:
        """Let the worker end after the task that it runs."""
        self._undergo(WorkerEvent.FINISH)
        self._tokens.finish()
        if self.crew is None:
            self._data.hang_up()

    def pause_reading(self, *, is_paused: bool) -> None:
        """Read no more of what the worker sends, so that it has to wait with more; or go on."""
        self._data.pause(is_paused=is_paused)

    def read_what_came(self) -> None:
        """Read the results that have come by now, also while reading is paused."""
        self._data.read_what_came()

    @property
    def is_amid_result(self) -> bool:
        """Whether the worker has sent a part of its results, and the rest has not come."""
        return self._data.is_amid_message

    def look(self) -> None:
        """Kill a worker that has begun a message and sends no more of it, or can send nothing any more.

        Call it every second or so.
        """
        if self.state is not WorkerState.KILLED:
            self._data.look()

    def new_progress(self) -> tuple[int, TaskProgress] | None:
        """Return which of its tasks says that it is how far; None if none does, or said so the last time."""
        record = self._data.read_board()
        if record == self._record:
            return None
        self._record = record
        said = read_record(record)
        return said if said is not None and any(said[0] == item[0] for item in self.outstanding) else None

    def output_of(self, number: int) -> str | None:
        """Return the end of what a task prints that runs here; None if it does not."""
        return self._output_log.end_of(number) if self.running_number() == number else None

    def log_output(self) -> None:
        """Write to the log what a task that still runs has printed so far."""
        if self.outstanding:
            number, _, _, terms = self.outstanding[0]
            self._output_log.look(number, terms)

    def unstarted_count(self) -> int:
        """Return how many tasks a dead worker had not started; the newest ones. Call it once."""
        return self._tokens.take_rest()

    def close(self) -> None:
        """Free everything of a worker that has ended."""
        self._undergo(WorkerEvent.END)
        self._data.close()
        self._tokens.close()
        self._output.close()
        if self._group is not None:
            self._group.close()

    def _exited(self, _pid: int, signal: int | None, code: int | None, tail: str) -> None:
        if self.state is not WorkerState.DISTRUSTED:
            nonsense = self._data.read_rest()
            if nonsense:
                log.error("the last words of worker %d make no sense: %s", self.pid, nonsense)
                self.distrusted_because = nonsense
                self._undergo(WorkerEvent.DISTRUST)
        if self.outstanding:
            self._charge(self._loop.time())
            self._note_last_words()
        if self._group is not None and signal == SIGKILL and not self.is_doomed:
            self._note_kernel(self._group)
        if self.state is WorkerState.LEAVING and code is not None:
            self._output_log.ended(self.pid, tail)
        self._on_death(self, signal, code, tail)

    def _note_last_words(self) -> None:
        """Pass on what the task has said that a worker ran when it ended, and how long that was."""
        item = self.running_item()
        if item is not None:
            number = item[0]
            since, now = self.progress_at, self._loop.time()
            crew = item[2]
            self._bars.ran(self.child, crew.owner, [item[3].name], [DIED], since=since, now=now, busy_s=now)
            self._sayings.printed(number, self._output_log.end_of(number))
            said = self.new_progress()
            if said is not None:
                self._sayings.progress(*said)

    def _note_kernel(self, group: Group) -> None:
        """Charge the task that ran if the kernel has killed the worker because of its memory."""
        taken, item = group.taken_bytes(), self.running_item()
        if taken is not None and item is not None:
            self._undergo(WorkerEvent.KILL)
            verdict = over_memory(taken, group.limit, self.tasks_before, by="the kernel ended it: ")
            self.verdicts[item[0]] = verdict
            about = of_task(item[0], item[3].name)
            log.warning("%s is ended%s: %s", shown_item(item), verdict.what_next, verdict.reason, extra=about)

    def _send_code(self, blobs: Sequence[bytes]) -> None:
        for index in range(self._code_count, len(blobs)):
            self._data.send(CODE, index, [blobs[index]])
        self._code_count = len(blobs)

    def _distrust(self, reason: str) -> None:
        """Kill a worker whose messages make no sense; a task that it has run since the last results did it."""
        log.error("worker %d is killed, what it sends makes no sense: %s", self.pid, reason)
        self.distrusted_because = reason
        self._undergo(WorkerEvent.DISTRUST)
        self.child.kill()

    def _undergo(self, event: WorkerEvent) -> None:
        """Go over to the next state; what cannot happen raises."""
        self.state = next_state(TRANSITIONS, self.state, event, self)

    def __str__(self) -> str:
        whose = "nobody" if self.crew is None else f"application {self.crew.owner}"
        return (
            f"worker {self.pid} of {whose}, with {self.done_count} tasks done and "
            f"{len(self.outstanding)} outstanding,"
        )

    def _charge(self, now: float) -> None:
        """Put the time since the last time on the account of the crew."""
        assert self.crew is not None, "a worker without an application has no tasks"
        self.crew.used_s += (now - self.busy_since) * self.crew.rate
        self.busy_since = now

    def _receive(
        self,
        _kind: int,
        numbers: list[int],
        statuses: list[int],
        busy_s: float,
        printed: list[Any],
        payloads: list[Any],
    ) -> None:
        outstanding, early_count = self.outstanding, len(self._early)
        count = len(numbers)
        items = [*self._early, *islice(outstanding, max(0, count - early_count))]
        if numbers != [item[0] for item in items] or not count == len(statuses) == len(payloads):
            raise MalformedMessage(f"outcomes of {count} tasks that are not the next ones")
        terms_by_number = {item[0]: item[3] for item in items} if printed else {}
        for number, *output in printed[self._early_outputs :]:
            if number not in terms_by_number:
                raise MalformedMessage(f"the output of task {number!r:.20}, which has not ended")
            self._note_output(number, terms_by_number[number], output)
        since, now = self.busy_since, self._loop.time()
        self._charge(now)
        if count:
            owner, names = items[0][2].owner, [item[3].name for item in items]
            self._bars.ran(self.child, owner, names, statuses, since=since, now=now, busy_s=busy_s)
        for _ in range(early_count, count):
            outstanding.popleft()
        if early_count:
            self._early.clear()
            self._early_outputs = 0
            numbers, statuses, payloads = numbers[early_count:], statuses[early_count:], payloads[early_count:]
        self.progress_at = now
        self.is_held = False
        self._settled(numbers)
        self._tokens.note_results()
        self._on_results(self, numbers, statuses, payloads, busy_s)

    def _note_output(self, number: int, terms: RunTerms, output: Sequence[Any]) -> None:
        """Pass on what a task has printed that has ended, and how far it said that it was."""
        *printed, record = output
        self._sayings.printed(number, self._output_log.finished(number, *printed, terms=terms))
        said = read_record(record) if record else None
        if said is not None:
            self._sayings.progress(number, said[1])

    def _settled(self, numbers: Sequence[int]) -> None:
        """Take note that tasks have ended before their worker."""
        self.done_count += len(numbers)
        if self.verdicts:
            for number in numbers:
                self.verdicts.pop(number, None)


def _terms_for_worker(items: Sequence[Item]) -> list[Any]:
    """Return what the worker has to know of what tasks ask for: ``[place, map]`` where that changes."""
    rows: list[Any] = []
    before: tuple[str, ...] = ()
    for place, (_, _, _, terms) in enumerate(items):
        if terms.retry_on != before:
            before = terms.retry_on
            rows.append([place, {"retry_on": before} if before else {}])
    return rows
