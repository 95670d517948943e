"""``concurrent timeline``: write what ran where to a file, as a Chrome trace."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from concurrent.apps.access import OBSERVING
from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.asking import add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.apps.observemaster import ObserveMaster
from concurrent.core.errors import ConfigurationError

__all__ = ["add_parser", "run"]

TRACE_PATH: Final = "/trace.json"
STANDARD_OUTPUT: Final = "-"


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "timeline",
        parents=[common_parser()],
        conflict_handler="resolve",  # -o is the file here
        help="write what ran where to a file",
        description="Write what ran where, as far as the master remembers it, to a file in the format of "
        "Chrome's traces. https://ui.perfetto.dev shows it, in the browser alone.",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the file to write; - is standard output"
    )
    add_master_arguments(parser)
    add_json_argument(parser, "print what was written as one object of JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Fetch the trace and write it."""
    with ObserveMaster(way_of(args, OBSERVING)) as master:
        text = master.text(TRACE_PATH)
    if args.output == STANDARD_OUTPUT:
        sys.stdout.write(text)
        return EXIT_OK
    try:
        Path(args.output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{args.output} cannot be written: {error.strerror or error}",
            thing="--output",
            value=args.output,
            remedy="Name a file that this user may write",
        ) from error
    count = sum(one.get("ph") == "X" for one in json.loads(text)["traceEvents"])
    if args.json:
        print_json({"file": args.output, "bars": count})
    else:
        print(f"{count:,} bars are in {args.output}; open it at https://ui.perfetto.dev")
    return EXIT_OK
