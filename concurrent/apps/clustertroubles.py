"""What is wrong with a cluster at a moment, the most serious first, and what to type. Loop thread only.

Nothing is kept for it: it is found when somebody asks. What tasks raised, print and say is for who may touch
their job.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, NamedTuple

from concurrent.apps.jobnames import names_of_jobs
from concurrent.apps.observed import BETWEEN_TRIES, FAILED, RUNNING, WAITING
from concurrent.apps.status import NodeRow
from concurrent.apps.troublelist import TroubleRow, TroublesList
from concurrent.core.typed import typed
from concurrent.scheduling.ledger.explaining import Explainer  # here, so that the loop does not wait for it
from concurrent.scheduling.ledger.failures import in_few_words
from concurrent.scheduling.ledger.jobs import TASK_OUT_OF_MEMORY, TASK_TIMEOUT, WORKER_DIED
from concurrent.scheduling.ledger.records import JobRecord, SlaveRecord
from concurrent.scheduling.ledger.retries import NextTry
from concurrent.scheduling.ledger.status import RunningRow
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.jobmakers import UNKNOWN, may_read
from concurrent.scheduling.tasks.explanation import Wait, shown_tasks, shown_time
from concurrent.scheduling.telemetry.failuregroups import FailureGroup
from concurrent.transport.security.identity import Identity
from concurrent.transport.web.contents import address

__all__ = ["OF_KIND_MAX", "Trouble", "Troubles", "troubles_of"]

OF_KIND_MAX: Final = 5
"""So many of each kind are told, so that no kind hides the others."""

LATELY_S: Final = 300.0
"""So long it is said that tasks failed whose job has none open any more."""

LOST_S: Final = 3600.0
"""So long it is said that a slave was lost."""

LATER_S: Final = 30.0
"""Who waits for a next try that comes sooner is nothing to look at."""

LOOKED_MAX: Final = 10_000
"""So many tasks between tries are looked at."""

SAYS_CHARS_MAX: Final = 300

REASONS_MAX: Final = 2
"""So many reasons why tasks wait are told; 'concurrent explain' has all."""

USUAL_WAITS: Final = ("room at a slave", "the scheduler")
"""What a task may wait for while all is well."""

ATTEMPT: Final = "attempt "
"""How each line of the evidence on a task begins of which workers died."""


class Trouble(NamedTuple):
    """One thing that is wrong, and who made the job whose tasks say something of it."""

    row: TroubleRow
    maker: str = UNKNOWN


class Troubles(NamedTuple):
    """All that is wrong: some of it, and how much there is.

    :param is_stuck: whether there are open tasks that do not end by themselves, or not soon.
    """

    items: tuple[Trouble, ...]
    total: int
    is_stuck: bool

    def shown_to(self, identity: Identity) -> TroublesList:
        """Return what somebody may know of it."""
        rows = (
            row if not row.says or may_read(maker, identity) else replace(row, says="")
            for row, maker in self.items
        )
        return TroublesList(tuple(rows), self.total, self.total - len(self.items))


class _Waiting(NamedTuple):
    """Tasks of one function of one job that wait for their next tries; ``first`` has the next of these."""

    how_many: int
    first: NextTry


def troubles_of(dispatcher: Dispatcher, lost: Iterable[NodeRow], at: float) -> Troubles:
    """Return what is wrong with a cluster.

    :param lost: slaves that have gone without a word, the latest first.
    :param at: the time of day, in seconds since the epoch.
    """
    return _Finder(dispatcher, at).all(lost)


class _Finder:
    """Looks at a cluster at a moment."""

    def __init__(self, dispatcher: Dispatcher, at: float) -> None:
        self._dispatcher = dispatcher
        self._ledger = dispatcher.ledger
        self._explainer: Explainer = dispatcher.explainer()
        self._names = names_of_jobs(dispatcher.ledger.owners)
        self._at = at

    def all(self, lost: Iterable[NodeRow]) -> Troubles:
        """Return everything, the most serious kinds first."""
        found: list[Trouble] = []
        total, stuck = 0, 0
        for kind, things, trouble_of in self._kinds(lost):
            found += map(trouble_of, things[:OF_KIND_MAX])
            total += len(things)
            stuck += len(things) if kind in (WAITING, RUNNING, BETWEEN_TRIES) else 0
        return Troubles(tuple(found), total, is_stuck=stuck > 0)

    def _kinds(self, lost: Iterable[NodeRow]) -> Iterator[tuple[str, Sequence[Any], Callable[[Any], Trouble]]]:
        """Yield what there is of each kind, and what makes a row of one."""
        ledger, at = self._ledger, self._at
        slaves = ledger.slaves.values()
        reason, trouble = ledger.jobs.shortage.reason, self._explainer.trouble
        yield "refusing", [reason] if reason else [], _of_refusing
        yield "scheduler", [trouble] if trouble else [], _of_scheduler
        yield "silent", [one for one in slaves if one.is_silent], _of_silent
        yield "lost", [one for one in lost if at - one.since < LOST_S], self._of_lost
        yield "short", [one for one in slaves if one.lacks], _of_short
        yield "unfit", [(one, line) for one in slaves for line in one.unfit], _of_unfit
        jobs = ledger.owners.values()
        yield "held", [job for job in jobs if job.life is not None and job.life.held_because], self._of_held
        waits = [one for one in self._explainer.long_waits() if one.first.waits_for not in USUAL_WAITS]
        yield WAITING, sorted(waits, key=lambda one: one.first.able > 0), self._of_waiting
        yield RUNNING, [row for row in ledger.running.rows(ledger.slaves, at) if row.note], self._of_running
        groups = [one for one in self._dispatcher.ended.failures.rows() if self._is_of_interest(one)]
        yield FAILED, sorted(groups, key=lambda one: -one.count), self._of_failures
        yield BETWEEN_TRIES, self._between_tries(), self._of_between_tries

    def _is_of_interest(self, group: FailureGroup) -> bool:
        """Tell whether tasks have failed lately, or others of their job are open."""
        job = self._ledger.owners.get(group.job.owner)
        is_open = job is not None and bool(job.number_by_id)
        return group.count > 0 and (is_open or self._at - group.last_at < LATELY_S)

    def _between_tries(self) -> list[_Waiting]:
        """Return which tasks wait for tries that are a while off."""
        retries = self._ledger.places.retries.waiting.values()
        groups: dict[tuple[int, str], list[NextTry]] = {}
        for then in islice(retries, LOOKED_MAX):
            if then.at > self._at + LATER_S:
                groups.setdefault((then.task.owner.owner, then.task.terms.name), []).append(then)
        return [_Waiting(len(group), min(group, key=lambda then: then.at)) for group in groups.values()]

    def _of_lost(self, node: NodeRow) -> Trouble:
        name = node.data.get("name")
        again = f" --name {shlex.quote(name)}" if isinstance(name, str) and name else ""
        return Trouble(
            TroubleRow(
                "lost",
                f"{node.node_id} was lost {shown_time(self._at - node.since)} ago: {node.reason}",
                "",
                f"look at its machine ({node.ip}), and start it there again",
                f"concurrent slave{again}",
                _page_of_slave(node.node_id),
            )
        )

    def _of_held(self, job: JobRecord) -> Trouble:
        assert job.life is not None, "only such jobs are held"
        name = self._names[job.owner]
        words = f"job {job.title} is held: {job.life.held_because}"
        page = address("/job", {"job": name})
        return Trouble(TroubleRow("held", words, "", "have it run all the same", typed("release", name), page))

    def _of_waiting(self, wait: Wait) -> Trouble:
        first = wait.first
        task = self._ledger.task_by_number[first.task]
        title = self._title(task.owner, first.id)
        because = f": {'; '.join(first.because[:REASONS_MAX])}" if first.because else ""
        what = f"{shown_tasks(wait.count)} ({_what(first.name, task.owner)})"
        words = f"{what} waiting for {first.waits_for}, for {shown_time(first.age_s)}{because}"
        remedy = "see what it asks for" if first.able else "start a slave that has it, or cancel the tasks"
        row = TroubleRow(WAITING, words, "", remedy, typed("explain", title), _page_of_task(title))
        return Trouble(row)

    def _of_running(self, run: RunningRow) -> Trouble:
        task = self._ledger.task_by_number[run.task]
        job = task.owner
        title = self._title(job, run.id)
        place = f"{title}, at {run.slave} for {shown_time(run.run_s)}"
        says = self._dispatcher.news.progress_of(run.task)
        remedy = "read what it printed; if it hangs, cancel it or have it begin again"
        words = f"{run.name or 'a task'} ({place}): {run.note}"
        row = TroubleRow(RUNNING, words, says, remedy, typed("logs", title), _page_of_task(title))
        return Trouble(row, self._dispatcher.ended.mark_of(job).maker)

    def _of_failures(self, group: FailureGroup) -> Trouble:
        job = self._names.get(group.job.owner, group.job.name)
        what = f"{group.name} of {group.job.name}" if group.name else group.job.name
        counts = self._dispatcher.ended.counts_by_job.get(group.job.owner, {}).get(group.name)
        ended = counts.finished + counts.failed if counts is not None else 0
        of_all = f"{group.count:,} of {shown_tasks(ended)}" if ended > group.count else shown_tasks(group.count)
        is_one_place = len(group.slaves) == 1 and group.count > 1 and len(self._ledger.slaves) > 1
        where = f", all at {group.slaves[0]}" if is_one_place else ""
        words = f"{of_all} failed ({what}){where}: {group.exception or 'in many ways'}"
        title = f"{job}/{group.tasks[-1]}" if group.tasks else ""
        row = TroubleRow(
            FAILED,
            words,
            _said_by(group),
            "read its traceback",
            typed("logs", title) if title else "concurrent tasks --failed",
            address("/failures", {"find": group.name} if group.name else {}),
        )
        return Trouble(row, group.job.maker)

    def _of_between_tries(self, waiting: _Waiting) -> Trouble:
        then = waiting.first
        task = then.task
        title = self._title(task.owner, task.client_id)
        failed = f"{shown_tasks(waiting.how_many)} ({_what(task.terms.name, task.owner)}) failed"
        times = task.terms.retry.times if task.terms.retry is not None else task.tries
        next_try = f"try {task.tries + 1} of {times + 1} begins in {shown_time(then.at - self._at)}"
        row = TroubleRow(
            BETWEEN_TRIES,
            f"{failed}, to be tried again: {next_try}",
            _last_line(then.reason),
            "have it begin now",
            typed("retry", title),
            _page_of_task(title),
        )
        return Trouble(row, self._dispatcher.ended.mark_of(task.owner).maker)

    def _title(self, job: JobRecord, task_id: int) -> str:
        return f"{self._names[job.owner]}/{task_id}"


def _of_refusing(reason: str) -> Trouble:
    row = TroubleRow(
        "refusing", f"no more tasks are accepted: {reason}", "", "see what is full", "concurrent status", ""
    )
    return Trouble(row)


def _of_scheduler(trouble: str) -> Trouble:
    return Trouble(TroubleRow("scheduler", trouble, "", "see its errors", "concurrent status", ""))


def _of_silent(slave: SlaveRecord) -> Trouble:
    words = f"{slave.name} is silent, with {shown_tasks(len(slave.held))}"
    remedy = "look at its machine and its network: it is waited for, then its tasks go to others"
    return Trouble(TroubleRow("silent", words, "", remedy, "concurrent status", _page_of_slave(slave.name)))


def _of_short(slave: SlaveRecord) -> Trouble:
    words = f"{slave.name} wants no tasks: {slave.lacks}"
    command = f"concurrent logs --slave {shlex.quote(slave.name)}"
    return Trouble(TroubleRow("short", words, "", "make room there", command, _page_of_slave(slave.name)))


def _of_unfit(unfit: tuple[SlaveRecord, str]) -> Trouble:
    slave, line = unfit
    remedy = "see its log; what is installed there is found when it is started again"
    command = f"concurrent logs --slave {shlex.quote(slave.name)}"
    return Trouble(TroubleRow("unfit", f"{slave.name} {line}", "", remedy, command, _page_of_slave(slave.name)))


def _what(name: str, job: JobRecord) -> str:
    return f"{name} of {job.title}" if name else job.title


def _page_of_task(title: str) -> str:
    return address("/task", {"task": title})


def _page_of_slave(name: str) -> str:
    return address("/workers", {"find": name})


def _said_by(group: FailureGroup) -> str:
    """Return the line that says most of how a task failed, without the type of what was raised."""
    text = group.text
    if group.exception in (TASK_TIMEOUT, TASK_OUT_OF_MEMORY):
        return _last_line(text)
    if group.exception == WORKER_DIED:  # each attempt has its evidence
        lines = [line for line in text.splitlines() if line.startswith(ATTEMPT)]
        return lines[-1].partition("; its last output")[0][:SAYS_CHARS_MAX] if lines else _last_line(text)
    if not text:
        return ""
    return in_few_words(group.exception, text)[:SAYS_CHARS_MAX].removeprefix(f"{group.exception}: ")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip()[:SAYS_CHARS_MAX] if lines else ""
