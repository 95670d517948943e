"""``concurrent init``: make an environment folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.common import Subparsers
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.core.environment import CONFIGURATION_FILE, Environment

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "init",
        help="make an environment folder",
        description="Make an environment folder with a documented configuration and room for plug-ins.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path)
    add_json_argument(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def run(args: argparse.Namespace) -> int:
    """Make the folder and say what to do with it."""
    env = Environment.create(args.folder)
    assert env.folder is not None
    if args.json:
        print_json({"folder": str(env.folder), "configuration": str(env.folder / CONFIGURATION_FILE)})
        return EXIT_OK
    print(f"made {env.folder}")
    print(f"edit {env.folder / CONFIGURATION_FILE}, then: concurrent master --env {args.folder}")
    return EXIT_OK
