"""``concurrent completion``: print a script by which a shell completes what is typed."""

from __future__ import annotations

import argparse
import sys

from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.common import Subparsers
from concurrent.apps.completion import SHELLS, script_for, spoken

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "completion",
        help="print a script that completes commands",
        description="Print a script by which a shell completes commands, options and files. Add to ~/.bashrc: "
        "source <(concurrent completion bash). The script says where those of zsh and fish go.",
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from concurrent.apps.main import make_parser  # which imports all commands

    sys.stdout.write(script_for(args.shell, spoken(make_parser())))
    return EXIT_OK
