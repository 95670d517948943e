"""What it costs that a master keeps in a journal what it accepts: beside one that keeps nothing, by turns."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target, percentile
from benchmarks.options import Options
from benchmarks.processes import RSSSampler, end_tree, wait_until
from benchmarks.systems import Executing
from benchmarks.workloads import give_same, stay_open
from concurrent.apps import ClusterExecutor

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[2]
"""The journals lie here: the folder for temporary files may be in memory."""

LEVELS = ("host", "process")
NONE = "none"
START_S = 30.0
MS = 1000.0
WARM_UP = 200

PASSING = Figure(
    "journal.memory",
    "growth of the master, tasks pass and one stays open",
    "MB",
    NONE,
    is_less_better=True,
    target=Target(32, system="submit"),
)
STEP = 10_000
"""So many tasks are open at a time while they pass through: what is open is in memory, by design."""


def _figures(level: str) -> tuple[Figure, Figure, Figure]:
    ratio = Target(0.8, system="submit") if level == "host" else None
    more = Target(0.5, system="submit") if level == "host" else None
    return (
        Figure(f"journal.{level}_one_by_one", f"one by one, {level} / none", "x", NONE, target=ratio),
        Figure(f"journal.{level}_bulk", f"bulk, {level} / none", "x", NONE, target=ratio),
        Figure(
            f"journal.{level}_roundtrip", f"round trip, {level} - none, p50", "ms", NONE, is_less_better=True,
            target=more,
        ),
    )  # fmt: skip


class DurableCluster:
    """A master that is its own slave, with a journal of a level, for a ``with`` block.

    :param more_workers: how many it has besides those of the options.
    """

    def __init__(self, options: Options, level: str, folder: Path, more_workers: int = 0) -> None:
        self._options = options
        self._workers = options.workers + more_workers
        self._level = level
        self._folder = folder
        self._open = ExitStack()
        self.system: Executing
        self.address = ""
        self.master_pid = 0

    def __enter__(self) -> DurableCluster:
        texts = {
            **self._options.configuration(),
            "journal.durability": self._level,
            "journal.folder": str(self._folder / self._level),
        }
        assignments = [part for name, text in texts.items() for part in ("-o", f"{name}={text}")]
        master = [sys.executable, "-m", "concurrent.apps.main", "master", "-p", "0"]
        file = self._folder / f"{self._level}.log"
        with ExitStack() as stack:
            log = stack.enter_context(file.open("wb"))
            process = subprocess.Popen([*master, "-w", str(self._workers), *assignments], stderr=log)
            stack.callback(end_tree, process)

            def address() -> str:
                found = re.search(r"the master listens on http://([\d.:]+)/", file.read_text(encoding="utf-8"))
                return found[1] if found else ""

            wait_until(lambda: bool(address()), "the master listens", START_S)
            self.address, self.master_pid = address(), process.pid
            executor = stack.enter_context(ClusterExecutor(self.address, options=self._options.configuration()))
            self.system = Executing("submit", executor)
            self.system.one_by_one(give_same, range(WARM_UP))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._open.close()


def run(bench: Bench) -> None:
    """Measure each level beside none; what is shown is the ratio, or the difference, within each repetition."""
    options = bench.options
    count = options.scaled(10_000, 1_000)
    with tempfile.TemporaryDirectory(prefix=".journal-benchmark-", dir=ROOT) as folder, ExitStack() as stack:
        names = (NONE, *LEVELS)
        clusters = {name: stack.enter_context(DurableCluster(options, name, Path(folder))) for name in names}
        for _ in bench.repetitions():
            found = {name: _measure(one.system, count) for name, one in clusters.items()}
            for level in LEVELS:
                one_by_one, bulk, round_trip = _figures(level)
                mine, none = found[level], found[NONE]
                bench.add(one_by_one, "submit", mine[0] / none[0])
                bench.add(bulk, "submit", mine[1] / none[1])
                bench.add(round_trip, "submit", mine[2] - none[2])
    with tempfile.TemporaryDirectory(prefix=".journal-benchmark-", dir=ROOT) as folder:
        bench.add(PASSING, "submit", _growth_mb(options, Path(folder), options.scaled(300_000, 20_000)))


def _growth_mb(options: Options, folder: Path, count: int) -> float:
    """Return how much larger a durable master was at its peak than after a third of so many tasks."""
    gate = folder / "gate"
    with (
        DurableCluster(options, "host", folder, more_workers=1) as cluster,
        ClusterExecutor(cluster.address, job="open", options=options.configuration()) as executor,
    ):
        stays = executor.submit(stay_open, str(gate))
        _pass_through(cluster.system, count // 3)
        with RSSSampler(cluster.master_pid) as sampler:
            _pass_through(cluster.system, count - count // 3)
        gate.touch()
        stays.result(START_S)
        return sampler.growth_mb


def _pass_through(system: Executing, count: int) -> None:
    for _ in range(0, count, STEP):
        system.one_by_one(give_same, range(STEP))


def _measure(system: Executing, count: int) -> tuple[float, float, float]:
    """Return tasks per second one by one and in bulk, and the median of round trips in milliseconds."""
    start = time.perf_counter()
    system.one_by_one(give_same, range(count))
    middle = time.perf_counter()
    system.in_bulk(give_same, range(5 * count))
    end = time.perf_counter()
    trips = system.round_trips(give_same, count // 40)
    return count / (middle - start), 5 * count / (end - middle), percentile(trips, 0.5) * MS
