"""What a master knows of runs, workers and machines, as slaves tell, with each scheduler and carrier."""

from __future__ import annotations

import operator
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.apps import ClusterExecutor, MasterNode
from concurrent.core import Environment
from concurrent.core.errors import InvalidArguments, NodeError, WorkerDied
from concurrent.scheduling.telemetry.timeline import Bar
from concurrent.scheduling.telemetry.workerbook import WorkerFacts
from tests.integration.apps import workloads
from tests.integration.apps.peers import TIMEOUT_S, MakePeer
from tests.system.cluster import Gate, wait_until
from tests.ways import BOTH_WAYS

WORKERS = 2


@pytest.fixture(scope="module", params=BOTH_WAYS, ids="-".join)
def cluster(request: pytest.FixtureRequest) -> Iterator[MasterNode]:
    scheduler, channel = request.param
    overrides = {
        "master.port": "0",
        "master.workers": str(WORKERS),
        "scheduling.scheduler": scheduler,
        "transport.channel": channel,
    }
    node = Environment(overrides=overrides, variables={})[MasterNode]
    node.start()
    wait_until(lambda: node.dispatcher.workers == WORKERS, "its slave has joined")
    yield node
    node.stop()


@pytest.fixture
def executor(cluster: MasterNode) -> Iterator[ClusterExecutor]:
    with ClusterExecutor(f"127.0.0.1:{cluster.api_service_v1.port}", own_modules=["tests"]) as made:
        yield made


def all_bars(master: MasterNode) -> list[Bar]:
    timeline = master.dispatcher.observatory.timeline
    part = master.loop.call(lambda: timeline.part(timeline.first_number), timeout_s=10.0)
    return list(part.bars())


def bars_of(master: MasterNode, name: str, runs: int = 1) -> list[Bar]:
    """Return the bars of a function as soon as they stand for so many runs."""

    def found() -> list[Bar]:
        return [bar for bar in all_bars(master) if bar.function.name == name]

    wait_until(
        lambda: sum(bar.runs for bar in found()) >= runs, f"bars of {name}", lambda: str(all_bars(master))
    )
    return found()


def workers_of(master: MasterNode) -> list[WorkerFacts]:
    (facts,) = master.dispatcher.observatory.workers.facts_by_slave.values()
    return list(facts.worker_by_pid.values())


def fail(number: int) -> None:
    raise ValueError(number)


def die() -> None:
    os.kill(os.getpid(), 9)


def test_short_runs_are_few_bars_and_none_is_missing(cluster: MasterNode, executor: ClusterExecutor) -> None:
    before = time.time()
    assert len(list(executor.map(operator.neg, range(2000), chunksize=1))) == 2000
    bars = bars_of(cluster, "neg", 2000)
    assert sum(bar.runs for bar in bars) == 2000
    assert len(bars) < 200
    (slave,) = cluster.dispatcher.ledger.slaves.values()
    owners = {job.owner: job.title for job in cluster.dispatcher.ledger.owners.values()}
    for bar in bars:
        assert bar.slave == slave.name
        assert owners[bar.function.job] == bar.function.job_name
        assert before - 1 <= bar.start_at <= bar.stop_at <= time.time() + 1
        assert 0 <= bar.busy_s <= bar.duration_s + 1e-6
        assert bar.failed == 0


def test_a_long_run_has_a_bar_of_its_own(cluster: MasterNode, executor: ClusterExecutor) -> None:
    list(executor.map(time.sleep, [0.1] * 4, chunksize=1))
    bars = bars_of(cluster, "sleep", 4)
    assert [bar.runs for bar in bars] == [1] * 4
    assert all(0.09 < bar.busy_s < 5 for bar in bars)


def test_what_fails_is_told_and_the_last_run_of_a_worker_that_dies_too(
    cluster: MasterNode, executor: ClusterExecutor
) -> None:
    futures = [executor.submit(fail, number) for number in range(3)]
    for future in futures:
        assert isinstance(future.exception(TIMEOUT_S), ValueError)
    assert sum(bar.failed for bar in bars_of(cluster, "fail", 3)) == 3
    died = executor.options(attempts_max=1).submit(die)
    assert isinstance(died.exception(TIMEOUT_S), WorkerDied)
    (bar,) = bars_of(cluster, "die")
    assert (bar.runs, bar.failed) == (1, 1)


def test_what_a_worker_runs_for_long_is_known_and_what_it_uses(
    cluster: MasterNode, executor: ClusterExecutor, gate: Gate
) -> None:
    (slave,) = cluster.dispatcher.ledger.slaves.values()
    future = executor.submit(workloads.hold, gate.port)

    def busy() -> list[WorkerFacts]:
        return [facts for facts in workers_of(cluster) if facts.task in slave.held]

    wait_until(lambda: len(busy()) == 1, "a worker that is told to run the task")
    (facts,) = busy()
    assert facts.memory_bytes > 1 << 20
    assert facts.since_at <= time.time()
    gate.open()
    future.result(TIMEOUT_S)
    wait_until(lambda: not busy(), "the end of the task")
    machine = cluster.dispatcher.observatory.workers.facts_by_slave[slave.slave].machine
    assert 0 < machine.machine_used_bytes <= machine.machine_bytes
    assert machine.machine_cpus >= 1
    assert machine.memory_bytes > 1 << 20


def test_figures_are_kept_while_it_works(cluster: MasterNode, executor: ClusterExecutor) -> None:
    executor.submit(operator.pos, 1).result(TIMEOUT_S)
    series = cluster.dispatcher.observatory.series
    wait_until(lambda: any(series.points().values["finished_per_s"]), "a second in which a task ended")
    wait_until(
        lambda: series.points().values["memory_bytes"][-1] > 1 << 20, "its slave has told of its workers"
    )
    assert series.points().values["workers"][-1] == WORKERS


NO_ROWS: tuple[Any, ...] = ([[], [], [], []], [[], []], [], {})
WRONG_BARS: tuple[tuple[Any, ...], ...] = (
    (["f"], [1], [[7], [0], [1], [0]], [[1.0], [1.0]]),
    (["f"], [1], [[7], [0], [1]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[7, 8], [0], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[7], [0], [1], [0]], [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]),
    (["f"], [1, 2], [[7], [0], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[7], [1], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[7], [-1], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[0], [0], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[7], [0], [0], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[7], [0], [1], [2]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[7], [0], [1 << 32], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[1 << 63], [0], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [["7"], [0], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [[7], [0], [1], [0]], [[float("nan")], [1.0], [1.0]]),
    (["f"], [1], [[7], [0], [1], [0]], [[1.0], [float("inf")], [1.0]]),
    (["f"], [1], [[7], [0], [1], [0]], [[1.0], [1.0], [-1.0]]),
    (["f"], [1], [[7] * 10001, [0] * 10001, [1] * 10001, [0] * 10001], [[1.0] * 10001] * 3),
    (["f", "g"], [1, 1], [[7], [0], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [-1], [[7], [0], [1], [0]], [[1.0], [1.0], [1.0]]),
    ([7], [1], [[7], [0], [1], [0]], [[1.0], [1.0], [1.0]]),
    (["f"], [1], [7, 0, 1, 0], [[1.0], [1.0], [1.0]]),
)
WRONG_WORKERS: tuple[tuple[Any, ...], ...] = (
    ([[7], [1], [-1]], [[0.5], [0.0]], [], {}),
    ([[7], [1], [-2], [0]], [[0.5], [0.0]], [], {}),
    ([[7], [-1], [-1], [0]], [[0.5], [0.0]], [], {}),
    ([[7], [1], [-1], [0]], [[float("nan")], [0.0]], [], {}),
    ([[7], [1], [-1], [0]], [[0.5], [-1.0]], [], {}),
    ([[7], [1], [-1], [0]], [[0.5, 1.0], [0.0, 1.0]], [], {}),
    ([[], [], [], []], [[], []], ["7"], {}),
    ([[], [], [], []], [[], []], [], {"cpu": "much"}),
    ([[], [], [], []], [[], []], [], {"cpu": float("inf")}),
    ([[], [], [], []], [[], []], [], {"machine_bytes": -1}),
    ([[], [], [], []], [[], []], [], {"busy": True}),
    ([[], [], [], []], [[], []], [], []),
)


@pytest.mark.parametrize(
    ("method", "fields"),
    [*(("bars", one) for one in WRONG_BARS), *(("workers", one) for one in WRONG_WORKERS)],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    master: MasterNode, peer: MakePeer, method: str, fields: tuple[Any, ...]
) -> None:
    slave = peer("slave-odd")
    slave.join("slave", workers=1, window=10)
    with pytest.raises(InvalidArguments):
        slave.call(method, *fields)
    observatory = master.dispatcher.observatory
    assert len(observatory.timeline) == 0
    assert [facts.told_at for facts in observatory.workers.facts_by_slave.values()] == [0.0]
    slave.call("workers", *NO_ROWS)
    assert [facts.told_at > 0 for facts in observatory.workers.facts_by_slave.values()] == [True]


def test_a_name_is_shown_as_people_can_read_it_and_no_longer(master: MasterNode, peer: MakePeer) -> None:
    slave = peer("slave-odd")
    slave.join("slave", workers=1, window=10)
    slave.call("bars", ["a\x1b[2Jb" + "x" * 1000], [1], [[7], [0], [1], [0]], [[1.0], [1.0], [1.0]])
    (bar,) = all_bars(master)
    assert bar.function.name == ("a?[2Jb" + "x" * 1000)[:200]
    assert bar.slave == "slave-odd"


def test_nobody_but_a_slave_tells_of_workers_and_then_of_its_own(master: MasterNode, peer: MakePeer) -> None:
    one, other, owner = peer("slave-one"), peer("slave-two"), peer("application-1")
    for slave in (one, other):
        slave.join("slave", workers=1, window=10)
    owner.join("application")
    row: tuple[Any, ...] = ([[7], [100], [-1], [3]], [[0.5], [0.0]])
    with pytest.raises(NodeError):
        owner.call("workers", *row, [], {})
    one.call("workers", *row, [], {"busy": 1})
    other.call("workers", [[7], [200], [-1], [4]], [[0.5], [0.0]], [], {})
    other.call("workers", *NO_ROWS[:2], [7], {})
    first, second = master.dispatcher.observatory.workers.facts_by_slave.values()
    assert [worker.memory_bytes for worker in first.worker_by_pid.values()] == [100]
    assert second.worker_by_pid == {}


def test_what_a_newer_slave_says_besides_is_left_out(master: MasterNode, peer: MakePeer) -> None:
    slave = peer("slave-new")
    slave.join("slave", workers=1, window=10)
    slave.call("bars", ["f"], [1], [[7], [0], [1], [0], [99]], [[1.0], [1.0], [1.0], [9.0]])
    slave.call("workers", [[7], [1], [-1], [0], [99]], [[0.5], [0.0], [9.0]], [], {"busy": 1, "new": "x"})
    (facts,) = master.dispatcher.observatory.workers.facts_by_slave.values()
    assert (len(master.dispatcher.observatory.timeline), facts.machine.busy) == (1, 1)
