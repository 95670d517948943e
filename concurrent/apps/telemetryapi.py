"""What slaves tell a master of the runs of tasks, of their workers and machines. Loop thread only.

It is for people only, so what makes no sense is refused and the session goes on. A slave speaks of itself
alone.
"""

from __future__ import annotations

import math
import operator
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from concurrent.apps.api import NodeType, printable
from concurrent.core.errors import InvalidArguments
from concurrent.scheduling.master.observatory import Observatory, ToldBars
from concurrent.scheduling.telemetry.workerbook import MACHINE_FACTS, WorkerRow
from concurrent.scheduling.wire.columns import check_columns
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives

__all__ = ["register_telemetry"]

ROWS_MAX: Final = 10_000
"""So many bars, or workers, are told of at once."""

NAME_CHARS_MAX: Final = 200
COUNT_MAX: Final = (1 << 32) - 1
ID_MAX: Final = (1 << 63) - 1
PID_MAX: Final = (1 << 31) - 1
CPUS_MAX: Final = 1e6
LONGEST_S: Final = 10 * 365 * 86400.0


NumberOf = Callable[[TCPHandler, NodeType], int]
"""Returns the number of the registration that a session belongs to, or raises NodeError."""


def register_telemetry(server: HasMethods, observatory: Observatory, number_of: NumberOf) -> None:
    """Register it with the server of the compute channel.

    :param observatory: remembers it.
    :param number_of: returns the number of the registration that a session belongs to, or raises NodeError.
    """
    _register_bars(server, observatory, number_of)
    _register_workers(server, observatory, number_of)


def _register_bars(server: HasMethods, observatory: Observatory, number_of: NumberOf) -> None:
    @receives(server, to_master.bars)
    def bars(
        handler: TCPHandler,
        _request: Any,
        names: list[str],
        jobs: list[int],
        counts: list[list[int]],
        times: list[list[float]],
    ) -> None:
        """Tell what workers have run."""
        slave = number_of(handler, NodeType.slave)
        check_columns(names, jobs)
        workers, functions, runs, failed = _columns("counts", "q", counts, 4)
        ago_s, durations_s, busy_s = _columns("times", "d", times, 3)
        check_columns(workers, ago_s)
        if len(names) > len(workers):
            raise InvalidArguments("there are more names than bars", thing="names", value=len(names))
        _check_range("workers", workers, 1, PID_MAX)
        _check_range("functions", functions, 0, len(names) - 1)
        _check_range("runs", runs, 1, COUNT_MAX)
        _check_range("failed", failed, 0, COUNT_MAX)
        if any(map(operator.gt, failed, runs)):
            raise InvalidArguments("more runs have failed than there were", thing="failed")
        _check_range("jobs", jobs, 0, ID_MAX)
        for name, column in (("ago_s", ago_s), ("durations_s", durations_s), ("busy_s", busy_s)):
            _check_range(name, column, 0.0, LONGEST_S)
        shown = [printable(name[:NAME_CHARS_MAX]) for name in names]
        told = ToldBars(workers, functions, ago_s, durations_s, busy_s, runs, failed, shown, jobs)
        observatory.bars(slave, told, time.time())


def _register_workers(server: HasMethods, observatory: Observatory, number_of: NumberOf) -> None:
    @receives(server, to_master.workers)
    def workers(
        handler: TCPHandler,
        _request: Any,
        counts: list[list[int]],
        figures: list[list[float]],
        gone: list[int],
        machine: dict[str, Any],
    ) -> None:
        """Tell what has changed of workers and their machine."""
        slave = number_of(handler, NodeType.slave)
        workers, memory_bytes, tasks, done = _columns("counts", "q", counts, 4)
        cpu, run_s = _columns("figures", "d", figures, 2)
        check_columns(workers, cpu)
        _check_range("workers", workers, 1, PID_MAX)
        _check_range("memory_bytes", memory_bytes, 0, ID_MAX)
        _check_range("tasks", tasks, -1, ID_MAX)
        _check_range("done", done, 0, ID_MAX)
        _check_range("cpu", cpu, 0.0, CPUS_MAX)
        _check_range("run_s", run_s, 0.0, LONGEST_S)
        rows = map(WorkerRow, workers, cpu, memory_bytes, tasks, run_s, done)
        observatory.take_workers(slave, rows, gone, _machine(machine), time.time())


def _columns(name: str, kind: str, said: Sequence[Sequence[Any]], count: int) -> list[array[Any]]:
    """Return the columns that are known; those behind them are left out, for a newer slave says more.

    :param kind: what an ``array`` of their values is made of.
    :param count: how many are known.
    :raises InvalidArguments: if some are missing, differ in length, are too long or have other values.
    """
    known = said[:count]
    if len(known) != count:
        raise InvalidArguments(f"{name} must be {count} columns", thing=name, value=len(known))
    try:
        columns = [array(kind, column) for column in known]
    except (TypeError, OverflowError) as error:
        raise InvalidArguments(f"{name} must be columns of numbers: {error}", thing=name) from error
    check_columns(*columns)
    if len(columns[0]) > ROWS_MAX:
        raise InvalidArguments(f"{name} must have {ROWS_MAX} rows at most", thing=name, value=len(columns[0]))
    return columns


def _machine(said: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of a machine that are known; others are left out.

    :raises InvalidArguments: if one of them is no number from 0 on.
    """
    known = {name: value for name, value in said.items() if name in MACHINE_FACTS}
    for name, value in known.items():
        if type(value) not in (int, float):
            raise InvalidArguments(f"{name} must be a number, but is {value!r:.100}", thing=name, value=value)
        _check_range(name, [value], 0, ID_MAX)
    return known


def _check_range(name: str, column: Sequence[float], minimum: float, maximum: float) -> None:
    """Raise InvalidArguments unless all numbers of a column are finite and in a range."""
    if not (all(map(math.isfinite, column)) and all(minimum <= one <= maximum for one in _ends(column))):
        raise InvalidArguments(f"{name} must be numbers from {minimum} to {maximum}", thing=name)


def _ends(column: Sequence[float]) -> tuple[float, ...]:
    return (min(column), max(column)) if column else ()
