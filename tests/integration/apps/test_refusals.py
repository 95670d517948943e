"""Slaves that hand back what they were sent: others get it, and nobody is flooded."""

from __future__ import annotations

import pytest

from concurrent.apps import MasterNode
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.transport.frames.frames import as_payload
from concurrent.transport.session.limits import Limits
from tests.integration.apps.peers import TIMEOUT_S, MakePeer, Peer

LIMIT = 8 << 20
BOTH = pytest.mark.parametrize("master", ["GenericTaskScheduler", "ZMQTaskScheduler"], indirect=True)


def refuse(slave: Peer) -> list[int]:
    """Hand back all that was sent; return the numbers."""
    sent = [numbers for name, *args in slave.heard() if name == "run" for numbers in (args[2],)]
    numbers = [number for some in sent for number in some]
    if numbers:
        slave.call("returned", numbers)
    return numbers


def work(slave: Peer) -> int:
    """Do all that was sent; return how much that was."""
    count = 0
    for name, *args in slave.heard():
        if name == "run":
            _owner, _code_count, numbers, payloads = args
            slave.call("done", numbers, [FINISHED] * len(numbers), payloads, 0.1)
            count += len(numbers)
    return count


@BOTH
def test_what_one_slave_refuses_another_one_does(master: MasterNode, peer: MakePeer) -> None:
    owner, choosy, willing = peer("application-1"), peer("slave-choosy"), peer("slave-willing")
    choosy.join("slave", workers=2, window=10)
    owner.join("application")
    owner.call("push_tasks", 1, 0, 1, [b"task"] * 30)
    willing.join("slave", workers=1, window=5)
    refused_count = done_count = 0
    while done_count < 30:
        for slave in (choosy, willing):
            slave.call("pull", 10)
        refused_count += len(refuse(choosy))
        done_count += work(willing)
    assert 0 < refused_count <= 30


@BOTH
def test_what_all_refuse_is_offered_again_but_slowly(
    master: MasterNode, peer: MakePeer, caplog: pytest.LogCaptureFixture
) -> None:
    owner, slave = peer("application-1"), peer("slave-choosy")
    slave.join("slave", workers=1, window=5)
    owner.join("application")
    slave.call("pull", 5)
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    numbers = slave.next("run")[2]
    slave.call("returned", numbers)
    tasks = master.loop.call(master.snapshot, timeout_s=TIMEOUT_S)["tasks"]
    assert (tasks["queued"], tasks["refused"], tasks["slaves"][0]["refused"]) == (0, 1, 1)
    assert "all slaves refused 1 tasks" in owner.next("notice")[0]
    slave.call("pull", 5)
    again = slave.next("run")[2]
    slave.call("done", again, [FINISHED], [b"result"], 0.1)
    assert owner.next("finished")[:3] == ([1], [FINISHED], [b"result"])
    assert "all slaves refused" not in caplog.text  # its program warns of it


@pytest.mark.parametrize("master", ["ZMQTaskScheduler"], indirect=True)
def test_what_was_sent_from_the_work_queue_need_not_be_reported_taken(
    master: MasterNode, peer: MakePeer
) -> None:
    owner, slave, thief = peer("application-1"), peer("slave-1"), peer("slave-2")
    owner.join("application")
    slave.join("slave", workers=1, window=5)
    thief.join("slave", workers=1, window=5)
    slave.call("pull", 5)
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    numbers = slave.next("run")[2]
    thief.call("took", numbers)
    assert thief.next("cancel") == (numbers,)
    thief.call("done", numbers, [FINISHED], [b"wrong"], 0.1)
    slave.call("done", numbers, [FINISHED], [b"right"], 0.1)
    assert owner.next("finished")[:3] == ([1], [FINISHED], [b"right"])


@pytest.mark.parametrize("master", ["ZMQTaskScheduler"], indirect=True)
def test_a_slave_that_pulled_tasks_and_is_lost_has_them_moved_at_once(
    master: MasterNode, peer: MakePeer
) -> None:
    owner, first, second = peer("application-1"), peer("slave-1"), peer("slave-2")
    owner.join("application")
    first.join("slave", workers=1, window=5)
    first.call("pull", 5)
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    first.next("run")
    second.join("slave", workers=1, window=5)
    second.call("pull", 5)
    first.client.stop()
    assert second.next("run")[3] == [b"task"]


@pytest.mark.parametrize("master", ["ZMQTaskScheduler"], indirect=True)
def test_what_is_too_large_for_a_slave_is_not_put_on_the_work_queue(master: MasterNode, peer: MakePeer) -> None:
    owner = peer("application-1")
    narrow = peer("slave-narrow", limits=Limits(message_bytes_max=LIMIT, header_bytes_max=LIMIT))
    narrow.join("slave", workers=1, window=5)
    owner.join("application")
    owner.call("push_tasks", 1, 0, 1, [as_payload(bytes(LIMIT)), b"small"])
    ids, statuses, payloads, *_ = owner.next("finished")  # nobody has pulled
    assert (ids, statuses) == ([1], [FAILED])
    assert str(LIMIT).encode() in bytes(payloads[0])
    narrow.call("pull", 5)
    assert narrow.next("run")[3] == [b"small"]
