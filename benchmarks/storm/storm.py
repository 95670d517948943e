"""A cluster, its jobs, and what befalls them."""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from benchmarks.processes import free_port
from benchmarks.storm.diary import Diary
from benchmarks.storm.jobs import Job, Verdict
from benchmarks.storm.supervisor import Supervised, marked

__all__ = ["RESULT_S", "WORKERS", "Ended", "Storm"]

POLL_S: Final = 0.02
CALM_S: Final = 120.0
"""How long the work that is left may take when nothing is killed any more."""

RESULT_S: Final = 60.0
"""How long a round waits for a result of the master's newest start. If none comes, work stands still."""

QUICK: Final = ("transport.heartbeat_s=0.5", "transport.silence_s=4", "transport.resume_s=2")
VICTIMS: Final = ("slave", "worker", "host", "program", "slave", "worker", "host", "program", "master")
PAUSE_S: Final = 0.5
"""At most so long after one kill comes the next of the same round."""

HOSTS_MAX: Final = 2
"""A system that loses three hosts and gets no further is given up, so no round kills as many."""

SLAVES: Final = 2
WORKERS: Final = 2


class Ended(NamedTuple):
    """A job that has ended, or should have, and the log of its program."""

    job: Job
    verdict: Verdict
    log: Path


class Storm:
    """See the module.

    :param folder: where everything is kept.
    :param tasks: how many tasks each job has.
    :param seed: what the choice of victims and instants depends on.
    """

    def __init__(
        self, folder: Path, *, channel: str, scheduler: str, kinds: Sequence[str], tasks: int, seed: int
    ) -> None:
        self.kills: Counter[str] = Counter()
        self.ended: list[Ended] = []
        self.stalls = 0
        self.listening_s: list[float] = []
        self.first_result_s: list[float] = []
        self.mark = uuid.uuid4().hex
        self.journal = folder / "journal"
        self._folder = folder
        self._kinds = kinds
        self._tasks = tasks
        self._random = random.Random(seed)
        self._address = "127.0.0.1", free_port()
        self._jobs: dict[str, tuple[Job, Supervised]] = {}
        self._numbers: Counter[str] = Counter()
        self._listens = True
        self._awaits_result = True
        self._came_before: int | None = None
        self._diary = Diary(folder / "storm.diary")
        options = [f"journal.folder={self.journal}", f"transport.channel={channel}"]
        options.append(f"scheduling.scheduler={scheduler}")
        self._master = self._node("master", "master", "-p", str(self._address[1]), *_set(options))
        self._slaves = [
            self._node(f"slave{number}", "slave", "-m", self._shown_address, "-w", str(WORKERS))
            for number in range(SLAVES)
        ]

    @property
    def _shown_address(self) -> str:
        return f"{self._address[0]}:{self._address[1]}"

    def run(self, kills: int) -> None:
        """Kill so many processes, then let the work end, and stop everything."""
        try:
            self._await_result()
            while self.kills.total() < kills:
                self._round()
            self._diary.note("nothing is killed any more")
            self._calm_down()
        finally:
            for _, program in self._jobs.values():
                program.stop()
            for node in (*self._slaves, self._master):
                node.stop()
            self._diary.close()

    def orphans(self) -> list[psutil.Process]:
        """Return processes that have outlived all that was stopped."""
        alive: list[psutil.Process] = psutil.wait_procs(marked(self.mark), 5.0)[1]
        return alive

    def _round(self) -> None:
        """Kill the master and some others at random instants of a second or two, and have all come back."""
        victims = ["master", *self._random.choices(VICTIMS, k=self._random.randint(2, 6))]
        for _ in range(victims.count("host") - HOSTS_MAX):
            victims.remove("host")
        self._random.shuffle(victims)
        for victim in victims:
            self._go_on(self._random.uniform(0.0, PAUSE_S))
            self._kill(victim)
        self._await_result()
        self._go_on(self._random.uniform(0.0, 0.5))

    def _kill(self, victim: str) -> None:
        pid = self._pid_of(victim)
        if not pid:
            return
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        if victim == "master":
            self._awaits_result, self._came_before = True, None
        self._diary.note(f"killed {victim} {pid}")
        self.kills[victim] += 1

    def _pid_of(self, victim: str) -> int:
        """Return the process that is killed; 0 if there is none of that kind now."""
        if victim == "master":
            return self._master.pid
        if victim == "slave":
            return self._random.choice(self._slaves).pid
        if victim == "program":
            return self._random.choice(list(self._jobs.values()))[1].pid if self._jobs else 0
        parent = self._master if victim == "host" else self._random.choice(self._slaves)
        below = parent.descendants()
        return self._random.choice(below).pid if below else 0

    def _go_on(self, duration_s: float) -> None:
        """Supervise for a while."""
        end = time.monotonic() + duration_s
        while True:
            self._look()
            if time.monotonic() >= end:
                return
            time.sleep(POLL_S)

    def _await_result(self) -> None:
        """Supervise until results come again: what is killed all the time would show nothing."""
        end = time.monotonic() + RESULT_S
        while self._awaits_result and time.monotonic() < end:
            self._look()
            time.sleep(POLL_S)
        if self._awaits_result:
            self.stalls += 1
            self._diary.note(f"no result has come for {RESULT_S:.0f} s")

    def _look(self, *, is_calm: bool = False) -> None:
        """Start again what has ended, judge jobs that are done, begin others, and see when results come."""
        for node in (self._master, *self._slaves):
            if node.look():
                self._diary.note(f"started {node.name} {node.pid}")
                if node is self._master:
                    self._came_before, self._listens = self._came(), False
        for kind in self._kinds:
            if kind not in self._jobs and not is_calm:
                self._begin(kind)
            if kind in self._jobs:
                self._look_at(kind)
        self._look_at_master()

    def _look_at_master(self) -> None:
        """See whether the newest master listens, and whether a result has come since it started."""
        took_s = time.monotonic() - self._master.started_at
        is_restart = self._master.starts > 1  # the first start finds nothing compiled, and nobody waits for it
        if not self._listens and self._master.pid and _listens(self._address):
            self._listens = True
            if is_restart:
                self.listening_s.append(took_s)
            self._diary.note(f"the master listens, after {took_s:.2f} s")
        if self._came_before is not None and self._came() != self._came_before:
            self._awaits_result, self._came_before = False, None
            if is_restart:
                self.first_result_s.append(took_s)
            self._diary.note(f"the first result comes, after {took_s:.2f} s")

    def _look_at(self, kind: str) -> None:
        program = self._jobs[kind][1]
        if program.look():
            self._diary.note(f"started {program.name} {program.pid}")
        if program.is_done:
            self._diary.note(f"{program.name} has ended")
            self._end(kind)

    def _begin(self, kind: str) -> None:
        name = f"{kind}-{self._numbers[kind]}"
        self._numbers[kind] += 1
        folder = self._folder / name
        folder.mkdir()
        job = Job(kind, name, self._tasks, folder)
        self._jobs[kind] = job, self._supervised(name, job.command(self._shown_address), is_server=False)

    def _end(self, kind: str, problem: str = "") -> None:
        job, program = self._jobs.pop(kind)
        verdict = job.verdict()
        if problem:
            verdict.problems.append(problem)
        self.ended.append(Ended(job, verdict, program.log))
        if self._came_before is not None:
            self._came_before -= job.came()

    def _came(self) -> int:
        """Return how much has come of all jobs that are under way."""
        return sum(job.came() for job, _ in self._jobs.values())

    def _calm_down(self) -> None:
        """Let the jobs that are under way end."""
        end = time.monotonic() + CALM_S
        while self._jobs and time.monotonic() < end:
            self._look(is_calm=True)
            time.sleep(POLL_S)
        for kind, (_, program) in list(self._jobs.items()):
            program.stop()
            self._end(kind, f"it has not ended {CALM_S:.0f} s after the last kill")

    def _node(self, name: str, *arguments: str) -> Supervised:
        command = [sys.executable, "-m", "concurrent.apps.main", *arguments, *_set(QUICK)]
        return self._supervised(name, command, is_server=True)

    def _supervised(self, name: str, command: list[str], *, is_server: bool) -> Supervised:
        return Supervised(name, command, self._folder, self.mark, is_server=is_server)


def _set(options: Sequence[str]) -> list[str]:
    return [part for one in options for part in ("-o", one)]


def _listens(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, 1.0):
            return True
    except OSError:
        return False
