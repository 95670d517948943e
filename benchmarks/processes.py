"""What processes use, and their sure end."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from concurrent.transport import JSONClient
from concurrent.transport.security.place import place_of
from concurrent.transport.security.protection import Protection

__all__ = [
    "RSSSampler",
    "below",
    "cpu_s",
    "end_tree",
    "fetch",
    "free_port",
    "memory_mb",
    "own_folders",
    "rss_mb",
    "wait_until",
]

MB = 1_000_000
FETCH_TIMEOUT_S = 10.0
END_TIMEOUT_S = 5.0
POLL_S = 0.02
FOLDERS = {"XDG_CONFIG_HOME": "c", "XDG_RUNTIME_DIR": "r", "XDG_STATE_HOME": "s"}
GIVEN_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
CPU_CLOCK = 2
"""The lowest bits of the number of a clock of Linux that counts the processor time of a process."""


def own_folders(folder: Path) -> dict[str, str]:
    """Make folders for keys, sockets and journals; return the environment variables by which nodes find them.

    :param folder: where they are made; a short path, for the names of sockets.
    """
    for name in FOLDERS.values():
        (folder / name).mkdir(0o700, parents=True, exist_ok=True)
    return {name: str(folder / part) for name, part in FOLDERS.items()}


def below(pid: int | None = None) -> list[psutil.Process]:
    """Return all processes below one, by default below this one."""
    children: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    return children


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """Return how much processor time these have used so far, in seconds."""
    if sys.platform != "linux":
        times = [process.cpu_times() for process in processes]
        return float(sum(each.user + each.system for each in times))
    # Its clocks count nanoseconds, which the files of psutil round to 10 ms.
    return sum(time.clock_gettime(~process.pid << 3 | CPU_CLOCK) for process in processes)


def memory_mb(processes: Iterable[psutil.Process]) -> float:
    """Return the memory of these together in MB, what they share counted once (PSS; elsewhere USS)."""
    infos = [process.memory_full_info() for process in processes]
    return float(sum(getattr(info, "pss", info.uss) for info in infos)) / MB


def rss_mb(pid: int | None = None) -> float:
    """Return the resident memory of one process, by default of this one, in MB."""
    return float(psutil.Process(pid).memory_info().rss) / MB


class RSSSampler:
    """Looks at the resident memory of a process again and again, on a thread, for a ``with`` block.

    :param pid: by default this process.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="RSS sampler")
        self.start_mb = rss_mb(pid)
        self.peak_mb = self.start_mb

    def __enter__(self) -> RSSSampler:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(END_TIMEOUT_S)

    @property
    def growth_mb(self) -> float:
        """How much more the process had at its peak than at the start."""
        return self.peak_mb - self.start_mb

    def _sample(self) -> None:
        while not self._end.wait(POLL_S):
            self.peak_mb = max(self.peak_mb, rss_mb(self._pid))


def fetch(address: str, page: str) -> dict[str, Any]:
    """Return a JSON page of a node of this user, by the way that its other processes go.

    :param address: ``HOST:PORT``.
    :raises ConcurrentError: if it is not there.
    """
    host, _, port = address.rpartition(":")
    protection = Protection(place=place_of(int(port)))
    client = JSONClient(host, int(port), timeout_s=FETCH_TIMEOUT_S, protection=protection)
    try:
        values: dict[str, Any] = client.get(f"/{page}").result()
    finally:
        client.close()
    return values


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Look again and again: other processes do not say when it is so.

    :raises TimeoutError: if it is not so in time.
    """
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout_s} s still not: {what}")
        time.sleep(POLL_S)


def end_tree(process: subprocess.Popen[Any]) -> None:
    """End a process and all below it at once, in whatever state they are; may be repeated."""
    try:
        family = [*below(process.pid), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        family = []
    for each in family:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    try:
        process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        print(f"process {process.pid} does not end", file=sys.stderr)
    psutil.wait_procs(family, END_TIMEOUT_S)


def free_port() -> int:
    """Return a port on which nothing listens, and which the system gives to nobody who asks for any port.

    So a node that is started again later finds it free, whatever was started meanwhile.
    """
    first, last = map(int, GIVEN_PORTS.read_text().split())
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(10_000, 1 << 16)
        if not first <= port <= last and _is_free(port):
            return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
