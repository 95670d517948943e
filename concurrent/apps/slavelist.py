"""The slaves of a master and their workers, for who looks: what they run and use. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from concurrent.apps.observed import SlaveDetails, WorkerRow, WorkersList
from concurrent.core.rows import ROWS_MAX, chosen_rows
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.ledger.status import SlaveRow
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.telemetry.workerbook import SlaveFacts, WorkerFacts

__all__ = ["slaves_of"]

HOST_CHARS_MAX: Final = 100

NOTHING_KNOWN: Final = SlaveFacts(0)


def slaves_of(
    dispatcher: Dispatcher, address_of: Callable[[str], str], at: float, limit: int = ROWS_MAX
) -> WorkersList:
    """Return the slaves and what their workers do.

    :param address_of: returns where the page of a node is, as ``HOST:PORT``; empty if nobody can reach it.
    :param at: the time of day, in seconds since the epoch.
    :param limit: how many slaves are listed at most.
    """
    slaves = dispatcher.ledger.slaves
    chosen = chosen_rows(slaves.values(), _rank, limit)
    items = tuple(_details(dispatcher, slave, address_of(slave.name), at) for slave in chosen)
    return WorkersList(items, len(slaves), len(slaves) - len(items))


def _rank(slave: SlaveRecord) -> tuple[bool, bool, bool, int]:
    """Return how much a slave matters to who looks."""
    return slave.is_silent, bool(slave.lacks), bool(slave.held), slave.slave


def _details(dispatcher: Dispatcher, slave: SlaveRecord, page: str, at: float) -> SlaveDetails:
    facts = dispatcher.observatory.workers.facts_by_slave.get(slave.slave, NOTHING_KNOWN)
    has_told = bool(facts.told_at)
    row = slave.status()
    machine = facts.machine
    return SlaveDetails(
        number=slave.slave,
        name=slave.name,
        host=slave.host[:HOST_CHARS_MAX],
        page=page,
        state=slave.state,
        words=_words(row),
        drained_at=row.drained_at,
        drain_ends_at=row.drain_ends_at,
        workers=slave.workers,
        busy=min(slave.workers, machine.busy if has_told else len(slave.held)),
        held=len(slave.held),
        done=slave.counts.finished + slave.counts.failed,
        failed=slave.counts.failed,
        refused=slave.refused_count,
        workers_died=slave.died_count,
        task_s=slave.task_s,
        cpu=machine.cpu + facts.cpu,
        memory_bytes=machine.memory_bytes + facts.memory_bytes,
        machine_cpu=machine.machine_cpu,
        machine_cpus=machine.machine_cpus,
        machine_used_bytes=machine.machine_used_bytes,
        machine_bytes=machine.machine_bytes,
        told_at=facts.told_at,
        processes=tuple(_told(slave, facts) if has_told else _told_running(dispatcher, slave, at)),
    )


def _words(row: SlaveRow) -> str:
    """Return what a person should know of a slave; mostly nothing."""
    first = f"drained by {row.drained_by}" if row.drain else row.lacks
    return "; ".join([*([first] if first else []), *row.unfit])


def _told(slave: SlaveRecord, facts: SlaveFacts) -> Iterator[WorkerRow]:
    """Yield what a slave says of its workers."""
    for worker in facts.worker_by_pid.values():
        name, job = _what_runs(slave, worker)
        yield WorkerRow(
            worker.worker,
            worker.cpu,
            worker.memory_bytes,
            worker.task,
            name,
            job,
            worker.since_at,
            worker.done,
        )


def _what_runs(slave: SlaveRecord, worker: WorkerFacts) -> tuple[str, str]:
    """Return the name and the job of the task of a worker, or of its last one; of others' tasks nothing."""
    task = slave.held.get(worker.task)
    if task is not None:
        return task.terms.name, task.owner.title
    return (worker.function.name, worker.function.job_name) if worker.function is not None else ("", "")


def _told_running(dispatcher: Dispatcher, slave: SlaveRecord, at: float) -> Iterator[WorkerRow]:
    """Yield the workers of a slave that says nothing of them, as far as it has told what they run."""
    ledger = dispatcher.ledger
    for number in slave.held:
        row = ledger.running.row(number, ledger.slaves, at)
        if row is not None:
            yield WorkerRow(row.worker, 0.0, 0, row.task, row.name, row.owner, at - row.run_s, 0)
