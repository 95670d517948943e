"""``concurrent resume``: have a drained slave take tasks again."""

from __future__ import annotations

import argparse
import time

from concurrent.apps.access import OBSERVING
from concurrent.apps.api import EXIT_OK, for_terminal
from concurrent.apps.columns import duration
from concurrent.apps.commands.asking import add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.drain import STEERING
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.apps.steered import DrainAnswer
from concurrent.apps.steermaster import SteerMaster
from concurrent.scheduling.tasks.explanation import shown_tasks

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "resume",
        parents=[common_parser()],
        help="have a drained slave take tasks again",
        description="Have a slave take tasks again that was drained; it may be away, and takes them when it "
        "comes back.",
    )
    parser.add_argument(
        "slave", metavar="SLAVE", nargs="?",
        help="the name of the slave, or its number at the master; none: the drained ones are listed",
    )  # fmt: skip
    add_master_arguments(parser)
    add_json_argument(parser, "print the answer of the master, as JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Have the master give the slave tasks again, or list those that are drained."""
    if args.slave is None:
        return _list(args)
    with SteerMaster(way_of(args, STEERING)) as master:
        answer = master.resume(args.slave)
    when = "takes tasks" if answer.number else "takes tasks when it comes back"
    if args.json:
        print_json(answer)
    else:
        print(for_terminal(f"slave {answer.slave} {when}"))
    return EXIT_OK


def _list(args: argparse.Namespace) -> int:
    with SteerMaster(way_of(args, OBSERVING)) as master:
        drains = master.drains()
    if args.json:
        print_json(drains)
        return EXIT_OK
    lines = [_line(one) for one in drains.items] or ["no slave is drained"]
    lines += [f"{drains.left_out:,} more are not shown"] if drains.left_out else []
    print(for_terminal("\n".join(lines)))
    return EXIT_OK


def _line(one: DrainAnswer) -> str:
    where = f"has {shown_tasks(one.held)} still" if one.held else "has no task" if one.number else "is away"
    age = duration(time.time() - one.drained_at)
    return f"{one.slave} was drained by {one.drained_by} {age} ago: it {where}"
