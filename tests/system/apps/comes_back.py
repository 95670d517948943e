"""A script that goes on where the one before it was killed; each call takes down that it ran."""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from concurrent.apps import ClusterExecutor


class Squared:
    """A result that is not plain."""

    def __init__(self, number: int) -> None:
        self.number = number


def run(number: int, folder: str) -> Any:
    """Take down that it ran, and take a while; one waits until the test has made a file."""
    with (Path(folder) / "runs.txt").open("a", encoding="utf-8") as file:
        file.write(f"{number}\n")
    time.sleep(0.02)
    while number == 20 and not (Path(folder) / "go.txt").exists():
        time.sleep(0.02)
    if number % 7 == 3:
        raise LookupError(f"number {number}")
    return Squared(number * number) if number % 2 else number * number


def check(number: int, future: Future[Any]) -> None:
    """See that the result is right."""
    if number % 7 == 3:
        error = future.exception(60)
        assert type(error) is LookupError, repr(error)
        assert str(error) == f"number {number}"
    elif number % 2:
        result = future.result(60)
        assert type(result) is Squared
        assert result.number == number * number
    else:
        assert future.result(60) == number * number


def main() -> None:
    """Submit some calls with keys and some without, and see that all results are right."""
    address, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with ClusterExecutor(address, job="comes back") as cluster:
        futures = []
        for number in range(count):
            options = {"key": f"run {number}"} if number % 3 else {}
            futures.append(cluster.submit(run, number, folder, **options))
        for number, future in enumerate(futures):
            check(number, future)
    print("all results are right")


if __name__ == "__main__":
    main()
