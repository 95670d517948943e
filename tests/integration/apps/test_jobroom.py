"""How many unfinished tasks a master with a journal takes, and what is said where that ends."""

from __future__ import annotations

from tests.integration.apps.durable import MakeMaster, MakePeerAt, a_slave, ask, attach, push, work
from tests.system.cluster import wait_until


def test_jobs_that_are_kept_wait_for_nobody_and_nobody_for_them(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master(master__memory_bytes_max=str(1 << 20))
    plain = peer_at(master, "application-1", more={"held": "held"})
    attach(plain)
    plain.call("push_tasks", 1, 0, [[0, {}]], [b"a"] * 1100)
    assert "half of master.memory_bytes_max" in plain.next("held")[0]
    hunt = peer_at(master, "application-2")
    attach(hunt, name="hunt", keep_s=100.0)
    push(hunt, 1, *[b"b"] * 3000)
    work(a_slave(peer_at, master), 1000)
    wait_until(lambda: not master.status()["tasks"]["unacknowledged"], "all is accepted")


def test_where_jobs_have_no_more_room_it_is_said_at_once_by_name(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master(job__memory_bytes_max=str(1 << 20))
    hunt = peer_at(master, "application-1", more={"held": "held"})
    attach(hunt, name="hunt", keep_s=100.0)
    hunt.call("push_tasks", 1, 0, [[0, {}]], [b"a"] * 3000)
    (reason,) = hunt.next("held")
    assert "the master has 3000 unfinished tasks of jobs" in reason
    assert "job.memory_bytes_max = 1048576: raise that in the configuration of the master" in reason
    (row,) = ask(master, "jobs")["items"]
    assert (row["state"], row["reason"]) == ("open", reason)
    assert master.status()["tasks"]["held_because"] == reason
    plain = peer_at(master, "application-2")
    attach(plain)
    push(plain, 1, b"b")  # who is no job of that kind does not wait for that
    work(a_slave(peer_at, master), 1500)
    wait_until(lambda: not master.status()["tasks"]["unacknowledged"], "all is accepted")
