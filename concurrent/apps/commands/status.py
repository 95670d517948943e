"""``concurrent status``: print what a node is doing."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from typing import Any, Final

from concurrent.apps.api import EXIT_OK, PORT_DEFAULT, parse_address, program_of
from concurrent.apps.application import ApplicationSettings
from concurrent.apps.commands.common import Subparsers, common_parser, make_environment
from concurrent.core.items import Host
from concurrent.transport.web.jsonclient import JSONClient

DEFAULT: Final = Host("127.0.0.1", PORT_DEFAULT)

__all__ = ["add_parser", "describe_master", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "status",
        parents=[common_parser()],
        help="print what a node is doing",
        description="Print what a master is doing; with --json any node.",
    )
    parser.add_argument(
        "-m", "--master", metavar="HOST:PORT",
        help=f"the node's JSON API (that of option application.master, else 127.0.0.1:{PORT_DEFAULT})",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print everything, as JSON")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="(5)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Ask the node and print its answer."""
    configured = make_environment(args)[ApplicationSettings].master_host()
    host = parse_address(args.master, "--master") if args.master else configured or DEFAULT
    with closing(JSONClient(host.name, host.port)) as client:
        status = client.get("/status", timeout_s=args.timeout).result(args.timeout + 1.0)
    is_master = status.get("type") == "master" and not args.json
    print(describe_master(status) if is_master else json.dumps(status, indent=2))
    return EXIT_OK


def describe_master(status: dict[str, Any]) -> str:
    """Return the status of a master as lines of text."""
    tasks = status["tasks"]
    lines = [
        f"{status['node_id']}  version {status['version']}  {status['scheduler']} on {status['channel']}",
        f"tasks: {tasks['open']} open ({tasks['queued']} queued), {tasks['accepted']} accepted in all",
        f"workers: {tasks['workers']}",
        *(
            f"plug-in {one['component']}: {one['rule']} {one['problem']}; {one['action']} "
            f"({one['count']} times so far)"
            for one in status.get("plugin_troubles", ())
        ),
        *([f"no more tasks are accepted for now: {held}"] if (held := tasks.get("held_because")) else []),
        "",
        f"{'NODE':<44} {'TYPE':<12} {'STATE':<11} {'FROM':<16} TASKS",
    ]
    by_number = {one["number"]: _of_slave(one) for one in tasks["slaves"]}
    by_number |= {one["number"]: _of_owner(one) for one in tasks["owners"]}
    for node in status["nodes"]:
        what = by_number.get(node["number"], "") if node["state"] == "joined" else node["reason"]
        program = program_of(node)
        what = f"{program}: {what}" if program else what
        lines.append(f"{node['node_id']:<44} {node['type']:<12} {node['state']:<11} {node['ip']:<16} {what}")
    left_out = status["node_count"] - len(status["nodes"])
    if left_out > 0:
        lines.append(f"{left_out} more nodes are not shown")
    if tasks["running"]:
        lines += ["", f"running for a while: {tasks['running_count']} tasks"]
        lines += [f"  {_running(one)}" for one in tasks["running"]]
    return "\n".join(lines)


def _running(one: dict[str, Any]) -> str:
    """Return one line of facts on a task that runs."""
    note = f"; {one['note']}" if one["note"] else ""
    return (
        f"task {one['task']} ({one['owner']}'s {one['id']}) has run for {one['run_s']:.0f} s "
        f"in process {one['worker']} of {one['slave']}{note}"
    )


def _of_owner(owner: dict[str, Any]) -> str:
    return f"{owner['open']} open, {owner['finished']} finished{_others(owner, 'failed', 'cancelled')}"


def _of_slave(slave: dict[str, Any]) -> str:
    silent = "; it holds tasks and reports nothing" if slave["silent"] else ""
    return f"{slave['held']} held, {slave['done']} done{_others(slave, 'failed', 'refused')}{silent}"


def _others(counts: dict[str, Any], *names: str) -> str:
    """Return what is not as it should be, if there is any."""
    return "".join(f", {counts[name]} {name}" for name in names if counts[name])
