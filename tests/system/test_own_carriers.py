"""Carriers and work queues of a plug-in carry tasks, task systems and results as those of the framework do."""

from __future__ import annotations

import socket

import pytest

from tests.system.cluster import APPS, Cluster

SMALL = (
    "mandelbrot.width=256",
    "mandelbrot.height=192",
    "mandelbrot.rows_per_task=16",
    "mandelbrot.output=",
)
PLUGIN = ("--plugin", APPS / "carriers.py")

pytestmark = pytest.mark.system


@pytest.mark.parametrize("mode", ["tasks", "system"])
def test_a_cluster_whose_carriers_are_those_of_a_plugin_does_the_same(cluster: Cluster, mode: str) -> None:
    cluster.master(*PLUGIN, "--channel", "ScramblingCarriers")
    cluster.slave(*PLUGIN)
    app = cluster.app("mandelbrot", *PLUGIN, options=(*SMALL, f"mandelbrot.mode={mode}"))
    assert "counts identical" in app.succeed()
    assert cluster.status()["channel"] == "ScramblingCarriers"


def test_a_node_without_the_plugin_says_what_it_lacks(cluster: Cluster) -> None:
    cluster.master(*PLUGIN, "--channel", "ScramblingCarriers")
    slave = cluster.slave()
    slave.wait_for_line("there is no compute channel 'ScramblingCarriers'")


def test_a_master_without_the_plugin_does_not_start(cluster: Cluster) -> None:
    master = cluster.node("master", "--channel", "ScramblingCarriers")
    assert master.wait() == 2
    assert "[transport] channel = 'ScramblingCarriers': no enabled component is" in master.err
    assert "Use one of: tcp, zmq" in master.err


def test_a_scheduler_has_the_work_queue_that_it_chooses(cluster: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    cluster.master(
        *PLUGIN, "--scheduler", "PushingScheduler", "--channel", "tcp", options=(f"master.work_port={port}",)
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20.0) as sock:
        assert sock.recv(1) == b"\xff"  # as ZeroMQ greets
    cluster.slave(*PLUGIN)
    app = cluster.app("mandelbrot", options=SMALL)
    assert "counts identical" in app.succeed()
    assert cluster.status()["channel"] == "tcp"


def test_a_work_queue_that_raises_is_named_and_loses_no_task(cluster: Cluster) -> None:
    cluster.master(*PLUGIN, "--scheduler", "ClumsyScheduler")
    cluster.slave(*PLUGIN)
    app = cluster.app("mandelbrot", options=SMALL)
    assert "counts identical" in app.succeed()
    (trouble,) = cluster.status()["plugin_troubles"]
    assert (trouble["component"], trouble["rule"]) == ("carriers.ClumsyQueue", "put")
