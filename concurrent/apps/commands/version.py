"""``concurrent version``: print the version, and which compiled modules run."""

from __future__ import annotations

import argparse
import json
import platform

from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.common import Subparsers
from concurrent.apps.version import VERSION, package_versions

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "version", help="print the version", description="Print the version and those of what it uses."
    )
    parser.add_argument("--json", action="store_true", help="print one object of JSON")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the versions."""
    versions = package_versions()
    python, system = platform.python_version(), platform.platform()
    if args.json:
        said = {"version": VERSION, "python": python, "platform": system, "packages": versions}
        print(json.dumps(said, indent=2))
        return EXIT_OK
    print(f"Concurrent {VERSION}, Python {python} on {system}")
    for package, version in versions.items():
        print(f"  {package} {version or 'is not installed'}")
    return EXIT_OK
