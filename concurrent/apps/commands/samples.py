"""``concurrent samples``: list the bundled samples and how to run them."""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

from concurrent.apps import samples
from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.common import Subparsers
from concurrent.apps.nodes import sample_names

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "samples", help="list the bundled samples", description="List the samples and how to run them."
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def run(_args: argparse.Namespace) -> int:
    """Print one line for each sample, from the docstring of its application."""
    for name in sample_names():
        print(f"{name:<12} {_first_line(name)}")
    print("\nrun one:          concurrent app NAME [--master HOST:PORT]")
    print("see its options:  concurrent app NAME --options")
    print("set one of them:  concurrent app NAME -o NAME.OPTION=VALUE")
    return EXIT_OK


def _first_line(name: str) -> str:
    for folder in samples.__path__:
        file = Path(folder, name, "app.py")
        if file.is_file():
            doc = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            return doc.partition("\n")[0]
    return ""
