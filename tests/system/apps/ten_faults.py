"""Pushes work of which much goes wrong, each in its own way, to a master; then waits to be ended.

usage: ten_faults.py HOST:PORT
"""

from __future__ import annotations

import ctypes
import importlib
import itertools
import sys
import time

from concurrent.apps import ClusterExecutor
from concurrent.scheduling import Retry, current_task


def simulate(step: int) -> int:
    """What works."""
    time.sleep(0.02)
    return step


def fetch_page(number: int) -> int:
    """Fails one time in ten."""
    time.sleep(0.01)
    if number % 10 == 3:
        raise ConnectionError(f"page {number} did not come")
    return number


def wait_for_lock(name: str) -> None:
    """Hangs."""
    print(f"waits for the lock {name}", flush=True)
    current_task().progress(3, 10, "waits for a lock")
    time.sleep(3600)


def load_table(megabytes: int) -> int:
    """Takes more memory than it may."""
    rows = []
    for _ in range(megabytes):
        rows.append(bytearray(1 << 20))
        rows[-1][:] = b"x" * (1 << 20)
        time.sleep(0.002)
    return len(rows)


def read_grid(number: int) -> int:
    """Needs a module that one machine lacks."""
    importlib.import_module("grid_tools")
    return number


def decode(number: int) -> int:
    """Kills its worker."""
    ctypes.string_at(0)
    return number


def train(number: int) -> int:
    """Asks for a GPU, of which there is none."""
    return number


def call_service(number: int) -> int:
    """Fails, and is tried again in an hour."""
    raise TimeoutError("the service does not answer")


def write_rows(number: int) -> int:
    """Needs the only access to the database, which another one has."""
    time.sleep(3600)
    return number


def too_slow(number: int) -> int:
    """Takes longer than it may."""
    time.sleep(3600)
    return number


def main(address: str) -> None:
    """Push everything, then wait."""
    with ClusterExecutor(address) as cluster:
        kept = [
            cluster.submit(wait_for_lock, "orders"),
            cluster.options(resources={"memory": "96MiB"}).submit(load_table, 400),
            cluster.options(resources={"gpu": 1}).submit(train, 1),
            cluster.options(retry=Retry(3, delay_s=3600)).submit(call_service, 1),
            cluster.options(timeout_s=0.5).submit(too_slow, 1),
            *(cluster.options(resources={"database": 1}).submit(write_rows, n) for n in range(2)),
            *(cluster.submit(decode, n) for n in range(1)),
            *(cluster.submit(fetch_page, n) for n in range(100)),
            *(cluster.submit(read_grid, n) for n in range(40)),
        ]
        print("pushed", len(kept), flush=True)
        for first in itertools.count(0, 100):
            sum(cluster.map(simulate, range(first, first + 100)))


if __name__ == "__main__":
    main(sys.argv[1])
