"""``concurrent slave``: run a slave, which does the work of a master."""

from __future__ import annotations

import argparse

from concurrent.apps.commands.common import Subparsers, common_parser, make_environment, run_node
from concurrent.apps.nodeclass import node_class
from concurrent.apps.slave import MASTER_DEFAULT, SlaveNode

__all__ = ["add_parser", "run"]


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
        help=f"the master (that of the cluster that was joined, else {MASTER_DEFAULT})",
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
    return run_node(env[node_class(env, "slave", SlaveNode)], args, is_server=True)
