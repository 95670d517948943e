"""A master, two slaves and an application: the right result whoever of them is lost in the middle."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import psutil
import pytest

from benchmarks.processes import free_port
from tests.system.cluster import APPS, Cluster, Gate, Program, kill, wait_until
from tests.ways import both_ways, each_way

HELD = APPS / "held.py"
MANDELBROT = (
    "mandelbrot.width=256",
    "mandelbrot.height=192",
    "mandelbrot.rows_per_task=16",
    "mandelbrot.output=",
)
SCHEDULERS = ("GenericTaskScheduler", "ZMQTaskScheduler")

pytestmark = pytest.mark.system

each_scheduler = pytest.mark.parametrize("scheduler", SCHEDULERS)
each_mode = pytest.mark.parametrize("mode", ["tasks", "system"])


def start_held(cluster: Cluster, gate: Gate, mode: str = "tasks") -> tuple[Program, list[int]]:
    """Start the application; return it, and the pids of four workers that hold a task."""
    app = cluster.app(HELD, options=(gate.option, f"held.mode={mode}"))
    return app, gate.wait_for(4)


@each_way
def test_a_picture_is_the_same_as_that_of_one_process(cluster: Cluster, scheduler: str, channel: str) -> None:
    cluster.master("--scheduler", scheduler, "--channel", channel)
    cluster.slaves()
    for mode in ("system", "tasks"):
        app = cluster.app("mandelbrot", options=(*MANDELBROT, f"mandelbrot.mode={mode}"))
        assert "counts identical" in app.succeed()
    slaves = cluster.status()["tasks"]["slaves"]
    assert sum(one["done"] for one in slaves) == 24


@both_ways
def test_a_worker_that_is_killed_costs_nothing_but_its_task_again(
    cluster: Cluster, gate: Gate, scheduler: str, channel: str
) -> None:
    cluster.master("--scheduler", scheduler, "--channel", channel)
    cluster.slaves()
    app, workers = start_held(cluster, gate)
    kill(workers[0])
    gate.open()
    assert app.succeed() == "each once\n"


@both_ways
def test_the_tasks_of_a_slave_that_is_killed_go_to_the_other(
    cluster: Cluster, gate: Gate, scheduler: str, channel: str
) -> None:
    cluster.master("--scheduler", scheduler, "--channel", channel)
    slaves = cluster.slaves()
    app, _ = start_held(cluster, gate)
    kill(slaves[0].pid)
    gate.open()
    assert app.succeed() == "each once\n"


@each_scheduler
def test_a_slave_whose_zygote_is_killed_ends_or_goes_on_but_loses_nothing(
    cluster: Cluster, gate: Gate, scheduler: str
) -> None:
    cluster.master("--scheduler", scheduler)
    slaves = cluster.slaves()
    app, _ = start_held(cluster, gate)
    (zygote,) = slaves[0].children()
    zygote.kill()
    gate.open()
    assert app.succeed() == "each once\n"


@both_ways
def test_a_slave_that_is_told_to_stop_finishes_what_runs_hands_back_the_rest_and_says_goodbye(
    cluster: Cluster, gate: Gate, scheduler: str, channel: str
) -> None:
    master = cluster.master("--scheduler", scheduler, "--channel", channel)
    slaves = cluster.slaves()
    app, _ = start_held(cluster, gate)
    slaves[0].send(signal.SIGTERM)
    wait_until(
        lambda: any(one["window"] == 0 for one in cluster.status()["tasks"]["slaves"]), "the slave drains"
    )
    gate.open()
    assert slaves[0].wait() == 0
    assert app.succeed() == "each once\n"
    goodbye = master.wait_for_line(r"(slave-\S+) left: (.*)")
    assert goodbye[2] == f"{goodbye[1]} stops"


@pytest.mark.parametrize(
    ("mode", "end", "scheduler", "channel"),
    [
        ("tasks", signal.SIGTERM, "GenericTaskScheduler", "zmq"),
        ("tasks", signal.SIGKILL, "ZMQTaskScheduler", "tcp"),
        ("system", signal.SIGTERM, "ZMQTaskScheduler", "zmq"),
        ("system", signal.SIGKILL, "GenericTaskScheduler", "tcp"),
    ],
)
def test_work_goes_on_at_a_new_master_on_the_same_port(
    cluster: Cluster, gate: Gate, mode: str, end: signal.Signals, scheduler: str, channel: str
) -> None:
    how = ("--scheduler", scheduler, "--channel", channel)
    master = cluster.master(*how)
    cluster.slaves()
    app, _ = start_held(cluster, gate, mode)
    master.send(end)
    assert master.wait() == (0 if end is signal.SIGTERM else -signal.SIGKILL)
    cluster.master(*how)
    gate.wait_for(2)
    gate.open()
    assert app.succeed() == "each once\n"


@each_mode
def test_nodes_wait_for_a_master_that_comes_last(cluster: Cluster, mode: str) -> None:
    cluster.port = free_port()
    slaves = [cluster.slave(), cluster.slave()]
    app = cluster.app(HELD, options=(f"held.mode={mode}",))
    for node in (*slaves, app):
        node.wait_for_line(r"cannot register with the master at 127\.0\.0\.1:\d+: .*trying again")
    cluster.master()
    assert app.succeed() == "each once\n"


@each_mode
def test_the_master_frees_what_an_application_leaves_that_is_killed(
    cluster: Cluster, gate: Gate, mode: str
) -> None:
    master = cluster.master()
    cluster.slaves()
    app, pids = start_held(cluster, gate, mode)
    workers = [psutil.Process(pid) for pid in pids]
    hosts = [psutil.Process(one["pid"]) for one in cluster.status()["systems"]]
    assert len(hosts) == (1 if mode == "system" else 0)
    kill(app.pid)
    master.wait_for_line("application-.* left")
    wait_until(lambda: cluster.status()["tasks"]["open"] == 0, "the tasks are freed")
    assert cluster.status()["systems"] == []
    _, alive = psutil.wait_procs([*hosts, *workers], 20)
    assert alive == []
    gate.open()
    assert cluster.app(HELD).succeed() == "each once\n"


@pytest.mark.parametrize("where", ["cluster", "embedded"])
@each_mode
def test_an_application_that_is_interrupted_ends_in_good_order(
    cluster: Cluster, gate: Gate, mode: str, where: str
) -> None:
    options = (gate.option, f"held.mode={mode}")
    if where == "cluster":
        cluster.master("-w", "2")
    start: Callable[..., Program] = cluster.app if where == "cluster" else cluster.embedded
    app = start(HELD, options=options)
    workers = [psutil.Process(pid) for pid in gate.wait_for(2)]
    app.send(signal.SIGINT)
    assert app.wait() == 130
    assert "Traceback" not in app.err
    assert re.search(r"interrupted: cancels .*unfinished task", app.err)
    _, alive = psutil.wait_procs(workers, 20)
    assert alive == []
    if where == "cluster":
        assert cluster.status()["tasks"]["open"] == 0


def test_a_slave_that_is_interrupted_twice_ends_at_once(cluster: Cluster, gate: Gate) -> None:
    cluster.master()
    slave = cluster.slave()
    app = cluster.app(HELD, options=(gate.option,))
    workers = [psutil.Process(pid) for pid in gate.wait_for(2)]
    slave.send(signal.SIGINT)
    wait_until(
        lambda: any(one["window"] == 0 for one in cluster.status()["tasks"]["slaves"]), "the slave drains"
    )
    slave.send(signal.SIGINT)
    assert slave.wait() == 130
    _, alive = psutil.wait_procs(workers, 20)
    assert alive == []
    app.send(signal.SIGTERM)
    assert app.wait() == 130
