"""How a worker ended: what it had, which of that may have done it, and the evidence. Loop thread only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from concurrent.core.logformat import of_task
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.entry import ENTRY_FAILED
from concurrent.scheduling.processes.launcher import how_it_ended
from concurrent.scheduling.processes.taskoutput import without_own_frames
from concurrent.scheduling.slave.crew import Item, shown_item
from concurrent.scheduling.slave.suspects import Suspects
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.scheduling.slave.workerstates import WorkerState
from concurrent.scheduling.wire.failure import time_of_day

__all__ = ["Death", "verdict"]

OWN_EXITS: Final = frozenset({0, ENTRY_FAILED})
"""The exit codes of a worker that found its sockets closed or broken, by whichever of its tasks."""

MEANT: Final = frozenset((WorkerState.ENDING, WorkerState.KILLED))
"""What a worker was that was ended by intent, while it ran a task."""

ACCIDENTS: Final = frozenset((WorkerState.READY, WorkerState.SERVING, WorkerState.DISTRUSTED))
"""What a worker was that nobody has told to end."""

log = get_log(__name__)


class Death(NamedTuple):
    """See the module.

    :param link: the link to the worker, which is closed by now.
    :param how: how it ended, in words.
    :param tail: the end of its output.
    :param started: the tasks that it had started and not brought home, oldest first.
    :param unstarted: those that it had not started.
    :param ended: those of its tasks that it was ended for, or that would have been ended; not among the others.
    :param doubtful: those that it was ended for though earlier ones may have done it; not among the others.
    :param candidates: those of the started tasks that may have done it; none if it was killed by intent.
    :param is_accident: whether nobody meant it to end.
    """

    link: WorkerLink
    how: str
    tail: str
    started: list[Item]
    unstarted: list[Item]
    ended: list[Item]
    doubtful: list[Item]
    candidates: list[Item]
    is_accident: bool

    @classmethod
    def of(cls, link: WorkerLink, signal: int | None, code: int | None, tail: str) -> Death:
        """Take everything from a worker that has ended, and close its link."""
        items = list(link.outstanding)
        started_count = len(items) - link.unstarted_count()
        started, unstarted = items[:started_count], items[started_count:]
        state = link.state
        link.outstanding.clear()
        link.close()
        how = how_it_ended(signal, code)
        if state is WorkerState.DISTRUSTED:
            how = f"sent what makes no sense ({link.distrusted_because}) and {how}"
        is_accident = state in ACCIDENTS
        # What broke its sockets shows later, when the next results are sent; anything else at once.
        is_late = state is WorkerState.DISTRUSTED or (code in OWN_EXITS and is_accident)
        candidates = started if is_late else started[-1:]
        if state in MEANT:
            candidates = []
        ended: list[Item] = []
        doubtful: list[Item] = []
        if verdicts := link.verdicts:
            for item in items:
                if item[0] in verdicts:
                    (doubtful if verdicts[item[0]].is_in_doubt else ended).append(item)
            started, unstarted, candidates = (
                [item for item in some if item[0] not in verdicts] for some in (started, unstarted, candidates)
            )
        return cls(link, how, tail, started, unstarted, ended, doubtful, candidates, is_accident)

    def outcomes(self, where: str) -> list[tuple[Item, int, bytes]]:
        """Return what is reported of the tasks in ``ended``: each with status and payload.

        :param where: the slave, for their owners.
        """
        place = f"{where}, worker {self.link.pid}, {time_of_day()}"
        output = without_own_frames(self.tail)
        verdicts = self.link.verdicts
        return [(item, *verdicts[item[0]].outcome(place, output)) for item in self.ended]

    def evidence(self, item: Item, now: float) -> str:
        """Return what speaks against a task.

        :param now: the loop's time.
        """
        run_s = now - self.link.progress_at
        return f"worker {self.link.pid} {self.how} at {time_of_day()}, {run_s:.1f} s into {shown_item(item)}"


def verdict(
    deaths: Sequence[Death], suspects: Suspects, patience: int, now: float
) -> tuple[list[tuple[Item, bytes]], list[Item]]:
    """Find out which task has brought workers down that ended together.

    :param patience: how often a task may go down with others before it has to run apart.
    :param now: the loop's time.
    :returns: the tasks that are charged, each with its evidence, and those that run again at no cost.
    """
    numbers = [item[0] for death in deaths for item in death.candidates]
    culprit = suspects.went_down(numbers, patience) if numbers else None
    if numbers and culprit is None:
        log.warning("%d tasks went down together and run again: a worker %s", len(numbers), deaths[0].how)
    charged: list[tuple[Item, bytes]] = []
    others: list[Item] = []
    for death in deaths:
        for item in death.started:
            if item[0] != culprit:
                others.append(item)
                continue
            evidence = death.evidence(item, now)
            log.warning("%s", evidence, extra=of_task(item[0], item[3].name))
            if death.tail:
                evidence += f"; its last output:\n{without_own_frames(death.tail)}"
            charged.append((item, evidence.encode()))
    return charged, others
