"""Whether tasks get the GPUs that they ask for, on real CUDA devices: ``python -m benchmarks.gpus``.

It says so where there is no GPU. Else tasks that ask for one device, for a half and for all of them see just
those, compute there, and no device has more of them at once than fit.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.cuda import fill, visible
from concurrent.apps import LocalCluster

__all__ = ["main", "most_at_once"]

TASKS_EACH = 8
"""So many tasks of each kind run for each device."""

RUN_S = 0.05


class Run(NamedTuple):
    """What a task has seen."""

    pid: int
    devices: tuple[str, ...]
    is_right: bool
    begun_at: float
    ended_at: float


def use_devices(value: int) -> Run:
    """Compute on the first device that this process sees, for a while. In a worker."""
    begun_at = time.time()
    devices = tuple(visible())
    is_right = fill(value)
    while time.time() < begun_at + RUN_S:
        is_right &= fill(value)
    return Run(os.getpid(), devices, is_right, begun_at, time.time())


def most_at_once(runs: Iterable[Run]) -> int:
    """Return how many runs there were at once on a device, at most."""
    changes: dict[str, list[tuple[float, int]]] = {}
    for run in runs:
        for device in run.devices:
            changes.setdefault(device, []).extend([(run.begun_at, 1), (run.ended_at, -1)])
    most = 0
    for moments in changes.values():
        count = 0
        for _, change in sorted(moments):
            count += change
            most = max(most, count)
    return most


def problems_of(runs: Sequence[Run], device_count: int, most: int) -> list[str]:
    """Return what is wrong with the runs of one kind.

    :param device_count: how many devices each must have seen.
    :param most: how many may run at once on one.
    """
    problems = []
    if {len(run.devices) for run in runs} != {device_count}:
        problems.append(f"tasks saw {sorted({len(run.devices) for run in runs})} devices")
    if not all(run.is_right for run in runs):
        problems.append("a device has computed something else")
    if (found := most_at_once(runs)) > most:
        problems.append(f"{found} tasks were on a device at once")
    return problems


def main() -> int:
    """Check it, print what was found, and return the exit code."""
    is_ok = True
    with LocalCluster(1) as cluster:
        devices = cluster.submit(visible).result()
    if not devices:
        print("no GPU here")
        return 0
    print(f"{len(devices)} GPUs: {', '.join(devices)}")
    options = {"slave.resources": f"gpu={len(devices)}"}
    with LocalCluster(2 * len(devices) + 1, options=options) as cluster:
        for asked, count, most in ((1, 1, 1), (0.5, 1, 2), (len(devices), len(devices), 1)):
            view = cluster.options(resources={"gpu": asked})
            begun_at = time.perf_counter()
            runs = list(view.map(use_devices, range(1, 1 + TASKS_EACH * len(devices))))
            took_s = time.perf_counter() - begun_at
            problems = problems_of(runs, count, most)
            is_ok &= not problems
            workers = len({run.pid for run in runs})
            print(f"gpu={asked}: {len(runs)} tasks at {workers} workers in {took_s:.2f} s: ", end="")
            print("; ".join(problems) or "each saw its own devices only")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
