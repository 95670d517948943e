"""``concurrent retry``: have tasks begin at once that wait for their next try, or that run."""

from __future__ import annotations

import argparse

from concurrent.apps.api import EXIT_FAILED, EXIT_OK
from concurrent.apps.commands.asking import way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import print_json
from concurrent.apps.commands.steering import add_choice_arguments, choice_of
from concurrent.apps.steered import RetryAnswer
from concurrent.apps.steermaster import SteerMaster
from concurrent.scheduling.tasks.explanation import shown_tasks

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "retry",
        parents=[common_parser()],
        help="have tasks begin at once that run, or wait for their next try",
        description="Have tasks begin at once: those that wait for their next try, and those that run, which "
        "are ended and begin again. It costs them no try and no attempt. A task that has failed is not open.",
    )
    parser.add_argument(
        "tasks", metavar="TASK", nargs="*", help="JOB/ID, or the number of a task at the master"
    )
    add_choice_arguments(parser)
    parser.add_argument("--failed", action="store_true", help="those that have failed: says what to do instead")
    return parser


def run(args: argparse.Namespace) -> int:
    """Have the master begin tasks again."""
    which = choice_of(args, args.tasks)
    with SteerMaster(way_of(args)) as master:
        answer = master.retry_tasks(**which, **({"failed": True} if args.failed else {}))
    if args.json:
        print_json(answer)
    else:
        print(_said(answer))
    is_in_vain = answer.failed and not (answer.waiting or answer.running or answer.queued)
    return EXIT_FAILED if is_in_vain else EXIT_OK


def _said(answer: RetryAnswer) -> str:
    count = answer.waiting + answer.running
    verb = "begins" if count == 1 else "begin"
    states = f": {answer.waiting:,} waited, {answer.running:,} were at slaves and are ended there"
    lines = [f"{shown_tasks(count)} {verb} again{states}" if count else "no task begins again"]
    if answer.queued:
        waits = "waits" if answer.queued == 1 else "wait"
        lines.append(
            f"{shown_tasks(answer.queued)} {waits} for a slave: 'concurrent explain TASK' says for which"
        )
    ended = answer.not_open - (answer.failed if answer.not_open else 0)
    if ended > 0:
        lines.append(
            f"{ended:,} of those that were named {'is' if ended == 1 else 'are'} not open: ended, or not yours"
        )
    if answer.failed:
        verb = "has" if answer.failed == 1 else "have"
        what = f"{shown_tasks(answer.failed)} {verb} failed for good"
        lines.append(f"{what}, which is not undone; --failed says what to do")
    return "\n".join(lines)
