"""``concurrent wait``: wait until a job, or all that a master has, is done; for scripts."""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass
from typing import Final

from concurrent.apps.access import OBSERVING
from concurrent.apps.api import EXIT_FAILED, EXIT_OK, EXIT_TIMEOUT, for_terminal
from concurrent.apps.commands.asking import add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.apps.completion import completed
from concurrent.apps.jobstatus import ENDED, JobRow
from concurrent.apps.observed import CANCELLED, FAILED, FINISHED, NowStatus
from concurrent.apps.observemaster import ObserveMaster
from concurrent.core.errors import JobUnknown
from concurrent.core.nearest import did_you_mean

__all__ = ["Ending", "Moment", "add_parser", "ending_of", "moment_of_all", "run"]

LOOK_S: Final = 0.5
"""How often the master is asked."""

CODE_MAX: Final = 255
ENDINGS: Final = (FINISHED, FAILED, CANCELLED)


@dataclass(frozen=True)
class Ending:
    """A state of tasks at which the waiting ends, and the exit code then."""

    state: str
    code: int


@dataclass(frozen=True)
class Moment:
    """How far what is waited for is."""

    is_over: bool
    open: int
    finished: int
    failed: int
    cancelled: int

    def count(self, state: str) -> int:
        """Return how many tasks have ended so."""
        return {FINISHED: self.finished, FAILED: self.failed, CANCELLED: self.cancelled}[state]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "wait",
        parents=[common_parser()],
        help="wait until work is done",
        description="Wait until nothing of a job is open any more, or of all that the master has. Exit code 0: "
        "all of it finished; 1: some tasks failed or were cancelled; 124: it took too long. What was before "
        "the command does not count without --job.",
    )
    parser.add_argument("--job", metavar="JOB", help="the job to wait for, by its name or id")
    ending = parser.add_argument(
        "--exit", metavar="STATE[,CODE]", type=_ending, action="append", default=[],
        help=f"end at the first task that is {', '.join(ENDINGS)}, with this exit code (0); may be repeated",
    )  # fmt: skip
    completed(ending, ENDINGS)
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="wait no longer; exit code 124")
    add_master_arguments(parser)
    add_json_argument(parser, "print the counts at the end as one object")
    return parser


def _ending(text: str) -> Ending:
    state, _, code = text.partition(",")
    if state not in ENDINGS:
        meant = did_you_mean(state, ENDINGS)
        raise argparse.ArgumentTypeError(f"no task ends as {state!r}. {meant}Use one of {', '.join(ENDINGS)}")
    if code and not (code.isdecimal() and int(code) <= CODE_MAX):
        raise argparse.ArgumentTypeError(f"{code!r} is no exit code from 0 to {CODE_MAX}")
    return Ending(state, int(code or EXIT_OK))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Wait, and say how it ended."""
    deadline = time.monotonic() + args.timeout if args.timeout is not None else None
    pause = threading.Event()
    with ObserveMaster(way_of(args, OBSERVING)) as master:
        first = moment = _moment(master, args.job)
        before = Moment(is_over=False, open=0, finished=0, failed=0, cancelled=0) if args.job else first
        while (code := ending_of(moment, before, args.exit)) is None:
            left_s = LOOK_S if deadline is None else deadline - time.monotonic()
            if left_s <= 0:
                code = EXIT_TIMEOUT
                break
            pause.wait(min(LOOK_S, left_s))
            moment = _moment(master, args.job, moment)
    _say(args, moment, before, code)
    return code


def ending_of(moment: Moment, before: Moment, endings: list[Ending]) -> int | None:
    """Return with which exit code the waiting ends at a moment; None: it does not yet.

    :param before: what had ended before that counted.
    """
    for one in endings:
        if moment.count(one.state) > before.count(one.state):
            return one.code
    if not moment.is_over:
        return None
    has_trouble = moment.failed > before.failed or moment.cancelled > before.cancelled
    return EXIT_FAILED if has_trouble else EXIT_OK


def moment_of_all(now: NowStatus) -> Moment:
    """Return how far all is that a master has. What has ended counts also when its program has left."""
    return Moment(
        is_over=not now.counts.open,
        open=now.counts.open,
        finished=now.ended.finished,
        failed=now.ended.failed,
        cancelled=now.ended.cancelled,
    )


def _moment(master: ObserveMaster, job: str | None, last: Moment | None = None) -> Moment:
    """Return how far it is.

    :param last: what was known before; a job that is gone since then is over.
    :raises JobUnknown: if there is no such job, and was none.
    """
    if job is None:
        return moment_of_all(master.now())
    try:
        row = master.job(job)
    except JobUnknown:
        if last is None:
            raise
        return Moment(
            is_over=True, open=0, finished=last.finished, failed=last.failed, cancelled=last.cancelled
        )
    return Moment(
        is_over=_is_over(row),
        open=row.open,
        finished=row.finished,
        failed=row.failed,
        cancelled=row.cancelled,
    )


def _is_over(job: JobRow) -> bool:
    """Tell whether nothing of a job is open, whether or not somebody has taken its results.

    An executor does not say when it has submitted all; what it has counts.
    """
    has_begun = job.has_begun or (job.kind == "executor" and job.pushed > 0)
    return job.state == ENDED or (has_begun and not job.open and job.unread >= job.systems)


def _say(args: argparse.Namespace, moment: Moment, before: Moment, code: int) -> None:
    """Print how it ended; a master that has started meanwhile counts from zero again."""
    figures = {
        "open": moment.open,
        **{state: max(0, moment.count(state) - before.count(state)) for state in ENDINGS},
    }
    if args.json:
        print_json({"job": args.job, "is_over": moment.is_over, "exit_code": code, **figures})
    elif not args.quiet:
        what = f"job {args.job}: " if args.job else ""
        print(for_terminal(what + ", ".join(f"{count:,} {name}" for name, count in figures.items())))
