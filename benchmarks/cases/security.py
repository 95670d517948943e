"""What encryption between machines costs: a channel with keys and the same one without, by turns."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.cases import Bench
from benchmarks.machines import KeyedCluster
from benchmarks.measure import Figure, Target, percentile
from benchmarks.processes import cpu_s
from benchmarks.systems import Executing
from benchmarks.workloads import give_same, take_bytes
from concurrent.apps import ClusterExecutor

__all__ = ["run"]

PLAIN = "plain"
CHANNEL = "tcp"
CIPHERS = {"tcp": "TLS", "zmq": "CURVE"}
"""What encrypts each channel."""

TURNS = 5
"""So often each is measured in a repetition; the medians are compared."""

KIB = 1024
MIB = 1024 * KIB
WARM_UP = 500


class _Amount(NamedTuple):
    """How large arguments of tasks are, whether results are as large, and what the ratio should be with TLS."""

    name: str
    size_bytes: int
    comes_back: bool
    task_count: int
    quick_task_count: int
    target: float | None


AMOUNTS = (
    _Amount("no payload", 0, True, 5_000, 500, 0.85),
    _Amount("4 KiB arguments", 4 * KIB, False, 2_000, 200, 0.85),
    _Amount("4 KiB there and back", 4 * KIB, True, 2_000, 200, None),
    _Amount("1 MiB there and back", MIB, True, 50, 5, 0.3),
)


class _Measured(NamedTuple):
    """Seconds for each task, by the clock and of all processors."""

    elapsed_s: float
    used_s: float


def run(bench: Bench) -> None:
    """Measure one by one with payloads of several sizes, and round trips; shown are ratios by turns."""
    options = bench.options
    channel = options.channel or CHANNEL
    common = {**options.configuration(), "transport.channel": channel}
    with tempfile.TemporaryDirectory(prefix="sec") as folder, ExitStack() as stack:
        systems: list[Callable[[_Amount, int], _Measured]] = []
        trips: list[Executing] = []
        for name in (CIPHERS[channel].lower(), PLAIN):
            cluster = stack.enter_context(
                KeyedCluster(Path(folder, name), common, workers=options.workers, is_open=name == PLAIN)
            )
            executor = stack.enter_context(
                ClusterExecutor(cluster.address, options={**options.configuration(), **cluster.options})
            )
            trips.append(Executing(name, executor))
            trips[-1].one_by_one(give_same, range(WARM_UP))
            systems.append(_measuring(cluster, trips[-1]))
        for _ in bench.repetitions():
            for amount in AMOUNTS:
                _compare(bench, amount, systems)
            times = [percentile(one.round_trips(give_same, options.scaled(500, 50)), 0.5) for one in trips]
            bench.add(
                _figure("roundtrip", f"round trip, p50, {CIPHERS[channel]} / plain", is_less_better=True),
                "submit",
                times[0] / times[1],
            )


def _compare(bench: Bench, amount: _Amount, systems: list[Callable[[_Amount, int], _Measured]]) -> None:
    cipher = CIPHERS[bench.options.channel or CHANNEL]
    count = bench.options.scaled(amount.task_count, amount.quick_task_count)
    ratios: list[_Measured] = []
    for _ in range(bench.options.scaled(TURNS, 1)):
        keyed, plain = (measure(amount, count) for measure in systems)
        ratios.append(_Measured(plain.elapsed_s / keyed.elapsed_s, plain.used_s / keyed.used_s))
    key = amount.name.replace(" ", "_").lower()
    aim = amount.target if cipher == "TLS" else None
    target = Target(aim, system="submit") if aim is not None else None
    elapsed, used = (percentile(column, 0.5) for column in zip(*ratios, strict=True))
    bench.add(_figure(key, f"one by one, {amount.name}, {cipher} / plain", target=target), "submit", elapsed)
    bench.add(_figure(f"{key}_cpu", f"the same by processor time, {amount.name}"), "submit", used)


def _figure(key: str, title: str, *, target: Target | None = None, is_less_better: bool = False) -> Figure:
    return Figure(f"security.{key}", title, "x", PLAIN, is_less_better=is_less_better, target=target)


def _measuring(cluster: KeyedCluster, system: Executing) -> Callable[[_Amount, int], _Measured]:
    """Return what measures a cluster: its processes, and this one while nothing else is measured."""
    nodes = cluster.nodes()

    def measure(amount: _Amount, count: int) -> _Measured:
        payload = os.urandom(amount.size_bytes)
        function = give_same if amount.comes_back else take_bytes
        start, used = time.perf_counter(), cpu_s(nodes) + time.process_time()
        results = system.one_by_one(function, [payload] * count)
        elapsed = time.perf_counter() - start
        used = cpu_s(nodes) + time.process_time() - used
        if results != [function(payload)] * count:
            raise AssertionError(f"{system.name} lost some of {count} results")
        return _Measured(elapsed / count, used / count)

    return measure
