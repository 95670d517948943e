"""``concurrent explain``: say why a task does not run, or what the tasks of a job wait for."""

from __future__ import annotations

import argparse

from concurrent.apps.api import printable
from concurrent.apps.commands.asking import JobMaster, add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import Screen, add_output_arguments, show
from concurrent.scheduling.tasks.explanation import Explanation, JobExplanation

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "explain",
        parents=[common_parser()],
        help="say why a task waits",
        description="Say what a task asks for, what it waits for and why, what happened to it and what happens "
        "next; of a whole job, what its tasks wait for.",
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
    with JobMaster(way_of(args)) as master:
        return show(args, lambda: master.explain(args.task), _text)


def _text(answer: Explanation | JobExplanation, _screen: Screen) -> str:
    """Return lines that command no terminal: others have named tasks and raised errors."""
    return "\n".join(map(printable, str(answer).splitlines()))
