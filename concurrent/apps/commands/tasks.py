"""``concurrent tasks``: list what runs, what failed and what waits."""

from __future__ import annotations

import argparse
import time
from typing import Final

from concurrent.apps.columns import Column, Columns, count, duration, run_time
from concurrent.apps.commands.asking import SEEING, add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import Screen, add_output_arguments, iso_time, left_out_line, show, table
from concurrent.apps.completion import completed
from concurrent.apps.observed import FAILED, RUNNING, STATES, TaskRow, TasksList
from concurrent.apps.observemaster import ObserveMaster

__all__ = ["add_parser", "describe_tasks", "run"]

LIMIT: Final = 100


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "tasks",
        parents=[common_parser()],
        help="list tasks",
        description="List tasks: those that run, then those that failed, in each state the newest first. Of "
        "those that have ended the latest are remembered.",
    )
    state = parser.add_argument("--state", metavar="STATE", default="", help=", ".join(STATES))
    completed(state, STATES)
    parser.add_argument("--function", metavar="NAME", default="", help="only tasks of this name")
    parser.add_argument("--job", metavar="JOB", default="", help="only those of this job, by its name or id")
    parser.add_argument("--failed", action="store_true", help=f"short for --state {FAILED}")
    parser.add_argument("--limit", metavar="N", type=int, default=LIMIT, help=f"how many at most ({LIMIT})")
    add_master_arguments(parser)
    add_output_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Ask the master and print its answer."""
    wanted = {
        "state": args.state,
        "function": args.function,
        "job": args.job,
        "failed": args.failed,
        "limit": args.limit,
    }
    with ObserveMaster(way_of(args, SEEING)) as master:
        return show(args, lambda: master.tasks(**wanted), describe_tasks)


def describe_tasks(found: TasksList, screen: Screen, now: float | None = None) -> str:
    """Return tasks as lines of text.

    :param now: seconds since the epoch; None: this moment.
    """
    if not found.items:
        return "there are no such tasks"
    at = time.time() if now is None else now
    rows = [(one, at) for one in found.items]
    return "\n".join([*table(TASKS, rows, screen), *left_out_line(found.left_out, _how(found))])


def _how(found: TasksList) -> str:
    forgotten = found.total - found.known
    more = f" ({forgotten:,} of them are not remembered one by one)" if forgotten > 0 else ""
    return f"--limit shows more, and --state, --function and --job choose{more}"


def _words(one: TaskRow) -> str:
    """Return what is most worth saying of a task."""
    words = one.words or one.exception
    deaths = f"{one.deaths} workers died of it" if one.deaths else ""
    return "; ".join(filter(None, (words, deaths)))


def _run_time(one: TaskRow, now: float) -> str:
    """Return how long a task runs, or how long it ran."""
    if one.state == RUNNING:
        return duration(now - one.since_at) if one.since_at else ""
    return run_time(one.run_s, one.usual_s)


TASKS: Final[Columns[tuple[TaskRow, float]]] = (
    Column("task", lambda line: line[0].title),
    Column("function", lambda line: line[0].name),
    Column("state", lambda line: line[0].state),
    Column("since", lambda line: iso_time(line[0].since_at)),
    Column("for", lambda line: _run_time(*line)),
    Column("slave", lambda line: line[0].slave),
    Column("process", lambda line: line[0].worker or ""),
    Column("tries", lambda line: line[0].tries, count),
    Column("says", lambda line: _words(line[0])),
)
"""Of tasks and the time now."""
