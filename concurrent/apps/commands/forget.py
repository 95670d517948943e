"""``concurrent forget``: remove a job, its results and its history."""

from __future__ import annotations

import argparse

from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.asking import JobMaster, add_job_arguments, way_of, what_to_type
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.apps.jobstatus import ENDED
from concurrent.core.errors import NodeError

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "forget",
        parents=[common_parser()],
        help="remove a job, its results and its history",
        description="Remove a job that has ended, with its results, also those that nobody has taken, and its "
        "history. Its name is free then.",
    )
    parser.add_argument("-f", "--force", action="store_true", help="cancel it first if it has not ended")
    add_job_arguments(parser)
    add_json_argument(parser, "print the job as it was, as JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Have the master forget it, if that loses no work."""
    way = way_of(args)
    address = way.address
    with JobMaster(way) as master:
        job = master.job(args.job)
        if job.state != ENDED:
            if not args.force:
                program = "a program that is attached" if job.is_attached else "a program that may come back"
                what = f"{job.open:,} open tasks" if job.open else program
                raise NodeError(
                    f"job {job.title} has {what}: it has not ended",
                    thing="job",
                    value=args.job,
                    remedy="Wait for it, or add --force, or cancel it first: "
                    f"{what_to_type('cancel', args.job, address)}",
                )
            master.cancel(job.job)
        master.forget(job.job)
    if args.json:
        print_json(job)
        return EXIT_OK
    lost = [f"{job.open:,} open tasks"] if job.open else []
    lost += [f"{job.unread:,} results that nobody has taken"] if job.unread else []
    program = "; the program that is attached to it ends" if job.is_attached else ""
    print(f"job {job.title} is forgotten{', with ' if lost else ''}{' and '.join(lost)}{program}")
    return EXIT_OK
