"""A plug-in that fails is named, and hangs nobody."""

from __future__ import annotations

import pytest

from tests.system.cluster import APPS, Cluster

GREETINGS = ["hello ada", "hello grace"]


@pytest.mark.parametrize("how", ["raise", "exit", "nan", "text"])
def test_an_embedded_cluster_bears_with_a_failing_strategy(cluster: Cluster, how: str) -> None:
    app = cluster.embedded(
        APPS / "hello.py",
        "--plugin",
        APPS / "failing.py",
        options=("scheduling.strategy=FailingStrategy", f"failing.how={how}"),
    )
    assert sorted(app.succeed().splitlines()) == GREETINGS
    assert "plug-in failing.FailingStrategy: rate r" in app.err


@pytest.mark.parametrize(
    ("manager", "successor"), [("GenericTaskManager", "Generic"), ("ZMQTaskManager", "ZMQ")]
)
@pytest.mark.parametrize("how", ["raise", "exit", "none"])
@pytest.mark.parametrize("channel", ["tcp", "zmq"])
def test_a_master_replaces_a_scheduler_that_goes_on_failing(
    cluster: Cluster, how: str, manager: str, successor: str, channel: str
) -> None:
    options = (f"failing.how={how}", f"failing.manager_class={manager}")
    cluster.master(
        "--plugin",
        APPS / "failing.py",
        "--scheduler",
        "FailingScheduler",
        "--channel",
        channel,
        options=options,
    )
    cluster.slaves(1)
    assert sorted(cluster.app(APPS / "hello.py").succeed().splitlines()) == GREETINGS
    status = cluster.run("status", "-m", cluster.address).succeed()
    assert "plug-in failing.FailingScheduler: s" in status
    troubles = cluster.status()["plugin_troubles"]
    assert {one["component"] for one in troubles} == {"failing.FailingScheduler"}
    if any("takes over" in one["action"] for one in troubles):
        assert cluster.status()["scheduler"] == f"{successor}TaskScheduler"
