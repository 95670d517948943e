"""``concurrent release``: have a job that is held run."""

from __future__ import annotations

import argparse

from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.asking import JobMaster, add_job_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.apps.jobstatus import HELD

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "release",
        parents=[common_parser()],
        help="have a job that is held run",
        description="Have a job run that its master holds; 'concurrent jobs JOB' says why it does.",
    )
    add_job_arguments(parser)
    add_json_argument(parser, "print the job as it is then, as JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Have the master release it, if it is held."""
    with JobMaster(way_of(args)) as master:
        job = master.job(args.job)
        if job.state == HELD:
            master.release(job.job)
        if args.json:
            print_json(master.job(job.job))
            return EXIT_OK
    state = f"{job.state} ({job.how})" if job.how else job.state
    print(f"job {job.title} {'is released' if job.state == HELD else f'was not held: it is {state}'}")
    return EXIT_OK
