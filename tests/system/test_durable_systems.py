"""A task system goes on where it was, though its host or its master is killed at any time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.cluster import APPS, Cluster, kill, wait_until

WALK = APPS / "walk.py"
COUNT = 600
COUNT_BY_KIND = {"Large": 150}
"""Of those that take their time for each step."""

PATIENT = "transport.return_s=60"
"""As by default: whatever the machine does meanwhile, nodes come back in time, and nothing begins anew."""

WIDTH = 4
"""So many steps of the walk are open at a time."""

pytestmark = pytest.mark.system


class Walk:
    """A cluster whose master keeps a journal, and an application with a system on it."""

    def __init__(
        self, cluster: Cluster, kind: str, folder: Path, patch: pytest.MonkeyPatch, *arguments: str
    ) -> None:
        self.cluster = cluster
        self.runs_file = folder / "runs.txt"
        self.runs_file.touch()
        patch.setenv("WALK_KIND", kind)
        self.count = COUNT_BY_KIND.get(kind, COUNT)
        patch.setenv("WALK_COUNT", str(self.count))
        patch.setenv("WALK_FOLDER", str(folder))
        self.start_master()
        slaves = [cluster.slave(options=(PATIENT,)) for _ in range(2)]
        for slave in slaves:
            slave.wait_for_line("joined the master")
        self.app = cluster.app(WALK, *arguments, options=(PATIENT,))

    @property
    def runs(self) -> list[str]:
        return self.runs_file.read_text().split()

    @property
    def has_ended(self) -> bool:
        """Whether the application has ended."""
        return self.app.popen.poll() is not None

    def start_master(self) -> None:
        """Start the master, or start it again."""
        folder = self.cluster.folder / "journal"
        options = f"journal.folder={folder}", "journal.durability=process", PATIENT
        self.master = self.cluster.master(options=options)

    def check(self, in_vain_max: int = 0) -> None:
        """Wait for the application; what its system was told of ran, and hardly more."""
        ended = self.app.succeed().split()
        assert len(ended) == len(set(ended)) == self.count
        runs = self.runs
        what = f"{len(runs)} runs of {len(set(runs))} steps\n{self.app.err}\n{self.master.err}"
        assert set(ended) <= set(runs), what
        assert len(runs) <= self.count + in_vain_max, what

    def host(self) -> int:
        """Return the process of the system, once that is at work; 0 if the system has ended."""
        pids: list[int] = []

        def is_there() -> bool:
            pids[:] = [one["pid"] for one in self.cluster.status()["systems"] if one["pid"]]
            return bool(pids) or self.has_ended

        wait_until(is_there, "a host", lambda: self.master.err)
        return pids[0] if pids else 0

    def wait_runs(self, count: int) -> None:
        """Wait until so many steps have run, or the application has ended."""
        wait_until(
            lambda: len(self.runs) >= count or self.has_ended,
            f"{count} steps",
            lambda: f"{len(self.runs)}\n{self.master.err}\n{self.app.err}",
        )


@pytest.fixture
def walk(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Walk]:
    return lambda kind, *arguments: Walk(cluster, kind, tmp_path, monkeypatch, *arguments)


def kill_hosts(walk: Walk, times: int, seed: int) -> int:
    """Kill the host of the system now and then; return how often."""
    chance = random.Random(seed)
    killed = 0
    for _ in range(times):
        pid = walk.host()
        steps = chance.randrange(8, max(16, walk.count // times))
        walk.wait_runs(min(walk.count, len(walk.runs) + steps))
        if (
            walk.has_ended or len(walk.runs) >= walk.count
        ):  # what is left to do is too little to get further with
            break
        kill(pid)
        killed += 1
        wait_until(lambda pid=pid: walk.host() != pid, "another host", lambda: walk.master.err)
    return killed


@pytest.mark.parametrize(
    ("kind", "times", "times_if_long"), [("Walk", 15, 50), ("Large", 5, 10), ("Unpicklable", 3, 3)]
)
def test_a_system_whose_host_is_killed_has_no_task_run_twice(
    walk: Callable[..., Walk], kind: str, times: int, times_if_long: int, *, is_long: bool
) -> None:
    here = walk(kind)
    times = times_if_long if is_long else times
    assert kill_hosts(here, times, seed=7) >= times // 2
    here.check()


def test_a_system_that_does_not_the_same_twice_loses_little(walk: Callable[..., Walk]) -> None:
    here = walk("Unlike")
    killed = kill_hosts(here, 5, seed=3)
    here.check(killed * COUNT // 2)


@pytest.mark.parametrize("kind", ["Walk", "Unpicklable"])
def test_a_system_goes_on_though_its_master_is_killed(walk: Callable[..., Walk], kind: str) -> None:
    here = walk(kind)
    for count in (50, 200, 350):
        here.wait_runs(count)
        kill(here.master.pid)
        here.start_master()
    here.check(3 * WIDTH)  # what slaves had got that was not accepted yet


def test_a_system_that_fails_after_all_that_says_so(walk: Callable[..., Walk]) -> None:
    here = walk("Raising")
    assert kill_hosts(here, 2, seed=5) == 2
    assert here.app.wait() == 1
    assert f"ValueError: {COUNT} steps" in here.app.err


def test_a_system_that_kills_its_process_again_and_again_is_given_up(walk: Callable[..., Walk]) -> None:
    here = walk("Deadly")
    assert here.app.wait() == 1
    assert "the task system lost 3 processes within a minute and got no further" in here.app.err
    assert len(here.runs) == len(set(here.runs))


def test_a_system_of_a_detached_job_goes_on_and_its_result_is_there_for_who_attaches(
    walk: Callable[..., Walk],
) -> None:
    here = walk("Walk", "--detach", "--job", "walk")
    assert here.app.succeed().endswith(" walk\n")
    wait_until(lambda: len(here.runs) > 20, "steps", lambda: here.master.err)
    pid = here.host()
    assert pid
    kill(pid)
    wait_until(lambda: len(here.runs) > 100, "steps", lambda: here.master.err)
    kill(here.master.pid)
    here.start_master()
    here.app = here.cluster.run("attach", "walk", "-m", here.cluster.address)
    here.check(WIDTH)
    again = here.cluster.run("attach", "walk", "-m", here.cluster.address)
    assert again.succeed() == ""
    assert "all results were taken" in again.err
