"""``concurrent open``: open the pages of a node in a browser, which is let in once."""

from __future__ import annotations

import argparse
import webbrowser
from typing import Final

from concurrent.apps.access import OBSERVING, Way
from concurrent.apps.api import EXIT_OK
from concurrent.apps.commands.asking import add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.core.items import Host

__all__ = ["add_parser", "run"]

TIMEOUT_S: Final = 10.0


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "open",
        parents=[common_parser()],
        help="open the pages of a node in a browser",
        description="Open the pages of a node in the browser. The address is good once, and for a minute; the "
        "browser may see then what this user may.",
    )
    add_master_arguments(parser, "the node's JSON API")
    parser.add_argument("--print", action="store_true", help="print the address instead of opening it")
    add_json_argument(parser, "print the address as JSON instead of opening it")
    return parser


def run(args: argparse.Namespace) -> int:
    """Fetch a code and show the page with it."""
    url = _login_url(way_of(args, tuple(reversed(OBSERVING))))
    if args.json:
        print_json({"url": url})
    elif args.print or not webbrowser.open(url):
        print(url)
    return EXIT_OK


def _login_url(way: Way) -> str:
    """Return the address that lets a browser in, once."""
    code = way.ask(lambda client: client.proxy(TIMEOUT_S).login_code().result(TIMEOUT_S + 1.0))
    place = way.protection.place
    if place is not None and place.has("http"):
        return f"http://{Host('127.0.0.1', way.address.port)}/login?code={code}"
    scheme = "http" if way.protection.is_open else "https"
    return f"{scheme}://{way.address}/login?code={code}"
