"""What tests of jobs share: a cluster whose master has a journal, and an application that notes all it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.system.cluster import APPS, Cluster, Program, kill, wait_until

APP = APPS / "longjob.py"

PATIENT = "transport.return_s=60"
"""As by default: however late a slave or a program comes back on a busy machine, nothing is begun again."""


class JobCluster:
    """A master with a journal in the folder of a test, and two slaves.

    :param options: of the master, beside the place of its journal.
    """

    def __init__(self, cluster: Cluster, *options: str) -> None:
        self.cluster = cluster
        self.folder = cluster.folder
        self._options = (f"journal.folder={cluster.folder}/journal", PATIENT, *options)
        self.master = cluster.master(options=self._options)
        self.slaves = cluster.slaves(2)

    def restart_master(self) -> None:
        """Kill it as nothing can prevent, and start the next one on its journal."""
        if self.master.popen.poll() is None:
            self.kill_master()
        self.master = self.cluster.master(options=self._options)

    def kill_master(self) -> None:
        kill(self.master.pid)
        self.master.popen.wait()

    def app(self, *arguments: object, options: tuple[str, ...] = (), name: object = APP) -> Program:
        """Start the application."""
        return self.cluster.app(name, *arguments, options=(f"longjob.notes={self.folder}", *options))

    def detach(self, name: str, *options: str) -> str:
        """Start it detached, wait until it has left, and return the id of the job."""
        program = self.app("--detach", "--job", name, options=options)
        line = program.succeed()
        job, printed_name = line.split()
        assert printed_name == name
        assert line == f"{job} {name}\n"
        return job

    def attach(self, job: str, *arguments: object) -> Program:
        return self.command("attach", job, *arguments)

    def command(self, *arguments: object) -> Program:
        """Start another command on jobs."""
        return self.cluster.run(*arguments, "-m", self.cluster.address)

    def job(self, job: str) -> dict[str, Any]:
        """Return what the master says of a job."""
        answer: dict[str, Any] = json.loads(self.command("jobs", job, "--json").succeed())
        return answer

    def wait_for(self, job: str, **values: Any) -> dict[str, Any]:
        """Wait until the master says this of a job."""

        def is_so() -> bool:
            answer.update(self.job(job))
            return all(answer[key] == value for key, value in values.items())

        answer: dict[str, Any] = {}
        wait_until(is_so, f"{job} with {values}", lambda: f"{answer}")
        return answer

    @property
    def outcomes(self) -> list[str]:
        """What callbacks noted, sorted: number, result, and whether the task is one of the program's class."""
        return sorted(self._lines("outcomes"), key=lambda line: int(line.split()[0]))

    @property
    def runs(self) -> list[int]:
        """The numbers of the tasks that ran, sorted."""
        return sorted(map(int, self._lines("runs")))

    @property
    def ends(self) -> list[str]:
        return self._lines("ends")

    def _lines(self, name: str) -> list[str]:
        file = Path(self.folder, name)
        return file.read_text().splitlines() if file.exists() else []


def right(count: int, first: int = 0) -> list[str]:
    """Return what callbacks note if each is called once."""
    return [f"{number} {number} True" for number in range(first, first + count)]
