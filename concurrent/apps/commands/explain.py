"""``concurrent explain``: say why a task does not run or how it failed, or what the tasks of a job wait for."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import suppress

from concurrent.apps.api import for_terminal
from concurrent.apps.commands.asking import add_master_arguments, way_of, what_to_type
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import Screen, add_output_arguments, iso_time, show
from concurrent.apps.observed import FAILED, TaskDetails
from concurrent.apps.observemaster import ObserveMaster
from concurrent.core.errors import NodeError
from concurrent.scheduling.tasks.explanation import ENDED, Explanation, JobExplanation

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "explain",
        parents=[common_parser()],
        help="say why a task waits, or how it failed",
        description="Say what a task asks for, what it waits for and why, what happened to it and what happens "
        "next, and how it failed; of a whole job, what its tasks wait for.",
    )
    parser.add_argument(
        "task", metavar="TASK",
        help="JOB/ID: the name or the id of its job and the number that its program gave it; or its number at "
        "the master; or a whole JOB",
    )  # fmt: skip
    add_master_arguments(parser)
    add_output_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Ask the master and print its answer."""
    with ObserveMaster(way_of(args)) as master:

        def text_of(answer: Explanation | JobExplanation, _screen: Screen) -> str:
            lines = [str(answer)]
            if isinstance(answer, Explanation) and answer.state == ENDED:
                with suppress(NodeError):  # nothing more is known of it
                    lines = list(_of_ended(master.task(args.task), args.master)) or lines
            return for_terminal("\n".join(lines))

        return show(args, lambda: master.explain(args.task), text_of)


def _of_ended(details: TaskDetails, master: str | None) -> Iterator[str]:
    """Yield lines on a task that has ended, and how it failed."""
    row = details.row
    if details.explanation is not None:
        yield str(details.explanation)
    if row.state != FAILED:
        return
    where = f" at {row.slave}" if row.slave else ""
    yield f"failed:     {iso_time(row.since_at)}{where}: {row.words or row.exception}"
    if details.text:
        yield f"see:        {what_to_type('logs', row.title, master)} has its traceback and what it printed"
