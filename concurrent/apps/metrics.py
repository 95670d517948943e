"""The figures of a cluster in the text format of Prometheus, version 0.0.4. Loop thread only, but for the text.

So that names do not become too many for who stores the figures, functions and slaves are told apart up to a
number; the rest of functions is ``other``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, NamedTuple

from concurrent.apps.version import VERSION
from concurrent.scheduling.ledger.census import OpenCounts, busy_workers, open_counts
from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.status import DRAINED, DRAINING, JOINED, SILENT
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.telemetry.workerbook import SlaveFacts

__all__ = ["Metric", "metrics_of", "text_of_metrics"]

SLAVES_MAX: Final = 200
"""So many slaves have figures of their own."""

NO_FACTS: Final = SlaveFacts(0)

Labels = Mapping[str, str]


class Metric(NamedTuple):
    """A metric: its name, ``gauge`` or ``counter``, what it is, and its samples by their labels."""

    name: str
    kind: str
    doc: str
    samples: list[tuple[Labels, float]]


def metrics_of(dispatcher: Dispatcher, started_at: float) -> list[Metric]:
    """Return what is measured of a cluster.

    :param started_at: when its master did, in seconds since the epoch.
    """
    return [
        Metric("concurrent_info", "gauge", "The version of the master.", [({"version": VERSION}, 1.0)]),
        _plain("concurrent_start_time_seconds", "When the master started, since the epoch.", started_at),
        *_of_tasks(dispatcher),
        *_of_slaves(dispatcher),
        *_of_master(dispatcher),
    ]


def text_of_metrics(metrics: Iterable[Metric]) -> str:
    """Return metrics as Prometheus reads them. Any thread."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.doc}", f"# TYPE {metric.name} {metric.kind}"]
        for labels, value in metric.samples:
            inner = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{metric.name}{{{inner}}} {value!r}" if inner else f"{metric.name} {value!r}")
    return "\n".join(lines) + "\n"


def _of_tasks(dispatcher: Dispatcher) -> list[Metric]:
    ended = dispatcher.ended
    open_by_function: dict[str, OpenCounts] = {}
    for (_, name), counts in open_counts(dispatcher.ledger).items():
        open_by_function.setdefault(ended.label(name), OpenCounts()).add_all(counts)
    return [
        Metric(
            "concurrent_tasks",
            "gauge",
            "Open tasks by state and function.",
            _by_state(open_by_function, "waiting", "between_tries", "running"),
        ),
        Metric(
            "concurrent_tasks_ended_total",
            "counter",
            "Tasks that have ended since the master started, by state and function.",
            _by_state(ended.totals, "finished", "failed", "cancelled"),
        ),
        Metric(
            "concurrent_task_seconds_total",
            "counter",
            "How long workers have run tasks, by function.",
            [
                ({"function": function}, seconds)
                for function, seconds in dispatcher.observatory.seconds_by_function.items()
            ],
        ),
        _plain("concurrent_tries_failed_total", "Failed tries that were not the last.", ended.tries, "counter"),
        _plain("concurrent_worker_deaths_total", "Workers that died of a task.", ended.deaths, "counter"),
        _plain("concurrent_queue_seconds", "How long the task that waits longest has.", _queue_s(dispatcher)),
    ]


def _by_state(
    counts_by_function: Mapping[str, OpenCounts | OutcomeCounts], *states: str
) -> list[tuple[Labels, float]]:
    """Return how many tasks of each function are in these states, which their counts have as attributes."""
    return [
        ({"state": state, "function": function}, float(getattr(counts, state)))
        for function, counts in counts_by_function.items()
        for state in states
    ]


def _of_slaves(dispatcher: Dispatcher) -> list[Metric]:
    ledger = dispatcher.ledger
    busy = busy_workers(ledger)
    states = dict.fromkeys((JOINED, SILENT, DRAINING, DRAINED), 0)
    for slave in ledger.slaves.values():
        states[slave.state] += 1
    shown = list(islice(reversed(ledger.slaves.values()), SLAVES_MAX))
    facts_by_slave = dispatcher.observatory.workers.facts_by_slave
    told = [(one, facts) for one in shown if (facts := facts_by_slave.get(one.slave, NO_FACTS)).told_at]
    return [
        Metric(
            "concurrent_workers",
            "gauge",
            "Worker processes by whether they have a task.",
            [({"state": "busy"}, float(busy)), ({"state": "idle"}, float(dispatcher.workers - busy))],
        ),
        Metric(
            "concurrent_slaves",
            "gauge",
            "Slaves by state.",
            [({"state": state}, float(count)) for state, count in states.items()],
        ),
        Metric(
            "concurrent_slave_held_tasks",
            "gauge",
            "Tasks that a slave has.",
            [({"slave": one.name}, float(len(one.held))) for one in shown],
        ),
        Metric(
            "concurrent_slave_cpus_used",
            "gauge",
            "Processors that a slave and its workers use.",
            [({"slave": one.name}, facts.machine.cpu + facts.cpu) for one, facts in told],
        ),
        Metric(
            "concurrent_slave_memory_bytes",
            "gauge",
            "Memory that a slave and its workers have.",
            [
                ({"slave": one.name}, float(facts.machine.memory_bytes + facts.memory_bytes))
                for one, facts in told
            ],
        ),
    ]


def _of_master(dispatcher: Dispatcher) -> list[Metric]:
    ledger = dispatcher.ledger
    return [
        _plain("concurrent_owners", "Jobs, programs and task systems.", len(ledger.owners)),
        _plain(
            "concurrent_tasks_pushed_total", "Tasks that were pushed.", ledger.jobs.submitted_count, "counter"
        ),
        _plain("concurrent_open_bytes", "Payloads of open tasks.", ledger.budget.open_bytes),
        _plain("concurrent_undelivered_outcomes", "Outcomes not given.", ledger.jobs.undelivered_count),
        _plain("concurrent_accepting", "1 while tasks are accepted.", float(not ledger.jobs.shortage.reason)),
    ]


def _plain(name: str, doc: str, value: float, kind: str = "gauge") -> Metric:
    return Metric(name, kind, doc, [({}, float(value))])


def _queue_s(dispatcher: Dispatcher) -> float:
    """Return how long ago the oldest task came that waits at the master."""
    ledger = dispatcher.ledger
    firsts = [lane.first_number() for job in ledger.owners.values() for lane in job.lanes.in_any_order()]
    return max(0.0, ledger.places.arrivals.age_s(min(firsts))) if firsts else 0.0


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
