"""``concurrent journal``: look into the journal of a master that does not run, and save what is whole of it."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from concurrent.apps.api import EXIT_FAILED, EXIT_OK, printable
from concurrent.apps.commands.common import Subparsers
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.scheduling.store.journal.folder import repair_command
from concurrent.scheduling.store.journal.inspection import Inspection, Report

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "journal",
        help="check, repair or export the journal of a master",
        description="Look into the journal of a master that does not run.",
    )
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    what = {
        "check": "read all of it, and say what is damaged; exit code 1 if anything is",
        "repair": "write what is whole into a new folder, and say what is lost",
        "export": "print what it has as lines of JSON, without payloads",
    }
    for name, text in what.items():
        action = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        action.add_argument("folder", metavar="FOLDER", type=Path, help="the folder with journal.sqlite")
        action.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if name != "export":
            add_json_argument(action)
        if name == "repair":
            action.add_argument("--to", metavar="NEW", type=Path, help="the new folder (FOLDER-repaired)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Open the journal and do what is asked."""
    with closing(Inspection(args.folder)) as inspection:
        if args.action == "export":
            for line in inspection.export():
                sys.stdout.write(f"{json.dumps(line)}\n")
            return EXIT_OK
        if args.action == "check":
            report = inspection.check()
            if args.json:
                print_json(_as_json(report, args.folder))
            else:
                print("\n".join(_described(report)))
            if report.losses and not args.json:
                print(f"save what is whole of it: {repair_command(args.folder)}")
            return EXIT_FAILED if report.losses else EXIT_OK
        target = args.to or args.folder.with_name(f"{args.folder.absolute().name}-repaired")
        report = inspection.repair(target)
    if args.json:
        print_json(_as_json(report, target))
        return EXIT_OK
    print("\n".join(_described(report)))
    old, new = shlex.quote(str(args.folder)), shlex.quote(str(target))
    print(f"what is whole is in {target}; to go on with it: mv {old} {old}-damaged && mv {new} {old}")
    return EXIT_OK


def _as_json(report: Report, folder: Path) -> dict[str, Any]:
    """Return what was found as plain values.

    :param folder: the one with the journal, or what is whole of it.
    """
    return {
        "folder": str(folder),
        "cluster": report.cluster,
        "epoch": report.epoch,
        "counts": report.counts,
        "payloads": report.payload_count,
        "losses": [one._asdict() for one in report.losses],
        "ok": not report.losses,
    }


def _described(report: Report) -> Iterator[str]:
    yield f"cluster {report.cluster or 'unknown'}, epoch {report.epoch}"
    for name, count in sorted(report.counts.items()):
        yield f"{count:>10,} {name}"
    yield f"{report.payload_count:>10,} payloads in rows of their own"
    for loss in report.losses:
        yield f"damaged: {printable(str(loss))}"
    yield "nothing is damaged" if not report.losses else f"{len(report.losses)} places are damaged"
