"""``concurrent logs``: print what tasks have printed, or what a slave has logged."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Final

from concurrent.apps.api import EXIT_OK, for_terminal
from concurrent.apps.commands.asking import SEEING, add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import add_json_argument, listed, print_json
from concurrent.apps.observed import RUNNING, OutputRow, TaskRow
from concurrent.apps.observemaster import ObserveMaster
from concurrent.core.errors import ConfigurationError
from concurrent.core.typed import typed

__all__ = ["JobOutputs", "add_parser", "last_lines", "new_part", "run"]

LOOK_S: Final = 0.5
"""How often the master is asked for more."""

ANCHOR_CHARS: Final = 400
"""By so much of the end of a text its place in a later one is found."""

GAP_LINE: Final = "... some output is left out here ...\n"
OPEN: Final = ("waiting", "between tries", RUNNING)

Print = Callable[[str], None]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "logs",
        parents=[common_parser()],
        help="print what a task, the tasks of a job or a slave say",
        description="Print the end of what a task has printed, and how it failed; or what the tasks of a job "
        "have printed; or the last lines of the log of a slave without what its tasks print.",
    )
    parser.add_argument(
        "task", metavar="TASK", nargs="?", help="JOB/ID, or the number of an open one at the master"
    )
    parser.add_argument("--job", metavar="JOB", help="all tasks of this job, by its name or id")
    parser.add_argument("--slave", metavar="SLAVE", help="the log of this slave, by its name or number")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes, until it ends")
    parser.add_argument("--tail", metavar="N", type=int, help="only the last lines, of each task")
    add_master_arguments(parser)
    add_json_argument(parser, "print one object of JSON, without --follow")
    return parser


def run(args: argparse.Namespace) -> int:
    """Ask the master, and print."""
    named = [one for one in (args.task, args.job, args.slave) if one is not None]
    if len(named) != 1 or (args.json and args.follow):
        raise ConfigurationError(
            "--json is not for what is followed" if len(named) == 1 else "name one task, job or slave",
            thing="TASK",
            value=", ".join(named),
            remedy="Write TASK as JOB/ID, or --job JOB, or --slave SLAVE",
        )
    with ObserveMaster(way_of(args, SEEING)) as master:
        try:
            if args.slave is not None:
                _slave(master, args)
            elif args.job is not None:
                _job(master, args)
            else:
                _task(master, args)
        except KeyboardInterrupt:
            if not args.follow:
                raise
    return EXIT_OK


def _task(master: ObserveMaster, args: argparse.Namespace) -> None:
    details = master.task(args.task)
    name = details.row.title
    said = master.output(name).output
    if args.json:
        print_json(
            {
                "task": name,
                "state": details.row.state,
                "output": last_lines(said, args.tail),
                "text": details.text,
            }
        )
        return
    _print(last_lines(said, args.tail))
    pause = threading.Event()
    while args.follow and details.row.state in OPEN:
        pause.wait(LOOK_S)
        details = master.task(name)
        now = master.output(name).output or said
        _print(new_part(said, now))
        said = now
    if details.text:
        print(for_terminal(f"==> how {name} failed <=="))
        _print(last_lines(details.text, None))
    elif not said:
        print(for_terminal(f"concurrent: {_nothing(details.row)}"), file=sys.stderr)


def _nothing(row: TaskRow) -> str:
    if row.state in OPEN and row.state != RUNNING:
        return f"task {row.title} is {row.state}, and has printed nothing; see '{typed('explain', row.title)}'"
    return f"task {row.title} ({row.state}) has printed nothing, or nothing of it is kept"


class JobOutputs:
    """What tasks of a job print, as far as it is new; ``open`` is how many of them have not ended.

    For a moment in which a task ends its slave may have nothing of it: what it had said before still counts.
    """

    def __init__(self, master: ObserveMaster, job: str) -> None:
        self.open = 0
        self._master = master
        self._job = job
        self._said: dict[str, str] = {}
        self._over: set[str] = set()  # what had ended when it was asked last: it is told once more at most
        self._after = 0

    def new(self) -> Iterator[OutputRow]:
        """Yield what is new, of each task once or twice, as it may end meanwhile."""
        after = offset = 0
        over: set[str] = set()
        while True:
            part = self._master.outputs(self._job, after=self._after, offset=offset)
            after = after or part.after
            self.open = part.open
            for row in filter(attrgetter("output"), part.items):
                text = new_part(self._said.get(row.task, ""), row.output)
                self._said[row.task] = row.output
                if row.state not in OPEN:
                    over.add(row.task)
                if text:
                    yield replace(row, output=text)
            offset += len(part.items)
            if not (part.left_out and part.items):
                break
        self._after = after
        for task in self._over - over:
            del self._said[task]
        self._over = over


def _job(master: ObserveMaster, args: argparse.Namespace) -> None:
    outputs = JobOutputs(master, args.job)
    row_by_task: dict[str, OutputRow] = {}
    for row in (*outputs.new(), *outputs.new()):  # of several parts one may end between them
        before = row_by_task.pop(row.task, None)
        row_by_task[row.task] = replace(row, output=before.output + row.output) if before is not None else row
    rows = [replace(row, output=last_lines(row.output, args.tail)) for row in row_by_task.values()]
    if args.json:
        print_json(listed(row.to_json() for row in rows))
        return
    for row in rows:
        what = " ".join(filter(None, (row.task, row.name, row.state and f"({row.state})")))
        print(for_terminal(f"==> {what} <=="))
        _print(row.output)
    if not rows:
        text = f"no task of job {args.job} has printed anything that is kept"
        print(for_terminal(f"concurrent: {text}"), file=sys.stderr)
    if args.follow:
        _follow_job(outputs)


def _follow_job(outputs: JobOutputs) -> None:
    """Print what tasks of a job print, each line with the task before it, while any of them is open."""
    pause = threading.Event()
    is_open = True
    while is_open:
        is_open = outputs.open > 0
        pause.wait(LOOK_S if is_open else 0.0)
        for row in outputs.new():
            for line in row.output.splitlines():
                print(for_terminal(f"{row.task}: {line}"), flush=True)


def _slave(master: ObserveMaster, args: argparse.Namespace) -> None:
    log = master.slave_log(args.slave)
    lines = log.items if args.tail is None else log.items[-args.tail :] if args.tail else ()
    if args.json:
        print_json({**log.to_json(), "items": list(lines), "left_out": log.total - len(lines)})
        return
    _print("".join(f"{line}\n" for line in lines))
    pause = threading.Event()
    while args.follow:
        pause.wait(LOOK_S)
        log = master.slave_log(args.slave, log.after)
        _print("".join(f"{line}\n" for line in log.items))


def _print(text: str) -> None:
    sys.stdout.write(for_terminal(text))
    sys.stdout.flush()


def last_lines(text: str, count: int | None) -> str:
    """Return the last lines of a text, all of them for None; it ends with its last line's end."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join(lines if count is None else lines[-count:] if count > 0 else [])


def new_part(before: str, now: str) -> str:
    """Return what a text has that goes on from another, of which the beginning may be left out by now."""
    if now.startswith(before):
        return now[len(before) :]
    end = before[-ANCHOR_CHARS:]
    place = now.rfind(end)
    return now[place + len(end) :] if place >= 0 else GAP_LINE + now
