"""Memory: a task takes no more than it asked for, and workers that have grown are replaced."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from concurrent.scheduling.processes.cgroups import Groups
from concurrent.scheduling.processes.memory import MemoryReader, ProcMemory, PsutilMemory
from concurrent.scheduling.slave import shortage
from concurrent.scheduling.slave.limits import Bounds
from concurrent.scheduling.slave.offer import Offer
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import CANCELLED, FINISHED, OUT_OF_MEMORY, Ended
from concurrent.scheduling.tasks.runterms import RunTerms
from tests.integration.scheduling import memory_tasks, workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import Gate, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as on Linux")

SLOW_S = 60.0
MEMORY_OFFER = Offer({"memory": 1 << 30})
LIMITED = RunTerms(resources=Claim.of({"memory": "300MiB"}))


def test_a_task_over_its_memory_ends_with_the_figures_and_others_live(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=2)
    (neighbour,) = user.push((workloads.hold, gate.port, "lives"), terms=LIMITED)
    pid = gate.wait_for_one()
    (greedy,) = user.push((memory_tasks.take, 400, SLOW_S), terms=LIMITED)
    status, payload = user.outcome(greedy)
    ended = Ended.read(payload)
    assert status == OUT_OF_MEMORY
    assert "may take 300MiB" in ended.reason
    assert re.match(r"it took [34]\d\d(\.\d)?MiB of memory", ended.reason)
    assert "worker" in ended.where
    gate.release(pid)
    assert user.result(neighbour) == "lives"
    assert user.pool_status().deaths == 0


def test_what_earlier_tasks_left_in_their_worker_is_not_charged_to_a_later_one(
    make_pool: MakePool, tmp_path: Path
) -> None:
    user = make_pool(size=1, offer=MEMORY_OFFER)
    notes = tmp_path / "notes"
    leaky, innocent, after = (
        user.push((memory_tasks.leak, 200), terms=LIMITED)[0],
        user.push((memory_tasks.note_and_take, str(notes), 200, 1.5), terms=LIMITED)[0],
        user.push((abs, -2), terms=LIMITED)[0],
    )
    first, second = user.result(leaky), user.result(innocent)
    assert notes.read_text().split() == [str(first), str(second)]
    assert first != second
    assert user.result(after) == 2
    assert user.pool_status().deaths == 0


def test_a_task_that_takes_it_itself_runs_once_more_at_most(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1, offer=MEMORY_OFFER)
    notes = tmp_path / "notes"
    greedy = memory_tasks.note_and_take, str(notes), 400, SLOW_S
    for count in (1, 2):
        (number,) = user.push(greedy, terms=LIMITED)
        status, payload = user.outcome(number)
        assert status == OUT_OF_MEMORY
        assert re.match(r"it took [34]\d\d(\.\d)?MiB of memory, and may take", Ended.read(payload).reason)
        assert len(notes.read_text().split()) == count
        notes.write_text("")
        user.result(user.push((abs, -1), terms=LIMITED)[0])  # the next one has a worker that was used


def test_one_that_is_to_run_again_can_be_cancelled(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1, offer=MEMORY_OFFER)
    user.result(user.push((abs, -1), terms=LIMITED)[0])
    notes = tmp_path / "notes"
    (number,) = user.push((memory_tasks.note_and_take, str(notes), 400, SLOW_S), terms=LIMITED)
    wait_until(lambda: notes.exists() and len(notes.read_text().split()) == 2, "it runs again")
    assert number in user.on_loop(user.pool.open_numbers)
    user.on_loop(user.pool.cancel, [number])
    assert user.status(number) in (CANCELLED, OUT_OF_MEMORY)


def test_several_run_again_at_once(make_pool: MakePool) -> None:
    user = make_pool(size=2, offer=MEMORY_OFFER)
    leaks = user.push(*[(memory_tasks.leak, 200, 0.3)] * 2, terms=LIMITED)
    pids = {user.result(number) for number in leaks}
    assert len(pids) == 2
    numbers = user.push(*[(memory_tasks.take, 200, 1.5)] * 2, terms=LIMITED)
    assert pids.isdisjoint(user.result(number) for number in numbers)


def test_a_worker_that_grows_with_its_tasks_is_replaced_before_it_is_full(make_pool: MakePool) -> None:
    user = make_pool(size=1, offer=MEMORY_OFFER)
    pids = [user.result(user.push((memory_tasks.leak, 60, 0.2), terms=LIMITED)[0]) for _ in range(8)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [4, 4]
    assert user.pool_status().deaths == 0


def test_what_the_first_task_has_loaded_is_no_growth(make_pool: MakePool) -> None:
    user = make_pool(size=1, offer=MEMORY_OFFER)
    pids = [user.result(user.push((memory_tasks.leak, 220), terms=LIMITED)[0])]
    pids += [user.result(user.push((memory_tasks.take, 1), terms=LIMITED)[0]) for _ in range(5)]
    assert len(set(pids)) == 1


def test_a_worker_enters_its_control_group_before_its_first_task(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1, offer=MEMORY_OFFER, groups=Groups(tmp_path, tmp_path / "slave", shutil.rmtree))
    (number,) = user.push((memory_tasks.doors, str(tmp_path)), terms=LIMITED)
    assert user.result(number) == ["0"]
    (number,) = user.push((memory_tasks.take, 1))
    user.result(number)
    (group,) = tmp_path.iterdir()  # who asks for no memory has none
    assert (group / "memory.max").read_text() == str(300 << 20)


def test_a_task_that_the_kernel_has_killed_for_its_memory_ends_with_the_figures(
    make_pool: MakePool, tmp_path: Path
) -> None:
    notes, folder = tmp_path / "notes", tmp_path / "groups"
    folder.mkdir()
    user = make_pool(size=1, offer=MEMORY_OFFER, groups=Groups(folder, folder / "slave", shutil.rmtree))
    before, greedy, after = (
        user.push((abs, -1), terms=LIMITED)[0],
        user.push((memory_tasks.be_killed_by_kernel, str(folder), str(notes)), terms=LIMITED)[0],
        user.push((abs, -2), terms=LIMITED)[0],
    )
    assert user.result(before) == 1
    status, payload = user.outcome(greedy)
    assert status == OUT_OF_MEMORY
    reason = Ended.read(payload).reason
    assert reason == "the kernel ended it: it took 300MiB of memory, and may take 300MiB"
    assert len(set(notes.read_text().split())) == 2  # once more, in a new worker
    assert user.result(after) == 2
    assert user.pool_status().deaths == 0
    assert len(list(folder.iterdir())) == 1  # that of the next worker


def test_what_its_children_take_counts_too(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    (greedy,) = user.push((memory_tasks.take_in_children, 120, 3, SLOW_S), terms=LIMITED)
    status, payload = user.outcome(greedy)
    assert status == OUT_OF_MEMORY
    assert "with 4 processes" in Ended.read(payload).reason


def test_what_copies_of_a_process_share_counts_once(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    (number,) = user.push((memory_tasks.share_with_children, 200, 3, 1.5), terms=LIMITED)
    assert user.result(number) == "200 MiB"


def test_what_a_worker_has_in_common_with_others_is_not_charged_to_a_small_claim(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    inherited = user.result(user.push((memory_tasks.figures,))[0])
    assert inherited[0] > inherited[1]
    limit = (inherited[0] + inherited[1]) // 2
    small = RunTerms(resources=Claim.of({"memory": limit}))
    (number,) = user.push((time.sleep, 1.5), terms=small)
    assert user.status(number) == FINISHED


def test_a_task_within_its_memory_is_left_alone(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    (number,) = user.push((memory_tasks.take, 200, 1.0), terms=LIMITED)
    assert user.status(number) == FINISHED


def test_a_worker_that_has_grown_is_replaced_between_two_tasks(make_pool: MakePool) -> None:
    user = make_pool(size=1, bounds=Bounds(worker_memory=200 << 20))
    small = user.results((memory_tasks.leak, 10))
    assert user.results((memory_tasks.leak, 10)) == small
    assert user.results((memory_tasks.take, 300, 0.5)) == small  # it is over by then, and has given it back
    large = user.results((memory_tasks.leak, 300))
    wait_until(lambda: large[0] not in user.pool_status().running, "the worker is replaced")
    assert user.results((memory_tasks.leak, 10)) != large
    assert user.pool_status().deaths == 0


def test_tasks_behind_one_that_makes_its_worker_grow_run_elsewhere(make_pool: MakePool) -> None:
    user = make_pool(size=1, bounds=Bounds(worker_memory=200 << 20))
    first, second = user.push((memory_tasks.take, 300, 3.0), (memory_tasks.take, 1))
    assert user.result(first) != user.result(second)


def test_a_worker_that_did_its_tasks_is_replaced(make_pool: MakePool) -> None:
    user = make_pool(size=1, bounds=Bounds(tasks_per_worker=2))
    pids = user.results(*[(memory_tasks.take, 1)] * 6)
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [2, 2, 2]


def test_a_pool_whose_machine_is_short_of_memory_wants_nothing_from_the_start_and_says_so_once(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shortage, "LOOK_S", 0.05)
    user = make_pool(size=1, bounds=Bounds(memory_reserve=1 << 50))
    assert user.windows == [0]
    assert user.pool_status().window == 0
    assert user.results((abs, -1)) == [1]  # what is sent all the same is done
    assert caplog.text.count("takes no tasks for now") == 1
    assert user.lacks == [user.pool.lacks] == ["less memory is free there than slave.memory_reserve=1PiB"]


@pytest.mark.parametrize("make_reader", [ProcMemory, PsutilMemory])
def test_memory_of_processes_is_measured(make_reader: type[MemoryReader]) -> None:
    reader: MemoryReader = make_reader()
    before = reader.used_bytes(os.getpid()), reader.exact_bytes(os.getpid())
    data = bytearray(b"x" * (1 << 20)) * 100
    after = reader.used_bytes(os.getpid()), reader.exact_bytes(os.getpid())
    assert len(data) == 100 << 20
    for less, more in zip(before, after, strict=True):
        assert 90 << 20 < more - less < 110 << 20
    child = os.fork()
    if child == 0:
        os.read(0, 1)
        os._exit(0)
    try:
        assert child in reader.trees([os.getpid()])[os.getpid()]
        assert reader.trees([child]) == {child: [child]}
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert reader.used_bytes(child) == reader.exact_bytes(child) == 0
