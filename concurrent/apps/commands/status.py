"""``concurrent status``: print what a node is doing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from concurrent.apps.access import OBSERVING
from concurrent.apps.api import for_terminal
from concurrent.apps.columns import NODES, count, lines_of_nodes, size, trouble_text
from concurrent.apps.commands.asking import add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import Screen, add_output_arguments, show, table
from concurrent.apps.commands.troublelines import trouble_lines
from concurrent.apps.observed import NowStatus
from concurrent.apps.status import UNPROTECTED, MasterStatus, status_from_json
from concurrent.apps.troublelist import NO_TROUBLES
from concurrent.scheduling.ledger.status import RunningRow, WaitRow

__all__ = ["add_parser", "describe_master", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "status",
        parents=[common_parser()],
        help="print what a node is doing",
        description="Print what a master is doing; with --json any node.",
    )
    add_master_arguments(parser, "the node's JSON API")
    add_output_arguments(parser)
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="(5)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Ask the node and print its answer."""
    timeout_s = args.timeout
    way = way_of(args, OBSERVING)
    troubles = NO_TROUBLES

    def ask_by(client: Any) -> Any:
        nonlocal troubles
        answer = client.get("/status", timeout_s=timeout_s).result(timeout_s + 1.0)
        if not args.json and isinstance(status_from_json(answer), MasterStatus):
            now = client.proxy(timeout_s).now().result(timeout_s + 1.0)
            troubles = NowStatus.from_json(now).troubles
        return answer

    def text_of(answer: Any, screen: Screen) -> str:
        status = status_from_json(answer)
        if not isinstance(status, MasterStatus):
            return json.dumps(answer, indent=2)
        return describe_master(status, screen, trouble_lines(troubles, screen, args.master))

    return show(args, lambda: way.ask(ask_by), text_of)


def describe_master(status: MasterStatus, screen: Screen, troubles: Sequence[str] = ()) -> str:
    """Return the status of a master as lines of text, of which the table of nodes fits the screen.

    :param troubles: lines on what is wrong, which come first.
    """
    tasks = status.tasks
    lines = [
        f"{status.node_id}  version {status.version}  {status.scheduler} on {status.channel}",
        f"tasks: {tasks.open} open ({tasks.queued} queued), {tasks.accepted} accepted in all",
        f"workers: {tasks.workers}",
        *_protection(status),
        *(f"plug-in {trouble_text(one)}" for one in status.plugin_troubles),
        *([f"no more tasks are accepted for now: {tasks.held_because}"] if tasks.held_because else []),
        *_journal(status),
    ]
    text = for_terminal("\n".join(lines))
    nodes = table(NODES, lines_of_nodes(status, now=0.0), screen)  # nothing there says for how long
    above = ["", *troubles] if troubles else []
    return "\n".join([text, *above, "", *nodes, *_below(status)])


def _below(status: MasterStatus) -> list[str]:
    """Return what is said below the table of nodes."""
    tasks = status.tasks
    lines = []
    left_out = status.node_count - len(status.nodes)
    if left_out > 0:
        lines.append(f"{left_out} more nodes are not shown")
    unfit = [f"  {slave.name} {line}" for slave in tasks.slaves for line in slave.unfit]
    if unfit:
        lines += ["", "not all that programs need is there:", *unfit]
    if tasks.running:
        lines += ["", f"running for a while: {tasks.running_count} tasks"]
        lines += [f"  {_running(one)}" for one in tasks.running]
    if tasks.waiting:
        lines += ["", "waiting for a while:", *(f"  {_waiting(one)}" for one in tasks.waiting)]
    return for_terminal("\n".join(lines)).split("\n") if lines else []


def _protection(status: MasterStatus) -> list[str]:
    """Return who may come; nothing if it was not said."""
    if status.protected_by == UNPROTECTED:
        return ["protected by NOTHING: whoever reaches this master can run code on all its nodes"]
    return [f"protected by {status.protected_by}"] if status.protected_by else []


def _journal(status: MasterStatus) -> list[str]:
    """Return what is kept of the work of a master, and how sure that is."""
    journal = status.journal
    if journal is None:
        text = f"durability: {status.durability}, what is accepted is lost when the master ends"
        return [text] if status.durability else []
    where = f"{size(journal.used_bytes)} in {journal.folder}, start number {journal.epoch}"
    problem = [f"no new work is taken: {journal.problem}"] if journal.problem else []
    return [f"durability: {journal.durability}, {where}", *problem]


def _running(one: RunningRow) -> str:
    """Return one line of facts on a task that runs."""
    progress = f"; says {one.progress}" if one.progress else ""
    note = f"; {one.note}" if one.note else ""
    name = f"{one.name}, " if one.name else ""
    return (
        f"task {one.task} ({name}{one.owner}'s {one.id}) has run for {one.run_s:.0f} s "
        f"in process {one.worker} of {one.slave}{progress}{note}"
    )


def _waiting(one: WaitRow) -> str:
    """Return one line on tasks that wait."""
    name = f" ({one.name})" if one.name else ""
    why = f": {one.because}" if one.because else ""
    return (
        f"{count(one.count)} tasks of {one.owner}{name}, for {one.age_s:.0f} s, wait for {one.waits_for}{why}"
    )
