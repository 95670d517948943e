"""``concurrent doctor``: look for what keeps a cluster from working, and say what to do about it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Final

from concurrent.apps.access import OBSERVING, Way
from concurrent.apps.api import EXIT_FAILED, EXIT_OK, counted, for_terminal
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.checkup import (
    FAIL,
    OK,
    WARN,
    CheckRow,
    checks_of_cluster,
    checks_of_machine,
    clock_check,
    compute_port_check,
    way_check,
)
from concurrent.apps.commands.asking import SEEING, add_master_arguments
from concurrent.apps.commands.common import Subparsers, common_parser, make_environment
from concurrent.apps.commands.output import GREEN, RED, YELLOW, Screen, add_json_argument, print_json
from concurrent.apps.observed import NowStatus
from concurrent.apps.status import MasterStatus
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core.environment import Environment
from concurrent.core.errors import ConcurrentError, NotAllowed
from concurrent.transport.security.roles import Role

__all__ = ["add_parser", "run"]

TIMEOUT_S: Final = 10.0
COLOURS: Final = {OK: GREEN, WARN: YELLOW, FAIL: RED}


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        parents=[common_parser()],
        help="look for what keeps a cluster from working",
        description="Look at this machine, the way to the master and the cluster, and run one task. Each line "
        "is ok, warn or fail, with what to do about it. Exit code 1 if anything fails.",
    )
    add_master_arguments(parser)
    parser.add_argument(
        "--timeout", type=float, default=TIMEOUT_S, metavar="SECONDS", help=f"for each answer ({TIMEOUT_S:g})"
    )
    parser.add_argument("--no-task", action="store_true", help="run no task")
    add_json_argument(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Make all checks and print them as they come."""
    screen = Screen()
    rows = []
    for row in _checks(args):
        rows.append(row)
        if not args.json:
            print(_line(row, screen), flush=True)
    has_failed = any(row.state == FAIL for row in rows)
    if args.json:
        items = [row.to_json() for row in rows]
        print_json({"items": items, "total": len(items), "left_out": 0, "ok": not has_failed})
    else:
        print(f"\n{_summary(rows)}")
    return EXIT_FAILED if has_failed else EXIT_OK


def _summary(rows: list[CheckRow]) -> str:
    counts = (
        (sum(row.state == state for row in rows), name)
        for state, name in ((FAIL, "failure"), (WARN, "warning"))
    )
    said = ", ".join(counted(count, name) for count, name in counts if count)
    return said or "all is well"


def _line(row: CheckRow, screen: Screen) -> str:
    state = screen.painted(row.state.ljust(4), COLOURS[row.state])
    remedy = f"\n       -> {for_terminal(row.remedy)}" if row.remedy else ""
    return f"{state}  {for_terminal(f'{row.name}: {row.words}')}{remedy}"


def _checks(args: argparse.Namespace) -> Iterator[CheckRow]:
    """Yield all lines; the first failure on the way to the master is the last line."""
    yield from checks_of_machine()
    try:
        env = make_environment(args)
        address, source = env[ApplicationSettings].running_master(args.master, "--master")
    except ConcurrentError as error:
        yield _failed("address", error)
        return
    yield CheckRow("address", OK, f"{address}, from {source}", "")
    access = env[TransportSettings].access()
    try:
        way = access.way(address, (*SEEING, Role.SLAVE), source)
    except ConcurrentError as error:
        yield _failed("keys", error)
        return
    yield way_check(way)
    try:
        asked_at = time.time()
        status, now = _asked(access.way(address, OBSERVING, source), args.timeout)
    except ConcurrentError as error:
        yield _failed("JSON port", error)
        return
    answered_at = time.time()
    yield CheckRow("JSON port", OK, f"{address} answers in {(answered_at - asked_at) * 500:.0f} ms", "")
    yield clock_check(now, asked_at, answered_at)
    port = compute_port_check(way, status)
    yield port
    yield from checks_of_cluster(status, now, args.master)
    if port.state != FAIL and status.tasks.workers and not args.no_task:
        yield _task(env, str(address), args.timeout)


def _asked(way: Way, timeout_s: float) -> tuple[MasterStatus, NowStatus]:
    def ask(client: Any) -> tuple[MasterStatus, NowStatus]:
        status = client.get("/status", timeout_s=timeout_s).result(timeout_s + 1.0)
        now = client.proxy(timeout_s).now().result(timeout_s + 1.0)
        return MasterStatus.from_json(status), NowStatus.from_json(now)

    return way.ask(ask)


def _task(env: Environment, address: str, timeout_s: float) -> CheckRow:
    """Run a task, and say how long that takes."""
    from concurrent.apps.executor import ClusterExecutor  # nobody else needs it here

    class Probe(ClusterExecutor):
        """Leaves nothing in the lists of nodes."""

        _identity = {"probe": True}  # noqa: RUF012  as its base declares it

    options = {
        one.section + "." + one.option: one.value for one in env.config.explain() if one.origin != "default"
    }
    try:
        with Probe(address, options={"logging.level": "error", **options}) as cluster:
            began = time.monotonic()
            future = cluster.submit(pow, 2, 10)
            try:
                result = future.result(timeout_s)
                first_s = time.monotonic() - began
                cluster.submit(pow, 2, 10).result(timeout_s)
            except (TimeoutError, FutureTimeoutError):
                why = str(future.explain()).replace("\n", "; ")
                future.cancel()
                return CheckRow(
                    "a task", FAIL, f"it has not ended in {timeout_s:g} s: {why}", "See what it waits for"
                )
    except NotAllowed as error:
        return CheckRow("a task", WARN, f"this user may run none: {error.message}", error.remedy or "")
    except ConcurrentError as error:
        return _failed("a task", error)
    second_s = time.monotonic() - began - first_s
    if result != 1024:
        return CheckRow("a task", FAIL, f"2 ** 10 is {result!r} there", "See the machine of the slave")
    words = f"2 ** 10 was computed in {first_s * 1000:.0f} ms, and once more in {second_s * 1000:.1f} ms"
    return CheckRow("a task", OK, words, "")


def _failed(name: str, error: ConcurrentError) -> CheckRow:
    return CheckRow(name, FAIL, error.message.removesuffix("."), error.remedy or "")
