"""``concurrent cancel``: have nothing more of a job run."""

from __future__ import annotations

import argparse

from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.asking import JobMaster, add_job_arguments, way_of, what_to_type
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.jobstatus import CANCELLED

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "cancel",
        parents=[common_parser()],
        help="have nothing more of a job run",
        description="Have nothing more of a job run: what waits is dropped, what runs is killed. What it has "
        "got so far, and its history, stay until it is forgotten.",
    )
    add_job_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Have the master cancel it."""
    way = way_of(args)
    address = way.address
    with JobMaster(way) as master:
        master.cancel(args.job)
        how = master.job(args.job).how
    said = f"had ended before ({how})" if how and how != CANCELLED else "is cancelled"
    print(f"job {args.job} {said}; to remove it: {what_to_type('forget', args.job, address)}")
    return EXIT_OK
