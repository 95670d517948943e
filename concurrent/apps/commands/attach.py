"""``concurrent attach``: go on with a job that another program has begun, and take its results."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from concurrent.apps.api import EXIT_OK
from concurrent.apps.commandparser import CommandParser
from concurrent.apps.commands import app
from concurrent.apps.commands.asking import JobMaster, add_job_arguments, way_of
from concurrent.apps.commands.common import Subparsers, arguments_of, common_parser
from concurrent.apps.commands.jobparts import tell_over, this_user
from concurrent.apps.jobstatus import JobDetails
from concurrent.apps.programrecord import ProgramRecord
from concurrent.core.errors import ConfigurationError
from concurrent.core.items import Host

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "attach",
        parents=[common_parser()],
        help="go on with a job and take its results",
        description="Run the application of a job again, as it was started: its callbacks are called for what "
        "came and what comes, not for what was taken before. Ctrl-C leaves the job again.",
    )
    parser.add_argument("--app", metavar="NAME", help="another application, for its callbacks")
    add_job_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Find the application of the job and run it."""
    way = way_of(args)
    address = way.address
    with JobMaster(way) as master:
        job = master.job(args.job)
    if job.is_over:
        tell_over(job, address)
        return EXIT_OK
    own = [*arguments_of(args), *_output_of(args)]
    if args.app is not None:
        return _run_application(args.app, own, address, job)
    record = _record_of(job)
    try:
        os.chdir(record.folder)
    except OSError as error:
        raise _not_here(job, f"its folder {record.folder} cannot be entered ({error.strerror})") from error
    arguments = [*record.arguments, *own]
    if record.is_script:
        _run_script(record, [*arguments, *_attaching(address, job)])
    return _run_application(record.application, arguments, address, job)


def _record_of(job: JobDetails) -> ProgramRecord:
    """Return how the job's program was started.

    :raises ConfigurationError: if that cannot be found here, or is another person's.
    """
    record = ProgramRecord.from_json(job.program)
    if job.kind == "executor":
        raise _not_here(job, "it is an executor's, whose script gets its futures back when it is started again")
    if not record.application:
        raise _not_here(job, "it was begun by a program that is no file")
    if job.user != this_user():
        raise _not_here(job, f"it is that of {job.user}, and you are {this_user()}")
    return record


def _not_here(job: JobDetails, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the program of job {job.title} is not run here: {why}",
        thing="job",
        value=job.title,
        remedy="Name an application of yours for its callbacks with --app",
    )


def _run_application(name: str, arguments: list[str], address: Host, job: JobDetails) -> int:
    parser = CommandParser()
    app.add_parser(parser.add_subparsers())
    return app.run(parser.parse_args(["app", name, *arguments, *_attaching(address, job)]))


def _run_script(record: ProgramRecord, arguments: list[str]) -> None:
    """Become the script of the job, as its user would start it again; does not return."""
    python = record.python if Path(record.python).exists() else "python3"
    os.execvp(python, [python, record.application, *arguments])


def _attaching(address: Host, job: JobDetails) -> list[str]:
    return ["--master", str(address), "--attach", job.job]


def _output_of(args: argparse.Namespace) -> list[str]:
    return [f"--{name}" for name in ("verbose", "quiet", "debug") for _ in range(getattr(args, name))]
