"""The command line ``concurrent``."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from concurrent.apps.api import EXIT_ERROR, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, for_terminal
from concurrent.apps.commandparser import CommandParser
from concurrent.apps.commands import COMMANDS
from concurrent.apps.version import VERSION
from concurrent.core.earlylog import EarlyLog
from concurrent.core.errors import (
    AddressError,
    ComponentError,
    ConcurrentError,
    ConfigurationError,
    EnvironmentFolderError,
    SchedulingError,
    TaskError,
)
from concurrent.core.process.garbage import collecting_rarely
from concurrent.core.process.heap import keep_freed_memory

__all__ = ["main", "make_parser", "run_command"]

VERSION_OPTIONS: Final = ("-V", "--version")

EXIT_CODE_BY_ERROR = (
    (AddressError, EXIT_ERROR),
    ((ComponentError, ConfigurationError, EnvironmentFolderError), EXIT_USAGE),
    ((SchedulingError, TaskError), EXIT_FAILED),
    (ConcurrentError, EXIT_ERROR),
)
"""The first class that fits counts."""


def make_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    :param names: the commands that it knows.
    """
    parser = CommandParser(
        prog="concurrent",
        description="Runs applications on a master and its slaves.",
        epilog="Exit codes: 0 done, 1 the application failed, 2 wrong usage or configuration, 3 the node "
        "could not do its work, 75 the journal of a master cannot be written, 130 interrupted.",
    )
    parser.add_argument(*VERSION_OPTIONS, action="version", version=f"Concurrent {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    with collecting_rarely():  # what is imported stays
        for name in names:
            command = import_module(f"concurrent.apps.commands.{name}")
            command.add_parser(commands).set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command in the main thread and return its exit code.

    :param arguments: those of the program if None.
    """
    words = sys.argv[1:] if arguments is None else arguments
    return run_command(make_parser(_commands_for(words)).parse_args(words))


def _commands_for(words: Sequence[str]) -> Sequence[str]:
    """Return the commands that a parser of these words has to know; one that prints the version, none."""
    if words and (words[0] in COMMANDS or words[0] in VERSION_OPTIONS):
        return [name for name in words[:1] if name in COMMANDS]
    return COMMANDS


def run_command(args: argparse.Namespace) -> int:
    """Run one command in the main thread and return its exit code.

    :param args: what its parser made; ``args.run(args)`` does it.
    """
    keep_freed_memory()
    with EarlyLog() as early:
        return _run(args, early)


def _run(args: argparse.Namespace, early: EarlyLog) -> int:
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except ConcurrentError as error:
        early.show()
        if args.debug:
            traceback.print_exc()
        print(f"concurrent: {for_terminal(str(error))}", file=sys.stderr)
        return next(code for classes, code in EXIT_CODE_BY_ERROR if isinstance(error, classes))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # whoever reads the output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    return code


if __name__ == "__main__":
    sys.exit(main())
