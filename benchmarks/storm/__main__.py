"""The driver of the storm; see the package."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.processes import own_folders
from benchmarks.storm.jobs import KINDS
from benchmarks.storm.storm import RESULT_S, WORKERS, Storm
from concurrent.scheduling.store.journal.inspection import Inspection

__all__ = ["main"]

EXIT_OK: Final = 0
EXIT_WRONG: Final = 1

SLOW_SHARE: Final = 0.95

TRACEBACK: Final = "Traceback (most recent call last)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Let a storm loose and report; returns 1 if something was lost, doubled, wrong or left behind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storm", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="(100)")
    parser.add_argument("--tasks", type=int, default=200, help="tasks of each job, an even number (200)")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS, help="of jobs (all)")
    parser.add_argument("--channel", default="tcp", choices=("tcp", "zmq"))
    parser.add_argument("--scheduler", default="GenericTaskScheduler")
    parser.add_argument("--seed", type=int, default=0, help="(by the clock)")
    parser.add_argument("--keep", action="store_true", help="keep the folder with all logs")
    args = parser.parse_args(arguments)
    seed = args.seed or time.time_ns() % 1_000_000
    folder = Path(tempfile.mkdtemp(prefix="storm-"))
    print(f"seed {seed}, folder {folder}", flush=True)
    os.environ.update(own_folders(folder))  # of all that it starts, and of this process, which asks the master
    start = time.monotonic()
    storm = Storm(
        folder,
        channel=args.channel,
        scheduler=args.scheduler,
        kinds=args.kinds,
        tasks=args.tasks,
        seed=seed,
    )
    storm.run(args.kills)
    _print_figures(storm, time.monotonic() - start)
    problems = _problems(storm, folder)
    print("\n".join(problems or ["nothing lost, nothing twice, nothing left"]))
    if not problems and not args.keep:
        shutil.rmtree(folder)
    return EXIT_WRONG if problems else EXIT_OK


def _print_figures(storm: Storm, took_s: float) -> None:
    verdicts = [one.verdict for one in storm.ended]
    killed = ", ".join(f"{count} {victim}" for victim, count in sorted(storm.kills.items()))
    print(f"{storm.kills.total()} kills in {took_s:.0f} s: {killed}")
    print(
        f"{len(verdicts)} jobs with {sum(one.tasks for one in verdicts)} tasks; "
        f"{sum(one.repeated_runs for one in verdicts)} were begun again, when "
        f"{storm.kills['worker'] + WORKERS * storm.kills['slave']} workers were lost; "
        f"{sum(one.redelivered for one in verdicts)} outcomes came again to a later process"
    )
    print(f"restart of the master until it listens: {_spread(storm.listening_s)}")
    print(f"restart of the master to the first result: {_spread(storm.first_result_s)}")
    size = sum(one.stat().st_size for one in storm.journal.iterdir())
    print(f"the journal has {size / 1e6:.1f} MB")


def _spread(times: Sequence[float]) -> str:
    if not times:
        return "never"
    slow = sorted(times)[int(SLOW_SHARE * len(times))]
    return (
        f"median {statistics.median(times):.2f} s, p95 {slow:.2f} s, most {max(times):.2f} s, of {len(times)}"
    )


def _problems(storm: Storm, folder: Path) -> list[str]:
    """Return what is wrong, as lines."""
    problems = [
        f"WRONG {one.job.name}: {problem}; see {one.log}"
        for one in storm.ended
        for problem in one.verdict.problems
    ]
    if storm.stalls:
        problems.append(f"WRONG {storm.stalls} times no result came for {RESULT_S:.0f} s; see {folder}")
    for process in storm.orphans():
        problems.append(f"LEFT BEHIND {process.pid} {' '.join(process.cmdline())}")
        process.kill()
    for log in sorted(folder.glob("*.log")):
        count = log.read_text(errors="replace").count(TRACEBACK)
        if count:
            problems.append(f"WRONG {log}: {count} tracebacks")
    with closing(Inspection(storm.journal)) as inspection:
        problems += [f"DAMAGED {loss}" for loss in inspection.check().losses]
    return problems


if __name__ == "__main__":
    sys.exit(main())
