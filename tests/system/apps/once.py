"""A program whose tasks write a line each time that they run; it prints what it got, and how often."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from concurrent.apps import ClusterExecutor


def run(number: int, folder: str) -> int:
    """Take a while, and take down that it ran."""
    time.sleep(0.05)
    with (Path(folder) / "runs.txt").open("a") as file:
        file.write(f"{number}\n")
    return number * number


def main() -> None:
    """Submit the tasks and wait for all results."""
    address, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with ClusterExecutor(address) as cluster:
        futures = [cluster.submit(run, number, folder) for number in range(count)]
        results = [future.result(60) for future in futures]
    assert results == [number * number for number in range(count)]
    print("all results are right")


if __name__ == "__main__":
    main()
