"""A master with a journal: what it acknowledges is kept, and programs come back to their jobs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps.api import EXIT_JOURNAL
from concurrent.core.errors import JobTaken, JobUnknown, JournalError, NodeError
from concurrent.scheduling.master.ticker import Ticker
from concurrent.scheduling.store.journal.journal import SQLiteJournal
from concurrent.scheduling.store.journal.place import JournalPlace, JournalStart
from concurrent.scheduling.tasks.outcome import CANCELLED, FAILED, FINISHED
from concurrent.scheduling.wire.failure import dumps_failure
from tests.integration.apps.durable import (
    MakeMaster,
    MakePeerAt,
    a_slave,
    ask,
    attach,
    crashed,
    outcomes,
    push,
    work,
)
from tests.integration.apps.peers import TIMEOUT_S, Peer


def test_what_was_accepted_is_finished_after_a_crash(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    first = make_master()
    program = peer_at(first, "application-1")
    job = attach(program, name="hunt", keep_s=100.0)
    assert job.is_new
    assert (job.epoch, job.durability) == (1, "host")
    push(program, 1, b"a", b"b", b"c")
    second = make_master(crashed(tmp_path, first))
    again = peer_at(second, "application-2")
    found = attach(again, name="hunt")
    assert not found.is_new
    assert (found.job, found.next_id, found.epoch, found.cluster) == (job.job, 4, 2, job.cluster)
    work(a_slave(peer_at, second), 3)
    assert outcomes(again, 3) == {1: (FINISHED, b"a"), 2: (FINISHED, b"b"), 3: (FINISHED, b"c")}


def test_outcomes_come_again_until_they_are_consumed(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    first = make_master()
    program = peer_at(first, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    slave = a_slave(peer_at, first)
    for task_id, payload in enumerate((b"a", b"b", b"c"), 1):
        program.call("push_tasks", task_id, 0, [[0, {}]], [payload])
        work(slave, 1)
        outcomes(program, 1)
    program.call("consumed_to", 1)
    push(program, 4, b"d")
    second = make_master(crashed(tmp_path, first))
    again = peer_at(second, "application-2")
    found = attach(again, name="hunt")
    assert (found.next_id, found.consumed_to) == (5, 1)
    assert outcomes(again, 2) == {2: (FINISHED, b"b"), 3: (FINISHED, b"c")}


def test_no_number_of_a_task_is_given_in_two_epochs(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    first = make_master()
    program = peer_at(first, "application-1")
    job = attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a")
    _owner, _code_count, (old,), _payloads = a_slave(peer_at, first).next("run")
    second = make_master(crashed(tmp_path, first))
    again = peer_at(second, "application-2")
    found = attach(again, name="hunt")
    assert found.number == job.number  # it is the same job
    push(again, 2, b"b")
    slave = a_slave(peer_at, second)
    numbers: set[int] = set()
    while len(numbers) < 2:
        numbers.update(slave.next("run")[2])
    assert old in numbers
    assert {number >> 40 for number in numbers} == {1, 2}


def test_a_program_comes_back_by_its_attachment_and_an_older_one_is_refused(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master()
    first = peer_at(master, "application-1")
    job = attach(first)
    push(first, 1, b"a")
    first.client.stop()
    with pytest.raises(JobUnknown):  # it said goodbye, and was not kept
        attach(peer_at(master, "application-2"), job=job.job, must_exist=True)
    kept = peer_at(master, "application-3")
    job = attach(kept, name="hunt", keep_s=100.0)
    push(kept, 1, b"a")
    kept.client.stop()
    back = peer_at(master, "application-4")
    found = attach(back, job=job.job, attachment=job.attachment)
    assert (found.is_new, found.next_id, found.attachment) == (False, 2, job.attachment + 1)
    with pytest.raises(JobTaken, match="another program has taken job"):
        attach(peer_at(master, "application-5"), job=job.job, attachment=job.attachment)


def test_a_job_that_is_taken_over_leaves_its_former_program(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master()
    former, new = peer_at(master, "application-1"), peer_at(master, "application-2")
    job = attach(former, name="hunt", keep_s=100.0)
    push(former, 1, b"a")
    found = attach(new, name="hunt")
    assert "another program has taken the job over" in former.ends.get(timeout=TIMEOUT_S)
    work(a_slave(peer_at, master), 1)
    assert outcomes(new, 1) == {1: (FINISHED, b"a")}
    with pytest.raises(JobTaken):
        attach(peer_at(master, "application-1b"), job=job.job, attachment=job.attachment)
    assert ask(master, "jobs")["items"][0]["is_attached"] is True
    assert found.attachment == job.attachment + 1


@pytest.mark.parametrize("payload", [b"a", bytes(100_000)], ids=["small", "large"])
def test_a_new_program_gets_the_code_and_the_tasks_of_the_former_one(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path, payload: bytes
) -> None:
    first = make_master()
    former = peer_at(first, "application-1")
    attach(former, name="hunt", keep_s=100.0)
    former.call("define_code", 0, b"code")
    push(former, 1, payload)
    second = make_master(crashed(tmp_path, first))
    more = {"recalled": "jobs", "recalled_code": "jobs"}
    new = peer_at(second, "application-2", more=more)
    found = attach(new, name="hunt", wants_tasks=True)
    assert found.code_count == 1
    push(new, 2, b"b")
    slave = a_slave(peer_at, second)
    assert slave.next("code")[1:] == (0, b"code")
    work(slave, 2)
    said = [new.said.get(timeout=TIMEOUT_S)]
    while said[-1][0] != "finished":
        said.append(new.said.get(timeout=TIMEOUT_S))
    assert said[0] == ("recalled_code", 0, b"code")
    name, ids, payloads = said[1]
    assert (name, ids, [*map(bytes, payloads)]) == ("recalled", [1], [payload])


def test_tasks_are_known_by_their_keys_after_a_crash(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    first = make_master()
    program = peer_at(first, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    program.call("name_tasks", 1, ["red", "green"])
    push(program, 1, b"a", b"b")
    second = make_master(crashed(tmp_path, first))
    again = peer_at(second, "application-2")
    attach(again, name="hunt")
    assert again.call("job_keys", 1) == {"ids": [1, 2], "keys": ["red", "green"], "next_id": 3}
    assert again.call("job_keys", 3) == {"ids": [], "keys": [], "next_id": 0}


def test_a_job_goes_on_while_its_program_is_away(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()
    program = peer_at(master, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a")
    program.call("job_begun", 0)
    program.call("detach_job")
    program.client.stop()
    work(a_slave(peer_at, master), 1)
    again = peer_at(master, "application-2")
    found = attach(again, job="hunt", must_exist=True)
    assert found.has_begun
    assert outcomes(again, 1) == {1: (FINISHED, b"a")}


def test_people_see_jobs_and_end_them(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()
    program = peer_at(master, "application-1")
    job = attach(program, name="hunt", user="ann", keep_s=100.0, program={"file": "hunt.py"})
    push(program, 1, b"a", b"b")
    (row,) = ask(master, "jobs")["items"]
    assert (row["job"], row["name"], row["user"], row["state"]) == (job.job, "hunt", "ann", "open")
    assert (row["pushed"], row["open"], row["durability"]) == (2, 2, "host")
    assert ask(master, "job", "hunt")["program"] == {"file": "hunt.py"}
    with pytest.raises(NodeError, match="it has not ended"):
        ask(master, "forget_job", "hunt")
    ask(master, "cancel_job", job.job)
    assert outcomes(program, 2) == {1: (CANCELLED, b""), 2: (CANCELLED, b"")}
    row = ask(master, "job", "hunt")
    assert (row["state"], row["how"], row["cancelled"], row["open"]) == ("ended", "cancelled", 2, 0)
    ask(master, "forget_job", "hunt")
    assert ask(master, "jobs")["items"] == []
    with pytest.raises(JobUnknown, match="there is no job 'hunt'"):
        ask(master, "job", "hunt")


def test_what_changes_nothing_is_answered_though_nothing_else_happens(
    make_master: MakeMaster, peer_at: MakePeerAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ticker, "_tick", lambda _: None)  # else something does happen once a second
    master = make_master()
    attach(peer_at(master, "application-1"), name="hunt", keep_s=100.0)
    for _ in range(3):
        ask(master, "cancel_job", "hunt")


def test_what_people_do_to_a_job_outlives_the_master(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    first = make_master()
    for node_id, name in (("application-1", "kept"), ("application-2", "cancelled"), ("application-3", "gone")):
        program = peer_at(first, node_id)
        attach(program, name=name, keep_s=100.0)
        push(program, 1, b"a")
    ask(first, "cancel_job", "cancelled")
    ask(first, "cancel_job", "gone")
    ask(first, "forget_job", "gone")
    second = make_master(crashed(tmp_path, first))
    assert {row["name"]: row["state"] for row in ask(second, "jobs")["items"]} == {
        "kept": "open",
        "cancelled": "ended",
    }
    slave = a_slave(peer_at, second)
    work(slave, 1)
    assert [call for call in slave.heard() if call[0] == "run"] == []


def test_a_job_whose_code_does_not_run_here_is_held_until_it_is_released(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    first = make_master()
    program = peer_at(first, "application-1")
    attach(program, name="hunt", keep_s=100.0, fingerprint={"python": "2.7.18"})
    push(program, 1, b"a")
    second = make_master(crashed(tmp_path, first))
    (row,) = ask(second, "jobs")["items"]
    assert row["state"] == "held"
    assert "its code was made with Python 2.7.18" in row["reason"]
    slave = a_slave(peer_at, second)
    assert [call for call in slave.heard() if call[0] == "run"] == []
    ask(second, "release_job", "hunt")
    work(slave, 1)


def test_a_slave_is_told_which_reports_are_kept(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()
    program = peer_at(master, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a", b"b")
    slave = a_slave(peer_at, master, more={"stored": "durable"})
    work(slave, 2)
    counts = [0]
    while not outcomes_kept(counts[-1], slave):
        counts.append(slave.next("stored")[0])
    assert counts == sorted(set(counts))


def outcomes_kept(count: int, slave: Peer) -> bool:
    """Tell whether all reports that a slave has sent are kept."""
    return count >= 1 and slave.said.empty()


def test_two_masters_never_have_one_journal(make_master: MakeMaster) -> None:
    make_master()
    with pytest.raises(JournalError, match="is in use by process"):
        make_master()


def test_a_master_without_a_journal_says_so_and_has_no_jobs(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master(journal__durability="none")
    program = peer_at(master, "application-1")
    answer = program.register("application")
    assert (answer["jobs"], answer["durability"], answer["epoch"]) == (False, "none", 0)
    with pytest.raises(NodeError, match="this master keeps no journal"):
        program.call("attach_job", program.node_id, {})
    assert ask(master, "jobs")["items"] == []


def test_a_master_that_stops_ends_no_job(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    first = make_master()
    program = peer_at(first, "application-1")
    job = attach(program)
    push(program, 1, b"a")
    first.stop()
    assert "it keeps what it has accepted for its next start" in program.ends.get(timeout=TIMEOUT_S)
    second = make_master()
    found = attach(peer_at(second, "application-1b"), job=job.job, attachment=job.attachment)
    assert (found.is_new, found.next_id, found.epoch) == (False, 2, 2)


def test_people_see_how_the_tasks_of_a_job_failed(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()
    program = peer_at(master, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a")
    slave = a_slave(peer_at, master)
    _owner, _code_count, numbers, _payloads = slave.next("run")
    failure = dumps_failure(ValueError("no such key"), None, "")
    slave.call("done", numbers, [FAILED], [failure], 0.1)
    outcomes(program, 1)
    details = ask(master, "job", "hunt")
    (group,) = details["failures"]
    assert (details["failed"], group["exception"], group["count"]) == (1, "ValueError", 1)
    assert "no such key" in group["text"]


class BrittleJournal(SQLiteJournal):
    """A journal that cannot write any more once a test says so, or has no room."""

    is_broken = False
    lack = ""
    made: BrittleJournal

    def open(self, place: JournalPlace, on_committed: Any, on_failed: Any) -> JournalStart:
        BrittleJournal.made = self
        self._post = place.post
        self._on_failed = on_failed
        return super().open(place, on_committed, on_failed)

    def commit(self) -> int:
        if not self.is_broken:
            return super().commit()
        self._post(self._on_failed, JournalError("the journal cannot be written: it is broken"))
        return 1 << 60

    def problem(self) -> str:
        return self.lack or super().problem()


class SlowJournal(SQLiteJournal):
    """A journal whose commits are told when a test lets them."""

    is_slow = False
    made: SlowJournal

    def open(self, place: JournalPlace, on_committed: Any, on_failed: Any) -> JournalStart:
        SlowJournal.made = self
        self._place_post = place.post
        self._tell = on_committed
        self._late: list[int] = []
        return super().open(place, self._committed, on_failed)

    def go_on(self) -> None:
        self.is_slow = False
        self._place_post(lambda: [self._tell(number) for number in self._late])

    def _committed(self, number: int) -> None:
        (self._late.append if self.is_slow else self._tell)(number)


def test_a_slave_has_no_task_before_it_is_kept_that_it_has_joined(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    """Else a master that is killed then is followed by one which does not wait for the slave."""
    master = make_master(classes=(SlowJournal,), journal__store="SlowJournal")
    program = peer_at(master, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a")
    slave = peer_at(master, "slave-1", more={"stored": "durable"})
    slave.register("slave", workers=1, window=5)
    SlowJournal.made.is_slow = True
    joined = slave.handler.call("register_slave", "slave-1", timeout_s=TIMEOUT_S)
    assert slave.heard() == []
    assert not joined.done()
    assert [one.name for one in master.dispatcher.ledger.slaves.values()] == ["slave-1"]
    SlowJournal.made.go_on()
    assert joined.result(TIMEOUT_S)
    assert slave.next("run")[3] == [b"a"]


def test_a_journal_that_fails_ends_all_acknowledgements_and_the_master(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master(classes=(BrittleJournal,), journal__store="BrittleJournal")
    program = peer_at(master, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a")
    slave = a_slave(peer_at, master, more={"stored": "durable"})
    _owner, _code_count, numbers, payloads = slave.next("run")
    BrittleJournal.made.is_broken = True
    program.call("push_tasks", 2, 0, [[0, {}]], [b"b"])
    slave.call("done", numbers, [FINISHED], payloads, 0.1)
    assert master.app_main() is None  # it is told to end
    assert master._exit_code == EXIT_JOURNAL
    assert {call[0] for call in program.heard()} <= {"notice"}
    assert {call[0] for call in slave.heard()} <= {"run", "code"}


def test_while_the_journal_has_no_room_tasks_wait_and_outcomes_get_out(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master(classes=(BrittleJournal,), journal__store="BrittleJournal")
    program = peer_at(master, "application-1", more={"held": "held"})
    attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a")
    BrittleJournal.made.lack = "the disk of the journal is full: 17 bytes are free"
    program.call("push_tasks", 2, 0, [[0, {}]], [b"b"])
    assert program.next("held") == ("the disk of the journal is full: 17 bytes are free",)
    status = master.status()
    assert status["journal"]["problem"] == status["tasks"]["held_because"] == BrittleJournal.made.lack
    work(a_slave(peer_at, master), 1)
    assert outcomes(program, 1) == {1: (FINISHED, b"a")}
    BrittleJournal.made.lack = ""
    assert program.next("accepted") == (2,)


def test_payloads_beyond_the_memory_are_in_the_journal(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master(master__memory_bytes_max=str(1 << 20))
    program = peer_at(master, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    payloads = [bytes([number]) * 200_000 for number in range(20)]
    for task_id, payload in enumerate(payloads, 1):
        push(program, task_id, payload)
    assert master.status()["tasks"]["stored_bytes"] > 1 << 20
    slave = peer_at(master, "slave-1")
    slave.join("slave", workers=1, window=50)
    work(slave, 20)
    assert outcomes(program, 20) == {
        task_id: (FINISHED, payload) for task_id, payload in enumerate(payloads, 1)
    }


def test_after_a_crash_tasks_wait_for_a_slave_that_may_have_them(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    first = make_master()
    program = peer_at(first, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a")
    slave = peer_at(first, "slave-1", more={"stored": "durable"})
    slave.join("slave", workers=1, window=5)
    (number,) = slave.next("run")[2]
    push(program, 2, b"b")  # that it is accepted says that the slave is kept, too
    second = make_master(crashed(tmp_path, first))
    stranger = a_slave(peer_at, second, "slave-2")
    assert [call for call in stranger.heard() if call[0] == "run"] == []
    back = peer_at(second, "slave-1", more={"stored": "durable"})
    back.join("slave", workers=1, window=5)
    assert second.dispatcher.ledger.returning.is_waiting
    back.call("holding", [number], [])
    assert not second.dispatcher.ledger.returning.is_waiting
    push_again = peer_at(second, "application-2")
    attach(push_again, name="hunt")
    push(push_again, 3, b"c")
    given = [*stranger.next("run")[2]]
    assert number not in given  # it is where it was
    back.call("done", [number], [FINISHED], [b"a"], 0.1)
    assert outcomes(push_again, 1) == {1: (FINISHED, b"a")}


def test_after_a_crash_no_task_waits_for_a_slave_whose_process_has_ended(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    """It has a name of its own, by which that cannot be told."""
    print_process = "from concurrent.core.process.identity import this_process; print(this_process())"
    ended = subprocess.run([sys.executable, "-c", print_process], capture_output=True, text=True, check=True)
    first = make_master()
    program = peer_at(first, "application-1")
    attach(program, name="hunt", keep_s=100.0)
    push(program, 1, b"a")
    slave = peer_at(first, "slave-anna-1-0123abcd", more={"stored": "durable"})
    slave.join("slave", workers=1, window=5, process=ended.stdout.strip())
    assert slave.next("run")[3] == [b"a"]
    second = make_master(crashed(tmp_path, first))
    assert not second.dispatcher.ledger.returning.is_waiting
    assert a_slave(peer_at, second, "slave-2").next("run")[3] == [b"a"]
