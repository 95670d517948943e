"""The driver; see the package."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.fuzz.campaign import Outcome, feed_in, names_in

__all__ = ["main"]

EXIT_OK: Final = 0
EXIT_WRONG: Final = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Feed all decoders and report; returns 1 if one crashed, grew or took long."""
    with TemporaryDirectory() as folder:
        names = names_in(Path(folder))
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of decoders (all): {', '.join(names)}")
    parser.add_argument("--executions", type=int, default=100_000, help="of all decoders together (100000)")
    parser.add_argument("--seed", type=int, default=0, help="chooses the inputs (by the clock)")
    args = parser.parse_args(arguments)
    unknown = set(args.names) - set(names)
    if unknown:
        parser.error(f"there is no decoder {', '.join(sorted(unknown))}")
    seed = args.seed or time.time_ns() % 1_000_000
    print(f"seed {seed}", flush=True)
    chosen = args.names or names
    start = time.monotonic()
    outcomes = []
    for name in chosen:
        outcomes.append(_fed(name, args.executions // len(chosen), seed))
        _print(outcomes[-1])
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    print(f"{sum(one.executions for one in outcomes):,} executions in {time.monotonic() - start:.0f} s")
    print("\n".join(problems or ["no crash, no growth"]))
    return EXIT_WRONG if problems else EXIT_OK


def _fed(name: str, count: int, seed: int) -> Outcome:
    """Feed a decoder in a process of its own, which logs nothing."""
    silenced = (logging.disable, (logging.CRITICAL,))
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn"), *silenced) as pool:
        try:
            return pool.submit(feed_in, Path(folder), name, count, seed).result()
        except BrokenProcessPool:
            return Outcome(name, crashes=[f"{name}: the process died"])


def _print(outcome: Outcome) -> None:
    rate = outcome.executions / max(outcome.took_s, 1e-9)
    print(
        f"{outcome.name:24} {outcome.executions:>9,} executions  {rate:>7,.0f}/s  "
        f"{outcome.accepted / max(1, outcome.executions):4.0%} read  grew {outcome.growth_mb:4.1f} MB  "
        f"slowest {outcome.slowest_s * 1000:6.1f} ms  {len(outcome.crashes)} crashes",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
