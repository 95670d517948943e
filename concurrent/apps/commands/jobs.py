"""``concurrent jobs``: list the jobs of a master, or tell all of one."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Final

from concurrent.apps.access import MANAGING
from concurrent.apps.api import for_terminal
from concurrent.apps.columns import JOBS, Column, Columns, duration
from concurrent.apps.commands.asking import SEEING, JobMaster, add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import Screen, add_output_arguments, iso_time, left_out_line, show, table
from concurrent.apps.jobstatus import ENDED, FailureGroup, JobDetails, JobRow
from concurrent.apps.observed import JobsStatus
from concurrent.apps.programrecord import ProgramRecord

__all__ = ["add_parser", "describe_job", "describe_jobs", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "jobs",
        parents=[common_parser()],
        help="list jobs, or show one",
        description="List the jobs of a master, running and ended ones, or tell all of one.",
    )
    parser.add_argument("job", metavar="JOB", nargs="?", help="the name or the id of one")
    add_master_arguments(parser)
    parser.add_argument("--all", action="store_true", help="programs whose work ends with them too")
    add_output_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Ask the master and print its answer."""
    with JobMaster(way_of(args, SEEING if args.job is None else MANAGING)) as master:
        if args.job is not None:
            return show(args, lambda: master.job(args.job), lambda job, _screen: describe_job(job, time.time()))

        def ask() -> JobsStatus:
            listed = master.job_list()
            rows = tuple(one for one in listed.items if one.keep_s or args.all)
            return JobsStatus(rows, len(rows) + listed.left_out, listed.left_out)

        return show(args, ask, lambda jobs, screen: describe_jobs(jobs, screen, time.time()))


def describe_jobs(jobs: JobsStatus, screen: Screen, now: float) -> str:
    """Return a table of jobs as lines of text, the newest last.

    :param now: seconds since the epoch.
    """
    if not jobs.items:
        return "there are no jobs"
    lines = [(one, now) for one in sorted(jobs.items, key=lambda one: one.created_at)]
    more = left_out_line(jobs.left_out, "the page of the master finds them by name")
    return "\n".join([*table(DATED, lines, screen), *more])


def describe_job(job: JobDetails, now: float) -> str:
    """Return all of a job as lines of text.

    :param now: seconds since the epoch.
    """
    return for_terminal("\n".join([*_facts(job, now), *_failures(job.failures)]))


def _facts(job: JobDetails, now: float) -> Iterator[str]:
    yield f"{job.title}  ({job.kind} {job.job})"
    state = f"{job.state}, {job.how}" if job.how else job.state
    yield f"state:       {state}{f': {job.reason}' if job.reason else ''}"
    yield (
        f"tasks:       {job.pushed:,} pushed, {job.open:,} open, {job.finished:,} finished, "
        f"{job.failed:,} failed, {job.cancelled:,} cancelled"
    )
    if job.note:
        yield f"note:        {job.note}"
    program = "a program is attached" if job.is_attached else "no program is attached"
    yield f"results:     {job.unread:,} not taken; {program}"
    yield f"times:       {_times(job, now)}"
    yield f"owner:       {job.user}"
    record = ProgramRecord.from_json(job.program)
    if record.application:
        yield f"program:     {record.text}  (in {record.folder})"
    yield f"durability:  {job.durability}"


def _times(job: JobRow, now: float) -> str:
    times = [f"began at {iso_time(job.created_at)}, {duration(now - job.created_at)} ago"]
    if job.first_run_at:
        times.append(f"its first task ran after {duration(job.first_run_at - job.created_at)}")
    if job.ended_at:
        times.append(f"ended at {iso_time(job.ended_at)}, {duration(now - job.ended_at)} ago")
    if job.state == ENDED and job.keep_s:
        times.append(f"is forgotten in {duration(max(job.ended_at + job.keep_s - now, 0))}")
    return ", ".join(times)


def _failures(failures: tuple[FailureGroup, ...]) -> Iterator[str]:
    if failures:
        yield from ("", "failures:")
    for one in failures:
        yield f"  {one.count:,} of {one.task}: {one.exception}; the last one:"
        for line in one.text.rstrip().splitlines():
            yield f"    {line}"


BEGAN: Final = Column[tuple[JobRow, float]]("began", lambda line: iso_time(line[0].created_at))
DATED: Final[Columns[tuple[JobRow, float]]] = tuple(BEGAN if one.title == BEGAN.title else one for one in JOBS)
"""As pages show them, but with moments: what a terminal shows is read later, too."""
