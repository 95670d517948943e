"""``concurrent top``: watch a cluster in the terminal, and act on what runs."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from concurrent.apps.api import EXIT_OK, for_terminal
from concurrent.apps.commands.asking import SEEING, add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import Screen, add_output_arguments, show
from concurrent.apps.commands.terminal import DOWN, UP, KeyTerminal
from concurrent.apps.commands.topview import Picture, View, picture_of
from concurrent.apps.observed import RUNNING
from concurrent.apps.observemaster import ObserveMaster
from concurrent.core.errors import ConcurrentError

__all__ = ["add_parser", "run"]

EVERY_S: Final = 2.0
RUNNING_MAX: Final = 200


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "top",
        parents=[common_parser()],
        help="watch a cluster in the terminal",
        description="Show what a cluster does: whether it moves, what runs, its workers, functions and "
        "failures. Keys: q ends it, arrows choose a task, l shows its log, c cancels it. Without a terminal it "
        "prints once.",
    )
    add_master_arguments(parser)
    parser.add_argument(
        "--every", metavar="SECONDS", type=float, default=EVERY_S, help=f"how often it looks ({EVERY_S:g})"
    )
    add_output_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Show the cluster until somebody has enough."""
    with ObserveMaster(way_of(args, SEEING)) as master:
        if args.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return show(
                args, lambda: _picture(master), lambda picture, screen: "\n".join(picture_of(picture, screen))
            )
        try:
            _Top(master, _picture(master), args.watch or args.every).run()
        except KeyboardInterrupt:
            return EXIT_OK
    return EXIT_OK


def _picture(master: ObserveMaster) -> Picture:
    return Picture(
        now=master.now(),
        progress=master.progress(),
        workers=master.workers(),
        failures=master.failures(),
        running=master.tasks(state=RUNNING, limit=RUNNING_MAX),
    )


class _Top:
    """What is shown on the terminal, and what its keys do. Main thread.

    :param picture: the first one.
    :param every_s: how often the master is asked.
    """

    def __init__(self, master: ObserveMaster, picture: Picture, every_s: float) -> None:
        self._master = master
        self._picture = picture
        self._every_s = max(0.1, every_s)
        self._screen = Screen()
        self._chosen = ""
        self._message = ""
        self._is_asking = False
        self._log_of = ""

    def run(self) -> None:
        """Draw and do what keys say, until one says that it is enough."""
        with KeyTerminal() as terminal:
            while True:
                terminal.draw(self._log() if self._log_of else self._lines())
                key = terminal.key(self._every_s)
                if key == "q" and not self._log_of:
                    return
                self._do(key)

    def _lines(self) -> list[str]:
        return picture_of(self._picture, self._screen, View(self._chosen, self._message))

    def _log(self) -> list[str]:
        height = self._screen.height or 1
        try:
            said = self._master.output(self._log_of).output
        except ConcurrentError as error:
            said = str(error)
        lines = for_terminal(said).splitlines()[-(height - 2) :] or ["(nothing yet)"]
        width = self._screen.width or 1
        return [f"the log of {self._log_of}; any key goes back"[:width], *(line[:width] for line in lines)]

    def _do(self, key: str) -> None:
        if not key:
            self._look()
        elif self._log_of:
            self._log_of = ""
        elif self._is_asking:
            self._is_asking = False
            self._message = self._cancel() if key == "y" else ""
        elif key in (UP, DOWN):
            self._choose(1 if key == DOWN else -1)
        elif key in ("c", "l") and not self._chosen:
            self._message = "choose a task first, with the arrow keys"
        elif key == "l":
            self._log_of = self._chosen
        elif key == "c":
            self._is_asking = True
            self._message = f"cancel {self._chosen}? y or n"

    def _look(self) -> None:
        """Ask the master again; while it does not answer that is said, and the picture stays."""
        try:
            self._picture = _picture(self._master)
        except ConcurrentError as error:
            self._message = str(error)
            return
        if not self._is_asking:
            self._message = ""
        if self._chosen not in self._titles():
            self._chosen = ""
            self._is_asking = False

    def _titles(self) -> list[str]:
        return [one.title for one in self._picture.running.items]

    def _choose(self, step: int) -> None:
        titles = self._titles()
        if titles:
            place = titles.index(self._chosen) + step if self._chosen in titles else 0
            self._chosen = titles[place % len(titles)]
        self._message = "" if titles else "no task runs"

    def _cancel(self) -> str:
        try:
            number = next(one.task for one in self._picture.running.items if one.title == self._chosen)
            answer = self._master.cancel_tasks(tasks=[str(number)])
        except ConcurrentError as error:
            return str(error)
        is_done = answer.waiting + answer.running
        return f"{self._chosen} is cancelled" if is_done else f"{self._chosen} is not open any more"
