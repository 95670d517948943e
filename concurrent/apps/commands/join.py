"""``concurrent join``: make this machine a member of a cluster."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from concurrent.apps.api import EXIT_OK, parse_address
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.keyparts import keys_place
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.core.errors import ConfigurationError
from concurrent.transport.security.newmember import make_join
from concurrent.transport.security.roles import Role

__all__ = ["add_parser", "run"]

STANDARD_INPUT: Final = "-"
LINE_LENGTH_MAX: Final = 1000

NEXT: Final = {
    Role.SLAVE: "concurrent slave",
    Role.SUBMIT: "concurrent app NAME --master joined",
    Role.OBSERVE: "concurrent status",
    Role.ADMIN: "concurrent status",
}
"""What each role lets a person type."""


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "join",
        parents=[common_parser()],
        help="make this machine a member of a cluster",
        description="Make this machine a member of a cluster: it gets a key of its own, and needs no --master "
        "any more. The line is what 'concurrent keys invite' has printed on the machine of the master.",
    )
    parser.add_argument(
        "line", metavar="LINE", help="the line; - reads it from standard input, @FILE from a file"
    )
    parser.add_argument("--name", default="", help="what this machine is called in the cluster (its own name)")
    parser.add_argument(
        "-m", "--master", metavar="HOST:PORT", help="where the master is, if not where the line says"
    )
    add_json_argument(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Join, and say what can be done now."""
    _hide(args.line)
    master = parse_address(args.master, "--master") if args.master else None
    base, _ = keys_place(args)
    keys, identity = make_join(_line_of(args.line), base, name=args.name, master=master)
    if args.json:
        print_json(
            {
                "cluster": keys.cluster,
                "identity": str(identity),
                "role": identity.role,
                "folder": str(keys.folder),
                "next": NEXT[identity.role],
            }
        )
        return EXIT_OK
    print(f"joined the cluster {keys.cluster} as {identity}; the key is in {keys.folder}")
    print(f"next: {NEXT[identity.role]}")
    return EXIT_OK


def _line_of(text: str) -> str:
    """Return the line that an argument is, or names the place of.

    :raises ConfigurationError: if there is none.
    """
    if text == STANDARD_INPUT:
        return sys.stdin.readline(LINE_LENGTH_MAX)
    if not text.startswith("@"):
        return text
    try:
        with Path(text[1:]).open(encoding="utf-8", errors="replace") as file:
            return file.readline(LINE_LENGTH_MAX)
    except OSError as error:
        raise ConfigurationError(
            f"{text[1:]} cannot be read: {error.strerror or error}",
            thing="line",
            value=text,
            remedy="Write @FILE with the name of the file that has the line",
        ) from error


def _hide(line: str) -> None:
    """Become the same command without the line in its arguments, which every user of the machine can see.

    The line comes through standard input then. A line that is no argument of this process is not seen.
    """
    if not line.strip().startswith("c") or line not in sys.orig_argv:
        return
    ours, theirs = os.pipe()
    os.write(theirs, line.encode()[:LINE_LENGTH_MAX])
    os.close(theirs)
    os.dup2(ours, 0)
    os.close(ours)
    os.execv(sys.executable, [STANDARD_INPUT if one == line else one for one in sys.orig_argv])
