"""The driver of the storm; see the package."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil

from benchmarks.storm.jobs import KINDS, Job, Verdict
from benchmarks.storm.supervisor import Supervised, marked

__all__ = ["Storm", "main"]

EXIT_OK: Final = 0
EXIT_WRONG: Final = 1

POLL_S: Final = 0.02
CALM_S: Final = 120.0
"""How long the work that is left may take when nothing is killed any more."""

RESULT_S: Final = 30.0
"""How long a round waits for a result of the master's newest start."""

QUICK: Final = ("transport.heartbeat_s=0.5", "transport.silence_s=4", "transport.resume_s=2")
VICTIMS: Final = ("slave", "worker", "host", "program")
SLAVES: Final = 2


class Storm:
    """One cluster, its jobs, and what befalls them.

    :param folder: where everything is kept.
    :param seed: what the choice of victims and instants depends on.
    """

    def __init__(
        self, folder: Path, *, channel: str, scheduler: str, kinds: Sequence[str], tasks: int, seed: int
    ) -> None:
        self.kills: Counter[str] = Counter()
        self.verdicts: list[tuple[Job, Verdict]] = []
        self.first_result_s: list[float] = []
        self.mark = uuid.uuid4().hex
        self._folder = folder
        self._kinds = kinds
        self._tasks = tasks
        self._random = random.Random(seed)
        self._address = f"127.0.0.1:{_free_port()}"
        self._jobs: dict[str, tuple[Job, Supervised]] = {}
        self._numbers: Counter[str] = Counter()
        self._outcomes_before: int | None = None
        port = self._address.rpartition(":")[2]
        options = [f"journal.folder={folder / 'journal'}", f"transport.channel={channel}"]
        master = self._node(
            "master", "master", "-p", port, "-o", f"scheduling.scheduler={scheduler}", *_set(options)
        )
        slaves = [
            self._node(f"slave{number}", "slave", "-m", self._address, "-w", "2") for number in range(SLAVES)
        ]
        self._master, self._slaves = master, slaves

    def run(self, kills: int) -> None:
        """Kill so many processes, then let the work end, and stop everything."""
        try:
            while self.kills.total() < kills:
                self._round()
            self._calm_down()
        finally:
            for _, program in self._jobs.values():
                program.stop()
            for node in (*self._slaves, self._master):
                node.stop()

    def orphans(self) -> list[psutil.Process]:
        """Return processes that have outlived all that was stopped."""
        _, alive = psutil.wait_procs(marked(self.mark), 5.0)
        return alive

    def _round(self) -> None:
        """Kill the master and some others at random instants of a second or two, and have all come back."""
        victims = ["master", *self._random.choices(VICTIMS, k=self._random.randint(1, 4))]
        self._random.shuffle(victims)
        for victim in victims:
            self._go_on(self._random.uniform(0.0, 0.8))
            self._kill(victim)
        self._await_result()
        self._go_on(self._random.uniform(0.0, 0.5))

    def _kill(self, victim: str) -> None:
        pid = self._pid_of(victim)
        if not pid:
            return
        if victim == "master":
            self._outcomes_before = None
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
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
        seen, end = len(self.first_result_s), time.monotonic() + RESULT_S
        while len(self.first_result_s) == seen and time.monotonic() < end:
            self._look()
            time.sleep(POLL_S)

    def _look(self, *, is_calm: bool = False) -> None:
        """Start again what has ended, judge jobs that are done, begin others, and see when results come."""
        before = self._master.starts
        for node in (self._master, *self._slaves):
            node.look()
        if self._master.starts != before:
            self._outcomes_before = self._outcome_count()
        for kind in self._kinds:
            if kind not in self._jobs and not is_calm:
                self._begin(kind)
            if kind in self._jobs:
                self._look_at(kind)
        if self._outcomes_before is not None and self._outcome_count() != self._outcomes_before:
            self.first_result_s.append(time.monotonic() - self._master.started_at)
            self._outcomes_before = None

    def _look_at(self, kind: str) -> None:
        job, program = self._jobs[kind]
        program.look()
        if program.is_done:
            self.verdicts.append((job, job.verdict()))
            del self._jobs[kind]
            if self._outcomes_before is not None:
                self._outcomes_before -= job.outcome_count()

    def _begin(self, kind: str) -> None:
        name = f"{kind}-{self._numbers[kind]}"
        self._numbers[kind] += 1
        folder = self._folder / name
        folder.mkdir()
        job = Job(kind, name, self._tasks, folder)
        self._jobs[kind] = job, self._supervised(name, job.command(self._address), is_server=False)

    def _outcome_count(self) -> int:
        return sum(job.outcome_count() for job, _ in self._jobs.values())

    def _calm_down(self) -> None:
        """Let the jobs that are under way end."""
        end = time.monotonic() + CALM_S
        while self._jobs and time.monotonic() < end:
            self._look(is_calm=True)
            time.sleep(POLL_S)
        for job, program in self._jobs.values():
            verdict = job.verdict()
            verdict.problems.append(f"it has not ended {CALM_S:.0f} s after the last kill; see {program.log}")
            self.verdicts.append((job, verdict))

    def _node(self, name: str, *arguments: str) -> Supervised:
        command = [sys.executable, "-m", "concurrent.apps.main", *arguments, *_set(QUICK)]
        return self._supervised(name, command, is_server=True)

    def _supervised(self, name: str, command: list[str], *, is_server: bool) -> Supervised:
        return Supervised(name, command, self._folder, self.mark, is_server=is_server)


def main(arguments: Sequence[str] | None = None) -> int:
    """Let a storm loose and report; returns 1 if something was lost, doubled, wrong or left behind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storm", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="(100)")
    parser.add_argument("--tasks", type=int, default=200, help="tasks of each job (200)")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS, help="of jobs (all)")
    parser.add_argument("--channel", default="tcp", choices=("tcp", "zmq"))
    parser.add_argument("--scheduler", default="GenericTaskScheduler")
    parser.add_argument("--seed", type=int, default=0, help="(by the clock)")
    parser.add_argument("--keep", action="store_true", help="keep the folder with all logs")
    args = parser.parse_args(arguments)
    seed = args.seed or time.time_ns() % 1_000_000
    folder = Path(tempfile.mkdtemp(prefix="storm-"))
    print(f"seed {seed}, folder {folder}", flush=True)
    start = time.monotonic()
    storm = Storm(
        folder,
        channel=args.channel,
        scheduler=args.scheduler,
        kinds=args.kinds,
        tasks=args.tasks,
        seed=seed,
    )
    storm.run(args.kills)
    orphans = storm.orphans()
    is_right = _report(storm, orphans, time.monotonic() - start)
    if is_right and not args.keep:
        shutil.rmtree(folder)
    return EXIT_OK if is_right else EXIT_WRONG


def _report(storm: Storm, orphans: list[psutil.Process], took_s: float) -> bool:
    verdicts = [verdict for _, verdict in storm.verdicts]
    killed = ", ".join(f"{count} {victim}" for victim, count in sorted(storm.kills.items()))
    print(f"{storm.kills.total()} kills in {took_s:.0f} s: {killed}")
    print(
        f"{len(verdicts)} jobs with {sum(one.tasks for one in verdicts)} tasks; "
        f"{sum(one.repeated_runs for one in verdicts)} ran again, "
        f"{sum(one.redelivered for one in verdicts)} outcomes came again to a later process"
    )
    if storm.first_result_s:
        times = sorted(storm.first_result_s)
        print(
            f"start of the master to the first result: median {statistics.median(times):.2f} s, "
            f"most {times[-1]:.2f} s, of {len(times)}"
        )
    for job, verdict in storm.verdicts:
        for problem in verdict.problems:
            print(f"WRONG {job.name}: {problem}")
    for process in orphans:
        print(f"LEFT BEHIND {process.pid} {' '.join(process.cmdline())}")
        process.kill()
    is_right = not orphans and not any(one.problems for one in verdicts)
    print("nothing lost, nothing twice, nothing left" if is_right else "see above")
    return is_right


def _set(options: Sequence[str]) -> list[str]:
    return [part for one in options for part in ("-o", one)]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
