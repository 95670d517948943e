"""What tasks ask for reaches whoever decides about them."""

from __future__ import annotations

from pathlib import Path

from tests.docs.test_examples import ROOT, blocks_of
from tests.system.cluster import APPS, Cluster

KINDS = APPS / "kinds.py"


def test_tasks_of_a_higher_priority_overtake_those_that_wait_at_the_master(cluster: Cluster) -> None:
    lines = cluster.embedded(KINDS).succeed().splitlines()
    assert sorted(lines) == ["archived"] * 6 + ["later"] * 6 + ["slept"] * 200
    archived = [index for index, line in enumerate(lines) if line == "archived"]
    assert max(archived) < lines.index("later")
    assert max(archived) < 150


def test_the_scheduler_of_the_docs_gives_tasks_to_the_slave_that_they_are_named_after(cluster: Cluster) -> None:
    cluster.run("init", "here").succeed()
    (block,) = [
        one
        for one in blocks_of((ROOT / "docs" / "plugins.md").read_text())
        if one.file == "node/plugins/reserved.py"
    ]
    (cluster.folder / "here" / "plugins" / Path(block.file or "").name).write_text(block.text)
    cluster.master("--env", "here", "--scheduler", "Reserved")
    plain, named = cluster.slave(), cluster.slave("--name", "archive")
    for slave in (plain, named):
        slave.wait_for_line("joined the master")
    cluster.app(KINDS).succeed()
    assert [one["done"] > 0 for one in cluster.status()["tasks"]["slaves"]] == [True, True]
    for slave in (plain, named):
        slave.send(15)
        slave.wait()
    assert named.err.count("archiving here") == 6
    assert "archiving here" not in plain.err
