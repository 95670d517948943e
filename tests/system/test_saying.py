"""What tasks say of themselves reaches their application through master and slaves."""

from __future__ import annotations

from tests.system.cluster import APPS, Cluster
from tests.ways import both_ways


@both_ways
def test_an_application_hears_how_far_a_task_is_and_what_it_prints(
    cluster: Cluster, scheduler: str, channel: str
) -> None:
    cluster.master("--scheduler", scheduler, "--channel", channel)
    cluster.slave().wait_for_line("joined the master")
    lines = cluster.app(APPS / "says.py", "-o", f"says.gate={cluster.folder / 'gate'}").succeed().splitlines()
    assert lines[:2] == ["say 1 2 waits", "output: begins as say"]
    assert lines[-4] == "say 2 2 "
    assert lines[-2:] == ["finished 1 None", "output: begins as say"]
