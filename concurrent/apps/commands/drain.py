"""``concurrent drain``: have a slave get nothing more, and wait until it has nothing."""

from __future__ import annotations

import argparse
import sys
import threading
from typing import Final

from concurrent.apps.api import EXIT_OK, for_terminal
from concurrent.apps.commands.asking import add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import add_json_argument, print_json
from concurrent.apps.steered import DrainAnswer
from concurrent.apps.steermaster import SteerMaster
from concurrent.core.errors import NodeError
from concurrent.scheduling.ledger.status import DRAINED
from concurrent.scheduling.tasks.explanation import shown_tasks
from concurrent.transport.security.roles import Role

__all__ = ["STEERING", "add_parser", "run"]

STEERING: Final = (Role.ADMIN, Role.MASTER)
"""As whom commands act on slaves."""

LOOK_S: Final = 0.5
"""How often a command looks that waits."""


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "drain",
        parents=[common_parser()],
        help="have a slave get nothing more",
        description="Have a slave get nothing more: what it has not begun goes to others, what it runs ends by "
        "itself. It stays so, also if it starts again under its name, until 'concurrent resume'.",
    )
    parser.add_argument("slave", metavar="SLAVE", help="the name of the slave, or its number at the master")
    add_master_arguments(parser)
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float,
        help="end what still runs there after so long; it begins again at another slave",
    )  # fmt: skip
    parser.add_argument("--wait", action="store_true", help="until the slave has no task any more")
    add_json_argument(parser, "print the answer of the master, as JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Have the master drain the slave."""
    with SteerMaster(way_of(args, STEERING)) as master:
        answer = master.drain(args.slave, args.timeout)
        if args.wait:
            answer = _wait(master, answer, is_quiet=args.json)
    if args.json:
        print_json(answer)
    else:
        print(for_terminal(_said(answer)))
    return EXIT_OK


def _wait(master: SteerMaster, answer: DrainAnswer, *, is_quiet: bool) -> DrainAnswer:
    """Wait until a slave has nothing; raises NodeError if it takes tasks again."""
    pause = threading.Event()
    if answer.held and not is_quiet:
        print(for_terminal(_said(answer)), file=sys.stderr, flush=True)
    while answer.drain != DRAINED:
        pause.wait(LOOK_S)
        found = master.drains(answer.slave).items
        if not found:
            raise NodeError(
                f"slave {answer.slave} takes tasks again: somebody has resumed it",
                thing="slave",
                value=answer.slave,
            )
        answer = found[0]
    return answer


def _said(answer: DrainAnswer) -> str:
    if answer.drain == DRAINED:
        return f"slave {answer.slave} is drained: it has no task"
    return f"slave {answer.slave} is draining: it gets nothing more, and has {shown_tasks(answer.held)} still"
