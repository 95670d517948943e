"""Machines that are network namespaces, each with an address and a home of its own. For root on Linux."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.system.cluster import STARTER, Cluster, Program, ip

TIMEOUT_S: Final = 60.0
CLONE_NEWNET: Final = 0x40000000

DUMP: Final = """
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)
wire.bind((sys.argv[1], 0))
with open(sys.argv[2], "wb", buffering=0) as file:
    print("ready", file=sys.stderr, flush=True)
    while True:
        file.write(wire.recv(1 << 17))
"""

RELAY: Final = """
import socket, sys, threading

def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def serve(listener, port):
    while True:
        near, _ = listener.accept()
        far = socket.create_connection((sys.argv[1], port))
        for pair in ((near, far), (far, near)):
            threading.Thread(target=copy, args=pair, daemon=True).start()

for port in map(int, sys.argv[2:]):
    listener = socket.create_server(("", port))
    threading.Thread(target=serve, args=(listener, port), daemon=True).start()
print("ready", file=sys.stderr, flush=True)
threading.Event().wait()
"""

CLOCK: Final = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME)
        now->tv_sec += OFFSET_S;
    return failed;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *out, void *zone)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""


class Machine:
    """One machine; its user types commands there.

    :param space: the name of its network namespace.
    :param address: its own, in the network of all.
    :param wire: the end of its cable that is in the network; all that it sends and gets passes there.
    """

    def __init__(self, cluster: Cluster, folder: Path, space: str, address: str, wire: str) -> None:
        self.address = address
        self.wire = wire
        self.folder = folder
        self.space = space
        self._cluster = cluster
        self._programs: list[Program] = []
        self.variables: dict[str, str | None] = {
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "XDG_CONFIG_HOME": None,
            "XDG_STATE_HOME": None,
        }
        folder.mkdir(mode=0o755)
        (folder / "run").mkdir(mode=0o700)
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o1777)

    @property
    def log(self) -> str:
        """What all programs have said that were started here."""
        return "".join(one.err for one in self._programs)

    def start(self, *arguments: object, starter: tuple[str, ...] = STARTER) -> Program:
        """Start a command that goes on.

        :param starter: what the arguments are for.
        """
        program = self._cluster.run(
            *arguments,
            starter=("nsenter", f"--net=/run/netns/{self.space}", *starter),
            variables=self.variables,
            folder=self.folder,
        )
        self._programs.append(program)
        return program

    def python(self, *arguments: object) -> Program:
        """Start a program in Python."""
        return self.start(*arguments, starter=(sys.executable,))

    def type(self, line: str, *, code: int | None = 0) -> Program:
        """Type a command as it stands in the documentation, and wait for its end.

        :param code: how it has to end; None: anyhow.
        """
        command, *arguments = line.split()
        assert command == "concurrent"
        program = self.start(*arguments)
        ended = program.wait(TIMEOUT_S)
        assert code in (None, ended), f"{line}: exit code {ended}\n{program.out}\n{program.err}"
        return program

    def moves(self, address: str) -> None:
        """Have another address from now on."""
        device = ("dev", "eth")
        assert ip("-n", self.space, "addr", "del", f"{self.address}/24", *device)
        assert ip("-n", self.space, "addr", "add", f"{address}/24", *device)
        self.address = address

    def loses_sight_of(self, other: Machine) -> None:
        """Reach another machine no more, nor be reached from there."""
        assert ip("-n", self.space, "route", "add", "blackhole", f"{other.address}/32")
        assert ip("-n", other.space, "route", "add", "blackhole", f"{self.address}/32")

    def relay(self, target: Machine, *ports: int) -> None:
        """Pass on what comes to some ports to those of another machine, from an address of its own."""
        self.python("-c", RELAY, target.address, *ports).wait_for_line("ready")

    def turn_clock(self, days: int) -> None:
        """Have programs that are started here from now on see another date."""
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler for another clock")
        source, library = self.folder / "clock.c", self.folder / "clock.so"
        source.write_text(CLOCK)
        command = [compiler, "-shared", "-fPIC", f"-DOFFSET_S={days * 86400}", "-o", library, source]
        subprocess.run(command, check=True)
        self.variables["LD_PRELOAD"] = str(library)

    def as_user(self, user: int, do: Callable[[], list[str]]) -> list[str]:
        """Have something done on this machine by another user; return what it returns.

        :param do: runs in a copy of this process, and imports nothing.
        """
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                with open(f"/run/netns/{self.space}") as space:
                    assert ctypes.CDLL(None).setns(space.fileno(), CLONE_NEWNET) == 0
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
                os.write(writing, "\n".join(do()).encode())
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        with open(reading, encoding="utf-8") as answers:
            lines = answers.read().splitlines()
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        return lines


class Machines:
    """A network with machines in it, which are made as they are asked for."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._name = f"cm{uuid.uuid4().hex[:6]}"
        self._open = ExitStack()
        self._count = 0
        self._folder = Path(tempfile.mkdtemp(prefix="cm"))  # sockets need short paths
        self._folder.chmod(0o755)
        self._open.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self.is_there = self._make_space(self._name) and all(
            ip("-n", self._name, "link", *arguments)
            for arguments in (("add", "bridge", "type", "bridge"), ("set", "bridge", "up"))
        )

    def machine(self, name: str) -> Machine:
        """Return a new machine in the network."""
        self._count += 1
        address = f"10.214.0.{self._count}"
        space, wire = f"{self._name}{self._count}", f"wire{self._count}"
        there, inside = ("-n", self._name), ("-n", space)
        assert self._make_space(space)
        for arguments in (
            (*there, "link", "add", wire, "type", "veth", "peer", "name", "eth", "netns", space),
            (*there, "link", "set", wire, "master", "bridge", "up"),
            (*inside, "addr", "add", f"{address}/24", "dev", "eth"),
            (*inside, "link", "set", "eth", "up"),
            (*inside, "link", "set", "lo", "up"),
            (*inside, "route", "add", "default", "dev", "eth"),
        ):
            assert ip(*arguments), arguments
        return Machine(self._cluster, self._folder / name, space, address, wire)

    @contextlib.contextmanager
    def dump(self, machine: Machine) -> Iterator[Path]:
        """Write all that a machine sends and gets to a file."""
        file = self._folder / "dump"
        starter = ("nsenter", f"--net=/run/netns/{self._name}", sys.executable)
        program = self._cluster.run("-c", DUMP, machine.wire, file, starter=starter)
        program.wait_for_line("ready")
        yield file
        program.send(signal.SIGKILL)
        program.wait()

    def close(self) -> None:
        """Remove all of it."""
        self._open.close()

    def _make_space(self, name: str) -> bool:
        self._open.callback(ip, "netns", "del", name)
        return ip("netns", "add", name)
