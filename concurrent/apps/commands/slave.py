"""``concurrent slave``: run a slave, which does the work of a master."""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path
from typing import Final

from concurrent.apps.api import PORT_DEFAULT
from concurrent.apps.commands.common import Subparsers, common_parser, make_environment, run_node
from concurrent.apps.masteraddress import address_file_of
from concurrent.apps.nodeclass import node_class
from concurrent.apps.slave import SlaveNode

__all__ = ["add_parser", "run"]

LOOK_S: Final = 0.2
"""How often somebody looks who waits for a file."""


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "slave",
        parents=[common_parser()],
        help="run a slave",
        description="Run a slave: its worker processes do the work of a master, which need not be there yet.",
    )
    parser.add_argument(
        "-m", "--master", metavar="HOST:PORT",
        help="the master; @FILE: the address is in that file, which need not be there yet (that of "
        "CONCURRENT_MASTER, else of option slave.master, else of the cluster that was joined, else "
        f"127.0.0.1:{PORT_DEFAULT})",
    )  # fmt: skip
    parser.add_argument("-w", "--workers", type=int, help="how many worker processes (one for each core)")
    parser.add_argument("--name", help="what the slave is called (the name of its machine)")
    parser.add_argument("--host", help="the address of the slave's own JSON API (127.0.0.1)")
    parser.add_argument("-p", "--port", type=int, help="the port of the slave's own JSON API (any free one)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the slave until a signal ends it."""
    env = make_environment(
        args,
        slave__master=args.master,
        slave__workers=args.workers,
        slave__name=args.name,
        slave__host=args.host,
        slave__port=args.port,
    )
    node = env[node_class(env, "slave", SlaveNode)]
    _wait_for(address_file_of(node.master))
    return run_node(node, args, is_server=True)


def _wait_for(file: Path | None) -> None:
    """Wait until the address of the master is there, if it comes in a file."""
    if file is None or file.exists():
        return
    print(f"concurrent: waits for a master to write the address file {file}", file=sys.stderr, flush=True)
    pause = threading.Event()
    while not file.exists():
        pause.wait(LOOK_S)
