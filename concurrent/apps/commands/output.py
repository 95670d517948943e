"""What all commands print alike: tables that fit the terminal, JSON for programs, times, colours, repetition.

People get a table, programs one object of JSON (``--json``): of a list ``items``, ``total`` and ``left_out``.
Times are ISO 8601 in the time zone of who reads. Colours go to a terminal only, and never where ``NO_COLOR``
is set.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TextIO

from concurrent.apps.api import EXIT_OK, for_terminal, printable
from concurrent.apps.columns import Column, Link, Row
from concurrent.core.errors import ConcurrentError
from concurrent.core.status import Status

__all__ = [
    "BOLD",
    "GREEN",
    "RED",
    "YELLOW",
    "Screen",
    "add_json_argument",
    "add_output_arguments",
    "fitted",
    "iso_time",
    "left_out_line",
    "listed",
    "print_json",
    "show",
    "table",
]

BOLD: Final = "1"
RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"

GAP: Final = "  "
NARROWEST: Final = 10
"""A column of text is never cut to less."""

WATCH_S: Final = 2.0
HOME: Final = "\x1b[H"
CLEAR_LINE: Final = "\x1b[K"
CLEAR_BELOW: Final = "\x1b[J"
CLEAR_ALL: Final = "\x1b[2J"


class Screen:
    """Where a command prints: how much fits there, and whether it takes colours.

    :param stream: what it prints to; standard output if None.
    :param variables: of the environment; those of the process if None.
    """

    def __init__(self, stream: TextIO | None = None, variables: Mapping[str, str] | None = None) -> None:
        stream = sys.stdout if stream is None else stream
        variables = os.environ if variables is None else variables
        self.is_terminal = stream.isatty()
        is_plain = bool(variables.get("NO_COLOR")) or variables.get("TERM") == "dumb"
        self._has_colours = self.is_terminal and not is_plain

    @property
    def width(self) -> int | None:
        """How many characters fit into a line; None: as many as there are."""
        return shutil.get_terminal_size().columns if self.is_terminal else None

    @property
    def height(self) -> int | None:
        """How many lines there are; None: as many as one likes."""
        return shutil.get_terminal_size().lines if self.is_terminal else None

    def painted(self, text: str, colour: str) -> str:
        """Return a text in a colour, if there are any."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._has_colours and text else text


def add_json_argument(parser: argparse.ArgumentParser, what: str = "print one object of JSON") -> None:
    """Have a command print for programs.

    :param what: it prints then.
    """
    parser.add_argument("--json", action="store_true", help=what)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Have a command print for programs, and again and again."""
    add_json_argument(parser, "print one object of JSON, with all there is")
    parser.add_argument(
        "--watch", metavar="SECONDS", nargs="?", type=_seconds, const=WATCH_S,
        help=f"print it again every so many seconds ({WATCH_S:g}), until Ctrl-C",
    )  # fmt: skip


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 86400.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.1 on")
    return seconds


def show(args: argparse.Namespace, ask: Callable[[], Any], text_of: Callable[[Any, Screen], str]) -> int:
    """Print what is asked for, once or until Ctrl-C, for people or as JSON; returns the exit code.

    :param ask: returns it: a status, or what can be JSON.
    :param text_of: makes lines for people of it.
    :raises ConcurrentError: if it cannot be had; one that is watched is asked for again later.
    """
    screen = Screen()
    if args.watch is None:
        _print(args, ask(), text_of, screen)
        return EXIT_OK
    pause = threading.Event()
    if screen.is_terminal and not args.json:
        sys.stdout.write(CLEAR_ALL)
    is_there = False
    try:
        while True:
            try:
                value = ask()
            except ConcurrentError as error:
                if not is_there:
                    raise
                print(f"concurrent: {for_terminal(str(error))}", file=sys.stderr, flush=True)
            else:
                is_there = True
                _print(args, value, text_of, screen)
            pause.wait(args.watch)
    except KeyboardInterrupt:
        return EXIT_OK


def _print(args: argparse.Namespace, value: Any, text_of: Callable[[Any, Screen], str], screen: Screen) -> None:
    if args.json:
        print_json(value, is_line=args.watch is not None)
    elif args.watch is None:
        print(text_of(value, screen))
    elif screen.is_terminal:
        lines = text_of(value, screen).splitlines()[: (screen.height or 0) - 1]
        sys.stdout.write(HOME + "".join(f"{line}{CLEAR_LINE}\n" for line in lines) + CLEAR_BELOW)
    else:
        print(f"{text_of(value, screen)}\n")
    sys.stdout.flush()


def print_json(value: Any, *, is_line: bool = False) -> None:
    """Print a status, or what JSON has, as one object.

    :param is_line: on one line, as others follow.
    """
    plain = value.to_json() if isinstance(value, Status) else value
    print(json.dumps(plain, indent=None if is_line else 2))


def listed(items: Iterable[Any]) -> dict[str, Any]:
    """Return a list as JSON has it, of which nothing is left out."""
    rows = list(items)
    return {"items": rows, "total": len(rows), "left_out": 0}


def iso_time(at: float) -> str:
    """Return a moment in the time zone of who reads; a dash for what has not been.

    :param at: seconds since the epoch.
    """
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds") if at else "-"


def left_out_line(left_out: int, how: str) -> list[str]:
    """Return a line on what a list does not show, or none.

    :param how: how a person gets to see it.
    """
    return [f"... and {left_out:,} more, which are not shown; {how}"] if left_out > 0 else []


def table(columns: Sequence[Column[Row]], rows: Iterable[Row], screen: Screen) -> list[str]:
    """Return a table as lines that fit.

    :param columns: of these the last are left out where there is no room.
    """
    cells = [[printable(one.title.upper()) for one in columns]]
    cells += [[_cell(one, row) for one in columns] for row in rows]
    is_number = [one.is_number for one in columns]
    lines, count = fitted(cells, is_number, screen.width)
    if lines:
        lines[0] = screen.painted(lines[0], BOLD)
    missing = ", ".join(one.title for one in columns[count:])
    return [*lines, f"(no room for: {missing}; a wider terminal or --json shows them)"] if missing else lines


def fitted(
    cells: Sequence[Sequence[str]], is_number: Sequence[bool], width: int | None
) -> tuple[list[str], int]:
    """Return lines of cells below one another, and how many columns are there.

    :param is_number: of each column: such cells are at the right, and never cut.
    :param width: how many characters fit into a line; None: as many as there are.
    """
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        while (over := sum(widths) + len(GAP) * (len(widths) - 1) - width) > 0:
            place = max(range(len(widths)), key=lambda i: 0 if is_number[i] else widths[i])
            if not is_number[place] and widths[place] > NARROWEST:
                widths[place] = max(NARROWEST, widths[place] - over, _second(widths, is_number, place))
            elif len(widths) > 1:
                widths.pop()
            else:
                break
    lines = []
    for row in cells:
        parts = [_filled(*one) for one in zip(row, widths, is_number, strict=False)]
        lines.append(GAP.join(parts).rstrip())
    return lines, len(widths)


def _second(widths: Sequence[int], is_number: Sequence[bool], place: int) -> int:
    """Return how wide the widest text is besides one, less 1: so several shrink together."""
    others = [width for i, width in enumerate(widths) if i != place and not is_number[i]]
    return min(max(others, default=0), widths[place]) - 1


def _filled(text: str, width: int, is_number: bool) -> str:  # noqa: FBT001  as zip() makes them
    over = _width(text) - width
    if over > 0:
        text = _cut(text, width)
    space = " " * (width - _width(text))
    return f"{space}{text}" if is_number else f"{text}{space}"


def _cut(text: str, width: int) -> str:
    """Return the beginning of a text that fits, with a sign that there is more."""
    used, kept = 1, ""
    for char in text:
        used += _width(char)
        if used > width:
            break
        kept += char
    return f"{kept}\N{HORIZONTAL ELLIPSIS}"


def _width(text: str) -> int:
    """Return how many characters of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _cell(column: Column[Row], row: Row) -> str:
    value = column.value(row)
    text = value.text if isinstance(value, Link) else column.format(value)
    return printable(" ".join(text.split()))
