"""A master sees who was revoked, whoever else looks into the same key folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from concurrent.apps.keywatch import KeyWatch
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.roles import Role
from tests.clusterkeys import join

TIMEOUT_S = 10.0
PROMISED_S = 2.0
"""Within this everybody has left who was revoked; the rest of it is for the network."""

Told = list[tuple[frozenset[str], frozenset[str]]]


@pytest.fixture
def loop() -> Iterator[NodeLoop]:
    made = NodeLoop("watched")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> KeyFolder:
    return make_cluster(tmp_path / "master" / "keys", "office-4kd2")


def look(loop: NodeLoop, watch: KeyWatch) -> None:
    """Have it look once, and not by itself."""
    loop.call(watch.look, timeout_s=TIMEOUT_S)
    loop.call(watch.close, timeout_s=TIMEOUT_S)


def test_it_tells_who_is_revoked_once(loop: NodeLoop, cluster: KeyFolder, tmp_path: Path) -> None:
    rack = join(cluster, tmp_path / "slave" / "keys", Role.SLAVE).tls(Role.SLAVE).identity
    told: Told = []
    watch = KeyWatch(loop, cluster, lambda *each: told.append(each))
    look(loop, watch)
    look(loop, watch)
    assert told == [(frozenset(), frozenset())]
    Members(cluster).revoke("rack")
    look(loop, watch)
    look(loop, watch)
    assert told[1:] == [({rack.serial}, {rack.key})]


def test_it_tells_what_others_have_seen_before(loop: NodeLoop, cluster: KeyFolder, tmp_path: Path) -> None:
    rack = join(cluster, tmp_path / "slave" / "keys", Role.SLAVE).tls(Role.SLAVE).identity
    told: Told = []
    watch = KeyWatch(loop, cluster, lambda *each: told.append(each))
    look(loop, watch)
    Members(cluster).revoke("rack")
    assert cluster.revoked() == {rack.serial}  # as each request with a token asks
    look(loop, watch)
    assert told[1:] == [({rack.serial}, {rack.key})]


def test_it_looks_often_enough_for_what_is_promised(cluster: KeyFolder) -> None:
    delays: list[float] = []
    fake = SimpleNamespace(call_later=lambda delay_s, _look: delays.append(delay_s))
    watch = KeyWatch(fake, cluster, lambda *_: None)  # type: ignore[arg-type]
    watch.look()
    cluster.path("members.json").unlink()
    watch.look()  # and when it cannot see
    assert len(delays) == 2
    assert max(delays) <= PROMISED_S / 4


def test_it_says_once_that_it_cannot_see_and_tells_all_when_it_can(
    loop: NodeLoop, cluster: KeyFolder, caplog: pytest.LogCaptureFixture
) -> None:
    told: Told = []
    watch = KeyWatch(loop, cluster, lambda *each: told.append(each))
    content = cluster.read("members.json")
    cluster.path("members.json").unlink()
    look(loop, watch)
    look(loop, watch)
    assert told == []
    assert caplog.text.count("members.json") == 1
    cluster.write("members.json", content)
    look(loop, watch)
    assert told == [(frozenset(), frozenset())]
