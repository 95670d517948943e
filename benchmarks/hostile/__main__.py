"""The driver; see the package."""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from benchmarks.hostile.attacks import ATTACKS
from benchmarks.machines import KeyedCluster
from benchmarks.measure import percentile
from benchmarks.processes import rss_mb, wait_until
from benchmarks.systems import Executing
from benchmarks.workloads import rest
from concurrent.apps import ClusterExecutor

__all__ = ["main"]

EXIT_OK: Final = 0
EXIT_WRONG: Final = 1

TASK_S: Final = 0.01
"""Tasks wait for so long and do not compute: the strangers use processors of this machine."""

TASKS_AT_A_TIME: Final = 20
PING_S: Final = 0.1
PING_MAX_S: Final = 0.25
SPEED_MIN: Final = 0.8
ANSWERED: Final = 3
"""So many of the last pings after an attack have to be answered."""

GROWTH_MB_MAX: Final = 32.0
WARM_UP_S: Final = 1.0
SETTLED_S: Final = 15.0
FILES_MORE: Final = 2
"""Two may be open by chance: a connection of the program and one of a ping."""


CHANNELS: Final = ("tcp", "zmq")


class Ports(NamedTuple):
    """Those of a master: the one that speaks ZeroMQ, 0 if none does, and the others."""

    zeromq: int
    others: list[int]


@dataclass
class Round:
    """What was measured for some time: with strangers or without.

    :param tasks_per_s: how many tasks were finished in a second.
    :param pings_s: how long each answer to ``GET /ping`` took; infinite if there was none.
    """

    tasks_per_s: float = 0.0
    pings_s: list[float] = field(default_factory=list)

    @property
    def ping_p99_s(self) -> float:
        """The slowest but one in a hundred."""
        return percentile(self.pings_s, 0.99) if self.pings_s else float("inf")


def main(arguments: Sequence[str] | None = None) -> int:
    """Let strangers at a cluster, one attack after the other; returns 1 if they do harm."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"(all) {', '.join(ATTACKS)}")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each attack (10)")
    parser.add_argument("--channel", default="both", choices=("both", *CHANNELS))
    parser.add_argument("--lenient", action="store_true", help="judge what is left only, not how fast it was")
    args = parser.parse_args(arguments)
    attacks = args.attacks or list(ATTACKS)
    if set(attacks) - set(ATTACKS):
        parser.error(f"there are {', '.join(ATTACKS)}")
    problems: list[str] = []
    for channel in CHANNELS if args.channel == "both" else (args.channel,):
        problems += [
            f"{channel}: {one}" for one in _attacked(channel, attacks, args.seconds, is_lenient=args.lenient)
        ]
    print("\n".join(problems or ["no harm done"]))
    return EXIT_WRONG if problems else EXIT_OK


def _attacked(channel: str, attacks: Sequence[str], seconds: float, *, is_lenient: bool) -> list[str]:
    """Let strangers at a cluster with a channel; return what is wrong, as lines."""
    problems: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="hos") as folder,
        KeyedCluster(Path(folder), {"transport.channel": channel}) as cluster,
        ClusterExecutor(cluster.address, options=cluster.options) as executor,
    ):
        system = Executing("submit", executor)
        ports = _ports(cluster, channel)
        others = ", ".join(map(str, ports.others))
        print(f"{channel}: the master listens on {others}, ZeroMQ on {ports.zeromq or 'none'}", flush=True)
        for attack in attacks:  # what is loaded and kept once is there before it is measured
            with _strangers(attack, ports):
                _measured(system, cluster.port, min(WARM_UP_S, seconds))
        files, memory_mb = _open_files(cluster.master_pid), rss_mb(cluster.master_pid)
        for attack in attacks:
            alone = _measured(system, cluster.port, seconds / 2)
            with _strangers(attack, ports) as made:
                beside = _measured(system, cluster.port, seconds)
            alone_after = _measured(system, cluster.port, seconds / 2)
            speed = beside.tasks_per_s / statistics.mean((alone.tasks_per_s, alone_after.tasks_per_s))
            print(
                f"{attack:9} {made[0]:>7,} connections  tasks {speed:5.0%} of their speed  /ping p99 "
                f"{beside.ping_p99_s * 1000:6.1f} ms beside {alone.ping_p99_s * 1000:5.1f} ms",
                flush=True,
            )
            problems += [] if is_lenient else _too_slow(attack, speed, beside)
            if float("inf") in alone_after.pings_s[-ANSWERED:]:
                problems.append(f"WRONG {attack}: /ping is not answered any more")
        problems += _left_behind(cluster, files, memory_mb)
    return problems


def _too_slow(attack: str, speed: float, beside: Round) -> list[str]:
    problems = []
    if speed < SPEED_MIN:
        problems.append(f"WRONG {attack}: tasks have {speed:.0%} of their speed")
    if beside.ping_p99_s > PING_MAX_S:
        problems.append(f"WRONG {attack}: /ping takes {beside.ping_p99_s:.2f} s")
    return problems


def _left_behind(cluster: KeyedCluster, files: int, memory_mb: float) -> list[str]:
    """Return what the master keeps of strangers that are gone, as lines."""
    problems = []
    try:
        wait_until(lambda: _open_files(cluster.master_pid) <= files + FILES_MORE, "closed", SETTLED_S)
    except TimeoutError:
        problems.append(f"WRONG {_open_files(cluster.master_pid)} files are open where {files} were")
    growth_mb = rss_mb(cluster.master_pid) - memory_mb
    print(f"the master has {growth_mb:+.1f} MB and {_open_files(cluster.master_pid) - files:+d} files")
    if growth_mb > GROWTH_MB_MAX:
        problems.append(f"WRONG the master grew by {growth_mb:.1f} MB")
    if "Traceback" in cluster.master.log():
        problems.append(f"WRONG tracebacks in the log of the master:\n{cluster.master.log()[-3000:]}")
    return problems


def _ports(cluster: KeyedCluster, channel: str) -> Ports:
    """Return all ports on which the master listens; beside that of the pages a channel of ZeroMQ has one."""
    connections = psutil.Process(cluster.master_pid).net_connections("tcp")
    ports = {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN}
    if channel != "zmq":
        return Ports(0, sorted(ports))
    (zeromq,) = ports - {cluster.port}
    return Ports(zeromq, [cluster.port])


def _open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _measured(system: Executing, port: int, seconds: float) -> Round:
    """Have tasks run and pings answered for some time."""
    found = Round()
    end = threading.Event()
    pinging = threading.Thread(target=_ping, args=(port, end, found.pings_s), name="pings")
    pinging.start()
    count, start = 0, time.monotonic()
    while (elapsed := time.monotonic() - start) < seconds:
        system.one_by_one(rest, [TASK_S] * TASKS_AT_A_TIME)
        count += TASKS_AT_A_TIME
    found.tasks_per_s = count / elapsed
    end.set()
    pinging.join()
    return found


def _ping(port: int, end: threading.Event, found: list[float]) -> None:
    while not end.wait(PING_S):
        start = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
        took = float("inf")
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/ping")
            if connection.getresponse().status == http.client.OK:
                took = time.monotonic() - start
        connection.close()
        found.append(took)


@contextmanager
def _strangers(attack: str, ports: Ports) -> Iterator[list[int]]:
    """Have strangers at ports while the block runs; the list has the number of their connections then."""
    made: list[int] = []
    command = [sys.executable, "-m", "benchmarks.hostile.crowd", attack]
    command += map(str, (ports.zeromq, *ports.others))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        yield made
        process.stdin.close()
        made.append(int(process.stdout.read()))


if __name__ == "__main__":
    sys.exit(main())
