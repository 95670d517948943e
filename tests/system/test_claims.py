"""Tasks that claim something: all of them run, and nothing has two of them at once, on every way."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from tests.system.cluster import APPS, Cluster
from tests.ways import both_ways

CLAIMS = APPS / "claims.py"


@both_ways
def test_no_two_tasks_have_the_same_device_or_licence_at_once(
    cluster: Cluster, scheduler: str, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    carrier = (f"transport.channel={channel}",)
    cluster.master("--scheduler", scheduler, options=carrier)
    for resources in ("gpu=1, licence=1", "gpu=2"):
        slave = cluster.slave(options=(*carrier, f"slave.resources={resources}"))
        slave.wait_for_line("joined the master")
    lines = cluster.app(CLAIMS, options=carrier).succeed().splitlines()
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for line in lines:
        what, begun_at, ended_at = line.split(";")
        times[what].append((float(begun_at), float(ended_at)))
    assert len(lines) == 80
    assert len(times["threads 2"]) == len(times["plain"]) == 20
    shared = [sorted(spans) for what, spans in times.items() if what.startswith(("gpu", "licence"))]
    assert sum(map(len, shared)) == 40
    assert len(shared) <= 4
    for spans in shared:
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
