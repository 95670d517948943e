"""``concurrent logs``: print what tasks have printed, or what a slave has logged."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable
from typing import Final

from concurrent.apps.api import EXIT_OK, for_terminal
from concurrent.apps.commands.asking import SEEING, add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import print_json
from concurrent.apps.observed import RUNNING, TaskRow
from concurrent.apps.observemaster import ObserveMaster
from concurrent.core.errors import ConfigurationError

__all__ = ["add_parser", "last_lines", "new_part", "run"]

LOOK_S: Final = 0.5
"""How often the master is asked for more."""

ANCHOR_CHARS: Final = 400
"""By so much of the end of a text its place in a later one is found."""

TASKS_MAX: Final = 200
"""Of so many tasks of a job the output is shown."""

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
    parser.add_argument("--json", action="store_true", help="print one object of JSON, without --follow")
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
        now = master.output(name).output
        _print(new_part(said, now))
        said = now
    if details.text:
        print(for_terminal(f"==> how {name} failed <=="))
        _print(last_lines(details.text, None))
    elif not said:
        print(for_terminal(f"concurrent: {_nothing(details.row)}"), file=sys.stderr)


def _nothing(row: TaskRow) -> str:
    if row.state in OPEN and row.state != RUNNING:
        return f"task {row.title} is {row.state}, and has printed nothing; see 'concurrent explain {row.title}'"
    return f"task {row.title} ({row.state}) has printed nothing, or nothing of it is kept"


def _job(master: ObserveMaster, args: argparse.Namespace) -> None:
    rows = _tasks_of(master, args.job)
    said = {row.title: master.output(row.title).output for row in rows}
    if args.json:
        items = [
            {
                "task": row.title,
                "name": row.name,
                "state": row.state,
                "output": last_lines(said[row.title], args.tail),
            }
            for row in rows
            if said[row.title]
        ]
        print_json({"items": items, "total": len(items), "left_out": 0})
        return
    for row in rows:
        if said[row.title]:
            print(for_terminal(f"==> {row.title} {row.name} ({row.state}) <=="))
            _print(last_lines(said[row.title], args.tail))
    if not any(said.values()):
        text = f"no task of job {args.job} has printed anything that is kept"
        print(for_terminal(f"concurrent: {text}"), file=sys.stderr)
    if args.follow:
        _follow_job(master, args.job, said)


def _follow_job(master: ObserveMaster, job: str, said: dict[str, str]) -> None:
    """Print what tasks of a job print, each line with the task before it, while any of them is open."""
    pause = threading.Event()
    is_open = True
    while is_open:
        is_open = bool(master.now().counts.open) and any(
            master.tasks(job=job, state=one, limit=1).total for one in OPEN
        )
        for row in _tasks_of(master, job):
            now = master.output(row.title).output
            for line in new_part(said.get(row.title, ""), now).splitlines():
                print(for_terminal(f"{row.title}: {line}"), flush=True)
            said[row.title] = now
        pause.wait(LOOK_S if is_open else 0.0)


def _tasks_of(master: ObserveMaster, job: str) -> list[TaskRow]:
    """Return the tasks of a job that may have printed something, the oldest first."""
    found = master.tasks(job=job, limit=TASKS_MAX)
    rows = [one for one in found.items if one.is_yours and one.state != "waiting"]
    return sorted(rows, key=lambda one: one.since_at)


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
