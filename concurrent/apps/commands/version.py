"""``concurrent version``: print the version, and which compiled modules run."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.common import Subparsers
from concurrent.apps.version import PACKAGES, VERSION

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "version", help="print the version", description="Print the version and those of what it uses."
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def run(_args: argparse.Namespace) -> int:
    """Print the versions."""
    print(f"Concurrent {VERSION}, Python {platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        try:
            print(f"  {package} {version_of(package)}")
        except PackageNotFoundError:
            print(f"  {package} is not installed")
    return EXIT_OK
