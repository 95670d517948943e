"""``concurrent cancel``: have nothing more of a job run, or cancel some open tasks."""

from __future__ import annotations

import argparse
from typing import Any

from concurrent.apps.api import EXIT_FAILED, EXIT_OK
from concurrent.apps.commands.asking import way_of, what_to_type
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import print_json
from concurrent.apps.commands.steering import add_choice_arguments, agrees, choice_of
from concurrent.apps.jobstatus import CANCELLED
from concurrent.apps.steered import CancelAnswer
from concurrent.apps.steermaster import SteerMaster
from concurrent.core.errors import ConfigurationError
from concurrent.scheduling.tasks.explanation import is_task, shown_tasks

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "cancel",
        parents=[common_parser()],
        help="have nothing more of a job run, or cancel tasks",
        description="Have nothing more of a job run: what waits is dropped, what runs is killed. What it has "
        "got so far, and its history, stay until it is forgotten. Or cancel open tasks, and have all others go "
        "on: those that are named, or all of a function, of a job or of an application.",
    )
    parser.add_argument(
        "what", metavar="JOB|TASK", nargs="*",
        help="the name or the id of a job; or tasks: JOB/ID, or the number of one at the master",
    )  # fmt: skip
    add_choice_arguments(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before cancelling several tasks")
    return parser


def run(args: argparse.Namespace) -> int:
    """Have the master cancel a job, or tasks."""
    tasks = [text for text in args.what if is_task(text)]
    jobs = [text for text in args.what if not is_task(text)]
    if args.job and not (args.function or args.application or tasks):
        jobs.append(args.job)
        args.job = ""
    if len(jobs) > 1 or (jobs and (tasks or args.application)):
        raise ConfigurationError(
            f"these are not cancelled together: {', '.join([*jobs, *tasks])}",
            thing="JOB|TASK",
            remedy="Name one job, or tasks as JOB/ID",
        )
    with SteerMaster(way_of(args)) as master:
        if jobs and not args.function:
            return _cancel_job(master, jobs[0], is_json=args.json)
        args.job = jobs[0] if jobs else args.job
        return _cancel_tasks(master, choice_of(args, tasks), args)


def _cancel_job(master: SteerMaster, job: str, *, is_json: bool) -> int:
    master.cancel(job)
    details = master.job(job)
    if is_json:
        print_json(details)
        return EXIT_OK
    how = details.how
    said = f"had ended before ({how})" if how and how != CANCELLED else "is cancelled"
    print(f"job {job} {said}; to remove it: {what_to_type('forget', job, master.address)}")
    return EXIT_OK


def _cancel_tasks(master: SteerMaster, which: dict[str, Any], args: argparse.Namespace) -> int:
    if not args.yes:
        would = master.cancel_tasks(**which, dry_run=True)
        count = would.waiting + would.running
        states = f"{would.waiting:,} waiting, {would.running:,} running"
        if count > 1 and not agrees(
            f"Cancel {shown_tasks(count)} ({states})?", f"{shown_tasks(count)} would be cancelled ({states})"
        ):
            return EXIT_FAILED
    answer = master.cancel_tasks(**which)
    if args.json:
        print_json(answer)
    else:
        print(_said(answer))
    return EXIT_OK


def _said(answer: CancelAnswer) -> str:
    count = answer.waiting + answer.running
    verb = "is" if count == 1 else "are"
    states = f": {answer.waiting:,} waiting, {answer.running:,} running" if count else ""
    lines = [
        f"{shown_tasks(count)} {verb} cancelled{states}" if count else "no task was open, so none is cancelled"
    ]
    if answer.not_open:
        lines.append(f"{answer.not_open:,} of those that were named are not open: ended, or not yours")
    return "\n".join(lines)
