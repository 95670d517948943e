"""A slave that takes tasks and says not a word of them: others get these within a bound."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from concurrent.apps import MasterNode
from concurrent.scheduling.ledger import silence
from concurrent.scheduling.tasks.outcome import FINISHED
from tests.integration.apps.peers import TIMEOUT_S, MakePeer, Peer
from tests.system.cluster import wait_until

BOTH = pytest.mark.parametrize("master", ["GenericTaskScheduler", "ZMQTaskScheduler"], indirect=True)


def black_hole(peer: MakePeer, owner: Peer) -> tuple[Peer, list[int]]:
    """Have a slave take all of 20 tasks; return it and their numbers."""
    hole = peer("slave-hole")
    hole.join("slave", workers=4, window=20)
    owner.join("application")
    hole.call("pull", 20)
    owner.call("push_tasks", 1, 0, 1, [b"task"] * 20)
    taken: list[int] = []
    while len(taken) < 20:
        taken += hole.next("run")[2]
    return hole, taken


@BOTH
def test_what_a_black_hole_takes_is_done_by_others(
    master: MasterNode, peer: MakePeer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "concurrent")
    monkeypatch.setattr(silence, "SILENT_UNTOLD_S", 1.0)
    owner = peer("application-1")
    hole, taken = black_hole(peer, owner)
    worker = peer("slave-fine")
    worker.join("slave", workers=4, window=20)
    worker.call("pull", 20)
    first, *others = taken
    while others:
        numbers = [number for number in worker.next("run")[2] if number in others]
        worker.call("done", numbers, [FINISHED] * len(numbers), [b"fine"] * len(numbers), 0.1)
        others = [number for number in others if number not in numbers]
    outcomes: list[bytes] = []
    while len(outcomes) < 19:
        outcomes += owner.next("finished")[2]
    assert set(outcomes) == {b"fine"}
    assert "slave-hole holds 20 tasks and reports nothing" in caplog.text
    assert "16 tasks of slave-hole, which reports nothing, are offered to others" in caplog.text
    assert "4 tasks of slave-hole, which reports nothing, are offered to others" in caplog.text
    (status,) = [one for one in master.dispatcher.ledger.status().slaves if one.name == "slave-hole"]
    assert status.silent is True
    hole.call("done", [first], [FINISHED], [b"late"], 0.1)
    assert owner.next("finished")[2] == [b"late"]
    assert worker.next("cancel") == ([first],)
    wait_until(lambda: "slave-hole reports again" in caplog.text, "it is said")


@BOTH
def test_a_slave_that_was_away_is_given_tasks_again_without_asking(master: MasterNode, peer: MakePeer) -> None:
    owner, slave = peer("application-1"), peer("slave-1")
    slave.join("slave", workers=1, window=1)
    owner.join("application")
    slave.call("pull", 1)
    (handler,) = [one for one in master.compute_server.handlers if one.node_id == "slave-1"]

    def on_loop(fn: Callable[..., object] | None, *args: object) -> None:
        assert fn is not None
        master.loop.call(fn, *args, timeout_s=TIMEOUT_S)

    on_loop(master.compute_server.on_cut, handler, True)
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    assert slave.heard() == []
    on_loop(master.compute_server.on_open, handler, False)
    assert slave.next("run")[2] == [1]
