"""``concurrent master``: run a master, which may be its own slave."""

from __future__ import annotations

import argparse

from concurrent.apps.api import PORT_DEFAULT
from concurrent.apps.commands.common import Subparsers, common_parser, make_environment, run_node
from concurrent.apps.master import MasterNode
from concurrent.apps.masterjournal import kept_folder
from concurrent.apps.nodeclass import node_class
from concurrent.scheduling.processes.interpreter import new_hash_seed

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "master",
        parents=[common_parser()],
        help="run a master",
        description="Run a master: it accepts work from applications and has slaves do it.",
    )
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("-p", "--port", type=int, help=f"the port of the JSON API ({PORT_DEFAULT})")
    parser.add_argument(
        "--address-file", metavar="FILE", help="keep the address in this file, for others' --master @FILE"
    )
    parser.add_argument(
        "-w", "--workers", type=int, help="be its own slave too, with so many worker processes (0)"
    )
    parser.add_argument("--channel", metavar="NAME", help="what carries the compute channel (tcp)")
    parser.add_argument("--scheduler", help="GenericTaskScheduler, ZMQTaskScheduler or one of a plug-in")
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the master until a signal ends it."""
    env = make_environment(
        args,
        master__host=args.host,
        master__port=args.port,
        master__address_file=args.address_file,
        master__workers=args.workers,
        transport__channel=args.channel,
        scheduling__scheduler=args.scheduler,
    )
    node = env[node_class(env, "master", MasterNode)]
    journal = kept_folder(env, node.port)
    lasting = str(journal.resolve()) if journal is not None else ""
    node.hash_seed = new_hash_seed(lasting)  # slaves take it over, and keep their workers through a restart
    return run_node(node, args, is_server=True)
