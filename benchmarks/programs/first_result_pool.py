"""A program with one task for a pool of processes; it prints the clock when it has the result."""

from __future__ import annotations

import multiprocessing
import sys
import time

__all__ = ["nothing"]

WAIT_S = 60.0


def nothing() -> None:
    """The least that a task can do."""


if __name__ == "__main__":
    with multiprocessing.Pool(int(sys.argv[1])) as pool:
        pool.apply_async(nothing).get(WAIT_S)
        print(time.monotonic(), flush=True)
