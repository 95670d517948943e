"""What is looked at when a cluster does not work as it should: this machine, the way to the master, the rest.

Each check makes a line that is ok, a warning or a failure, with what to do about it. Those of the cluster need
an answer of its master; where there is none, the line that says so is the last one. Main thread; each waits for
a bounded time.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from concurrent.apps.access import Way
from concurrent.apps.observed import NowStatus
from concurrent.apps.status import MasterStatus, NodeRow
from concurrent.apps.version import VERSION, package_versions
from concurrent.core.items import Host
from concurrent.core.process.machine import Machine
from concurrent.core.status import Status
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.security.ownaddress import is_listened_on

if sys.platform != "win32":
    import resource

__all__ = [
    "FAIL",
    "OK",
    "WARN",
    "CheckRow",
    "checks_of_cluster",
    "checks_of_machine",
    "clock_check",
    "compute_port_check",
    "way_check",
]

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"
"""What ``state`` of a line may be."""

OPTIONAL: Final = frozenset({"Cython"})
"""What is needed to build only."""

FILES_MIN: Final = 1024
SHARED_MEMORY: Final = "/dev/shm"
SHARED_MIN_BYTES: Final = 64 << 20
MEMORY_MIN_BYTES: Final = 512 << 20
CLOCK_S: Final = 2.0
MIB: Final = 1 << 20


@dataclass(frozen=True)
class CheckRow(Status):
    """One line: what was looked at, ``ok``, ``warn`` or ``fail``, what was found, and what to do about it."""

    name: str
    state: str
    words: str
    remedy: str


def checks_of_machine() -> Iterator[CheckRow]:
    """Yield what this machine has."""
    yield _ok("Python", f"{platform.python_version()} on {platform.platform()}, {sys.executable}")
    versions = package_versions()
    missing = [name for name, version in versions.items() if not version and name not in OPTIONAL]
    words = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        remedy = f"Install what is missing: pip install {' '.join(missing)}"
        yield CheckRow("packages", FAIL, f"{', '.join(missing)} missing; {words}", remedy)
    else:
        yield _ok("packages", f"Concurrent {VERSION}, {words}")
    if sys.platform != "win32":
        yield _files(resource.getrlimit(resource.RLIMIT_NOFILE))
    yield _shared_memory()
    yield _limits(Machine())


def _files(limits: tuple[int, int]) -> CheckRow:
    """Return how many files may be open; nodes raise the soft limit themselves."""
    hard = limits[1]
    if sys.platform != "win32" and hard != resource.RLIM_INFINITY and hard < FILES_MIN:
        remedy = f"Raise it (ulimit -Hn, LimitNOFILE of a service) to {FILES_MIN} or more"
        return CheckRow("open files", WARN, f"a process may have {hard}", remedy)
    return _ok("open files", f"{limits[0]}, and nodes may raise that to {hard if hard >= 0 else 'any number'}")


def _shared_memory() -> CheckRow:
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError as error:
        return CheckRow(
            "shared memory", WARN, f"there is no {SHARED_MEMORY}: {error.strerror or error}",
            "Large data of tasks is copied once more; mount a tmpfs there",
        )  # fmt: skip
    words = f"{free // MIB:,} MiB free in {SHARED_MEMORY}"
    if free < SHARED_MIN_BYTES:
        remedy = "Make it larger: docker run --shm-size=1g, or mount -o remount,size=1g /dev/shm"
        return CheckRow("shared memory", WARN, words, remedy)
    return _ok("shared memory", words)


def _limits(machine: Machine) -> CheckRow:
    """Return what this process may use of its machine, in whatever box it runs."""
    free = machine.free_bytes()
    box = "in a container, " if os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv") else ""
    cpus = f"{machine.cpus()} of {os.cpu_count()} processors"
    words = f"{box}{cpus}, {free // MIB:,} of {machine.memory_bytes() // MIB:,} MiB of memory free"
    if 0 < free < MEMORY_MIN_BYTES:
        return CheckRow(
            "limits", WARN, words, "End what takes the memory, or raise the limit of the control group"
        )
    return _ok("limits", words)


def way_check(way: Way) -> CheckRow:
    """Return as whom this user comes to the master."""
    protection = way.protection
    if protection.is_open:
        return CheckRow(
            "keys", WARN, "transport.allow_insecure: nothing protects this cluster",
            "Use keys: whoever reaches its ports can run code on all nodes",
        )  # fmt: skip
    if protection.place is not None and protection.place.has("http"):
        return _ok("keys", f"as the user of this machine, by the sockets in {protection.place.folder}")
    if protection.tls is not None:
        return _ok("keys", f"as {protection.tls.identity} of cluster {protection.tls.cluster}")
    return CheckRow(
        "keys", FAIL, "there is no key, and no master of this user on this machine", "Start one, or join"
    )


def clock_check(now: NowStatus, asked_at: float, answered_at: float) -> CheckRow:
    """Return how much the clock of the master differs from that of this machine.

    :param asked_at: when it was asked, in seconds since the epoch as this machine has them.
    """
    middle, spread = (asked_at + answered_at) / 2, (answered_at - asked_at) / 2
    difference = now.at - middle
    words = f"that of the master is {abs(difference):.1f} s {'ahead' if difference > 0 else 'behind'}"
    if abs(difference) > CLOCK_S + spread:
        return CheckRow(
            "clock", WARN, words, "Run a time service on both machines; times that are shown differ"
        )
    return _ok("clock", words)


def compute_port_check(way: Way, status: MasterStatus) -> CheckRow:
    """Return whether the port is reached by which tasks travel."""
    name, place = "compute port", way.protection.place
    if place is not None and place.has("compute"):
        return _ok(name, "by a socket of this machine")
    address = Host(way.address.name, status.compute_port)
    if is_listened_on(address):
        return _ok(name, f"{address} is reached")
    far = "Fix it with -o master.compute_port=N and open it in the firewall"
    remedy = "Restart the master" if is_loopback(way.address.name) else far
    return CheckRow(name, FAIL, f"{address} is not reached", remedy)


def checks_of_cluster(status: MasterStatus, now: NowStatus, master: str | None = None) -> Iterator[CheckRow]:
    """Yield what the master says of itself, its slaves and its work.

    :param master: where it is, as it was typed; None if it was not.
    """
    if status.version == VERSION:
        yield _ok("master", f"{status.node_id}, Concurrent {status.version}")
    else:
        yield CheckRow(
            "master", WARN, f"{status.node_id} has Concurrent {status.version}, and this machine {VERSION}",
            "Install the same version on all machines",
        )  # fmt: skip
    slaves = [one for one in status.nodes if one.type == "slave" and one.state == "joined"]
    yield from _slaves(slaves, status)
    yield (
        _ok("work", now.words)
        if now.moves or not now.counts.open
        else CheckRow("work", WARN, now.words, "'concurrent explain JOB' says why its tasks wait")
    )
    for one in now.troubles.items:
        yield CheckRow("work", WARN, one.said, f"{one.remedy}: {one.typed(master)}")
    if now.troubles.left_out:
        words = f"{now.troubles.left_out:,} more things are wrong"
        yield CheckRow("work", WARN, words, "see to these first, then look again")


def _slaves(slaves: list[NodeRow], status: MasterStatus) -> Iterator[CheckRow]:
    if not status.tasks.workers:
        yield CheckRow(
            "slaves", FAIL, "none has joined, so nothing runs",
            "Start one: concurrent slave --master HOST:PORT; or concurrent master --workers N",
        )  # fmt: skip
        return
    yield _ok("slaves", f"{status.tasks.slave_count} with {status.tasks.workers} workers")
    by_version: dict[str, list[str]] = {}
    for one in slaves:
        by_version.setdefault(f"Concurrent {_said(one, 'version')}, Python {_said(one, 'python')}", []).append(
            one.node_id
        )
    for version, names in by_version.items():
        is_usual = version == max(by_version, key=lambda one: len(by_version[one]))
        words = f"{version}: {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
        remedy = "" if is_usual else "Install the same version on all machines"
        yield CheckRow("versions", OK if is_usual else WARN, words, remedy)


def _said(node: NodeRow, key: str) -> str:
    value: Any = node.data.get(key)
    return value if isinstance(value, str) else "?"


def _ok(name: str, words: str) -> CheckRow:
    return CheckRow(name, OK, words, "")
