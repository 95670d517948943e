"""``concurrent samples``: list the bundled samples and the applications of plug-ins, and how to run them."""

from __future__ import annotations

import argparse
import ast
import inspect
from pathlib import Path

from concurrent.apps import samples
from concurrent.apps.api import EXIT_OK
from concurrent.apps.appclass import plugin_applications, sample_names
from concurrent.apps.commands.common import Subparsers, common_parser, make_environment
from concurrent.apps.commands.output import add_json_argument, print_json

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "samples",
        parents=[common_parser()],
        help="list the bundled samples and the applications of plug-ins",
        description="List the samples, the applications of plug-ins, and how to run them.",
    )
    add_json_argument(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print one line for each sample and each application of a plug-in, from its docstring."""
    own = {
        cls.__name__: (inspect.getdoc(cls) or "").partition("\n")[0]
        for cls in plugin_applications(make_environment(args))
    }
    bundled = {name: _first_line(name) for name in sample_names()}
    if args.json:
        items = [{"name": name, "text": text} for name, text in (*bundled.items(), *own.items())]
        print_json({"items": items, "total": len(items), "left_out": 0})
        return EXIT_OK
    for name, text in bundled.items():
        print(f"{name:<12} {text}")
    if own:
        print("\nof plug-ins:")
    for name, text in own.items():
        print(f"{name:<12} {text}".rstrip())
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
