"""A slave's task manager with real workers, and a master that is played by the test."""

from __future__ import annotations

import pickle
import queue
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from concurrent.core import Environment
from concurrent.core.errors import ConnectionLost
from concurrent.scheduling.pickling.payload import PROTOCOL
from concurrent.scheduling.processes.zygote import Zygote
from concurrent.scheduling.projects.cache import ProjectCache
from concurrent.scheduling.projects.collecting import ProjectFile
from concurrent.scheduling.projects.packing import PackedProject, pack
from concurrent.scheduling.slave import unconfirmed
from concurrent.scheduling.slave.cluster import Cluster
from concurrent.scheduling.slave.taskmanager import GenericTaskManager
from concurrent.scheduling.wire.messages import to_master, to_slave
from concurrent.scheduling.wire.projectblobs import EMPTY_PART
from concurrent.scheduling.worker.sharedmemory import RESULT_BYTES_MAX
from concurrent.transport.calls.declaration import Message
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.frames.blocks import NewBlock
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.envelope import encode_body, make_header
from concurrent.transport.session.messages import Kind
from tests.integration.scheduling import workloads
from tests.integration.scheduling.pool_user import TIMEOUT_S, Gate, wait_until

OWNER = 3


class Master:
    """A session with a master, and the client that it is on."""

    peer_bytes_max = 1 << 30
    on_room: Callable[[], None]
    new_block: NewBlock

    def __init__(self, node_id: str = "master-1") -> None:
        self.node_id = node_id
        self.message_counts = (0, 0)
        self.acknowledges = True
        self.methods = MethodRegistry()
        self.has_room = True
        self.is_lost = False
        self.reasons: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.done: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self.held: queue.SimpleQueue[tuple[list[int], list[int]]] = queue.SimpleQueue()
        self.lacks: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.returned: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
        self.question: Future[Any] = Future()

    def receive_into(self, new_block: NewBlock) -> None:
        self.new_block = new_block

    def cast(self, message: Message, *args: Any) -> None:
        if self.is_lost:
            raise ConnectionLost("the master is gone")
        count, acknowledged = self.message_counts
        self.message_counts = (count + 1, count + 1 if self.acknowledges else acknowledged)
        if message is to_master.holding:
            self.held.put((args[0], args[1]))
        elif message is to_master.lacks:
            self.lacks.put(args[0])
        elif message is to_master.returned:
            self.returned.put(args[0])
        elif message is to_master.done:
            numbers, _statuses, payloads, _task_s = args
            for number, payload in zip(numbers, payloads, strict=True):
                self.done.put((number, pickle.loads(bytes(payload))))

    def peer_has(self, feature: str) -> bool:
        return feature == to_slave.DURABLE

    def call(self, message: Message) -> Future[Any]:
        """Answer when the test wants that."""
        assert message is to_master.count_workers
        self.question = Future[Any]()
        return self.question

    def close(self, reason: str) -> None:
        self.reasons.put(reason)


class Slave:
    """The manager, and a master that sends it tasks."""

    def __init__(self, loop: NodeLoop, zygote: Zygote, options: Mapping[str, str] = {}) -> None:
        self._loop = loop
        self.manager = Environment(variables=options)[GenericTaskManager]
        self.master = Master()
        zygote.attach(loop)
        self.on_loop(self.manager.open, loop, zygote, 1)
        self.manager.register_methods(self.master)  # type: ignore[arg-type]
        self.on_loop(self.manager.joined, self.master, "127.0.0.1", {"kind": "session"})

    def on_loop(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self._loop.call(fn, *args, timeout_s=TIMEOUT_S)

    def run(self, number: int, function: Any, *args: Any, owner: int = OWNER) -> None:
        payload: Any = pickle.dumps((function, args, {}), PROTOCOL)
        if len(payload) >= 65536:
            header = make_header(Kind.CAST, 1, 0, encode_body(("run", [owner, 0], {}), "run").data)
            block = self.master.new_block(len(payload), header)
            block[:] = payload
            payload = Frame(block)
        method = next(one for one in self.master.methods if one.name == "run")
        self.on_loop(method.function, None, None, owner, 0, [number], [payload])

    def tell(self, name: str, *args: Any) -> None:
        method = next(one for one in self.master.methods if one.name == name)
        self.on_loop(method.function, None, None, *args)

    def stop(self) -> None:
        self.on_loop(self.manager.drain, 0.0).result(TIMEOUT_S)
        self.on_loop(self.manager.close)


@pytest.fixture
def slave(loop: NodeLoop, zygote: Zygote) -> Iterator[Slave]:
    made = Slave(loop, zygote)
    yield made
    made.stop()


def test_large_arguments_are_received_into_memory_that_workers_read(slave: Slave) -> None:
    for number in range(20):
        slave.run(number, workloads.size_and_kind, bytes(1_000_000))
        assert slave.master.done.get(timeout=TIMEOUT_S) == (number, (1_000_000, "bytes"))


def test_large_arguments_lie_where_only_the_workers_of_their_owner_read(slave: Slave) -> None:
    pool = slave.manager.pool
    header = make_header(Kind.CAST, 1, 0, encode_body(("run", [OWNER, 0], {}), "run").data)
    other = make_header(Kind.CAST, 2, 0, encode_body(("other", [OWNER], {}), "other").data)
    frames = [Frame(slave.on_loop(slave.master.new_block, 100_000, one)) for one in (header, header, other)]
    places = [slave.on_loop(pool._crews.of(OWNER).memory.position_of, frame) for frame in frames]
    assert None not in places[:2]
    assert places[2] is None
    assert slave.on_loop(pool._crews.of(OWNER + 1).memory.position_of, frames[0]) is None


def test_results_wait_at_the_workers_while_the_master_takes_no_more(slave: Slave, gate: Gate) -> None:
    slave.master.has_room = False
    slave.run(1, workloads.square, 2)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.run(2, workloads.square, 3)
    slave.run(3, workloads.hold, gate.port)
    pid = gate.wait_for_one()  # by then the worker has sent the result of task 2
    slave.on_loop(slave.manager.snapshot)
    assert slave.master.done.empty()
    slave.master.has_room = True
    slave.on_loop(slave.master.on_room)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (2, 9)
    gate.release(pid)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (3, "released")


def test_a_new_master_gets_results_though_the_former_one_took_none(slave: Slave) -> None:
    slave.master.has_room = False
    slave.run(1, workloads.square, 2)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.on_loop(slave.manager.left)
    slave.master.has_room = True
    slave.master.node_id = "master-2"
    slave.on_loop(slave.manager.joined, slave.master, "127.0.0.1", {"kind": "session"})
    slave.run(1, workloads.square, 3)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 9)


def test_a_slave_that_drains_waits_for_no_master_that_has_left(slave: Slave, gate: Gate) -> None:
    slave.master.has_room = False
    slave.run(1, workloads.square, 2)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.run(2, workloads.hold_for_bytes, gate.port, RESULT_BYTES_MAX + 1)
    pid = gate.wait_for_one()
    drained = slave.on_loop(slave.manager.drain, 100 * TIMEOUT_S)
    gate.release(pid)
    slave.on_loop(slave.manager.left)
    drained.result(TIMEOUT_S)


def test_a_former_master_that_has_room_is_none_of_the_next_ones(slave: Slave, gate: Gate) -> None:
    former = slave.master
    slave.on_loop(slave.manager.left)
    slave.master = Master("master-2")
    slave.master.methods = former.methods
    slave.on_loop(slave.manager.joined, slave.master, "127.0.0.1", {"kind": "session"})
    slave.master.has_room = False
    slave.run(1, workloads.square, 2)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.on_loop(former.on_room)
    slave.run(2, workloads.square, 3)
    slave.run(3, workloads.hold, gate.port)
    gate.release(gate.wait_for_one())
    slave.on_loop(slave.manager.snapshot)
    assert slave.master.done.empty()


def test_a_session_that_takes_no_outcomes_is_ended(slave: Slave) -> None:
    slave.master.is_lost = True
    slave.run(1, workloads.square, 2)
    assert slave.master.reasons.get(timeout=TIMEOUT_S) == "the master is gone"


def rejoin(slave: Slave) -> None:
    slave.on_loop(slave.manager.joined, slave.master, "127.0.0.1", {"kind": "session"})


def test_what_was_done_while_the_master_was_away_is_brought_when_it_is_back(slave: Slave, gate: Gate) -> None:
    slave.run(1, workloads.hold, gate.port)
    slave.run(2, workloads.square, 3)
    pid = gate.wait_for_one()
    slave.on_loop(slave.manager.left)
    gate.release(pid)
    wait_until(lambda: slave.on_loop(slave.manager.snapshot)["done"] == 1, "the task ends")
    assert slave.master.done.empty()
    rejoin(slave)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, "released")
    slave.run(3, workloads.square, 4)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (3, 16), "what had not started was dropped"


def test_each_master_is_told_why_nothing_is_wanted(loop: NodeLoop, zygote: Zygote, gate: Gate) -> None:
    slave = Slave(loop, zygote, {"CONCURRENT_SLAVE__MEMORY_RESERVE": "1024TiB"})
    try:
        slave.run(1, workloads.hold, gate.port)
        pid = gate.wait_for_one()
        why = "less memory is free there than slave.memory_reserve=1PiB"
        assert slave.master.lacks.get(timeout=TIMEOUT_S) == why
        slave.on_loop(slave.manager.left)
        rejoin(slave)
        assert slave.master.lacks.get(timeout=TIMEOUT_S) == why
        gate.release(pid)
    finally:
        slave.stop()


def test_a_slave_that_is_drained_hands_back_what_has_not_begun_and_begins_nothing(
    slave: Slave, gate: Gate
) -> None:
    slave.run(1, workloads.hold, gate.port)
    pid = gate.wait_for_one()
    slave.run(2, workloads.square, 2)
    slave.tell("drained", "admin:kim")
    assert slave.master.returned.get(timeout=TIMEOUT_S) == [2]
    slave.run(3, workloads.square, 3)  # it was on its way
    assert slave.master.returned.get(timeout=TIMEOUT_S) == [3]
    assert slave.on_loop(slave.manager.snapshot)["drained_by"] == "admin:kim"
    gate.release(pid)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, "released")
    slave.tell("drained", "")
    slave.run(4, workloads.square, 4)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (4, 16)
    assert slave.on_loop(slave.manager.snapshot)["drained_by"] == ""


def test_the_next_master_says_whether_a_slave_is_drained(slave: Slave) -> None:
    slave.tell("drained", "admin:kim")
    slave.on_loop(slave.manager.left)
    rejoin(slave)
    slave.run(1, workloads.square, 2)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)


def test_what_the_master_did_not_acknowledge_is_brought_again(slave: Slave) -> None:
    slave.run(1, workloads.square, 2)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.master.acknowledges = False
    slave.run(2, workloads.square, 3)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (2, 9)
    slave.on_loop(slave.manager.left)
    rejoin(slave)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (2, 9)


def test_a_task_that_still_runs_is_not_begun_again(slave: Slave, gate: Gate) -> None:
    slave.run(1, workloads.hold, gate.port)
    pid = gate.wait_for_one()
    slave.on_loop(slave.manager.left)
    rejoin(slave)
    slave.run(1, workloads.hold, gate.port)  # the master does not know yet
    gate.release(pid)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, "released")
    slave.run(2, workloads.square, 3)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (2, 9)


DURABLE = Cluster("cluster", epoch=1, is_durable=True, return_s=100.0)


def join(slave: Slave, cluster: Cluster) -> None:
    """Have the slave join the next master of a cluster, with a session of its own."""
    methods = slave.master.methods
    slave.master = Master()
    slave.master.methods = methods
    slave.on_loop(slave.manager.joined, slave.master, "127.0.0.1", {"kind": "session"}, cluster)


def test_what_a_slave_has_goes_on_through_a_restart_of_its_master(slave: Slave, gate: Gate) -> None:
    join(slave, DURABLE)
    slave.run(1, workloads.hold, gate.port)
    first = gate.wait_for_one()  # it is alone, so its result does not wait for others
    for number in (2, 3):
        slave.run(number, workloads.hold, gate.port)
    slave.on_loop(slave.manager.left)
    gate.release(first)
    second = gate.wait_for_one()
    wait_until(lambda: slave.on_loop(slave.manager.snapshot)["done"] == 1, "the slave has the result")
    join(slave, DURABLE._replace(epoch=2))
    assert slave.master.held.get(timeout=TIMEOUT_S) == ([2, 3], [1])
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, "released")
    gate.release(second)
    gate.release(gate.wait_for_one())
    assert [slave.master.done.get(timeout=TIMEOUT_S) for _ in range(2)] == [(2, "released"), (3, "released")]


def test_outcomes_are_brought_again_until_a_durable_master_has_stored_them(slave: Slave) -> None:
    join(slave, DURABLE)
    for number in (1, 2, 3):
        slave.run(number, workloads.square, number)
        assert slave.master.done.get(timeout=TIMEOUT_S) == (number, number * number)
    stored = next(one for one in slave.master.methods if one.name == "stored")
    slave.on_loop(stored.function, None, None, 1)
    slave.on_loop(slave.manager.left)
    join(slave, DURABLE)
    assert slave.master.held.get(timeout=TIMEOUT_S) == ([], [2, 3])
    assert [slave.master.done.get(timeout=TIMEOUT_S) for _ in range(2)] == [(2, 4), (3, 9)]


def test_large_results_are_brought_again_too(slave: Slave) -> None:
    join(slave, DURABLE)
    slave.run(1, bytes, 1_000_000)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, bytes(1_000_000))
    slave.on_loop(slave.manager.left)
    join(slave, DURABLE)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, bytes(1_000_000))


@pytest.mark.parametrize("is_away", [True, False])
def test_workers_wait_with_results_while_too_much_is_kept(
    slave: Slave, gate: Gate, monkeypatch: pytest.MonkeyPatch, *, is_away: bool
) -> None:
    monkeypatch.setattr(unconfirmed, "KEPT_BYTES_MAX", 1000)
    join(slave, DURABLE)
    if is_away:
        slave.on_loop(slave.manager.left)
    slave.run(1, bytes, 1000)
    wait_until(lambda: slave.on_loop(slave.manager.snapshot)["done"] == 1, "the task ends")
    slave.run(2, workloads.square, 3)
    slave.run(3, workloads.hold, gate.port)
    pid = gate.wait_for_one()  # by then the worker has sent the result of task 2
    assert slave.on_loop(slave.manager.snapshot)["done"] == 1
    if is_away:
        join(slave, DURABLE)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, bytes(1000))
    stored = next(one for one in slave.master.methods if one.name == "stored")
    slave.on_loop(stored.function, None, None, 1)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (2, 9)
    gate.release(pid)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (3, "released")


def test_what_has_not_begun_is_dropped_when_no_master_comes(slave: Slave, gate: Gate) -> None:
    hasty = DURABLE._replace(return_s=0.1)
    join(slave, hasty)
    slave.run(1, workloads.hold, gate.port)
    slave.run(2, workloads.square, 3)
    pid = gate.wait_for_one()
    slave.on_loop(slave.manager.left)
    wait_until(lambda: slave.on_loop(slave.manager.snapshot)["waiting"] == 0, "the slave gives up")
    join(slave, hasty)
    assert slave.master.held.get(timeout=TIMEOUT_S) == ([1], [])
    gate.release(pid)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, "released")


def test_what_a_master_sends_that_does_not_know_yet_what_is_here_is_not_begun(slave: Slave) -> None:
    join(slave, DURABLE)
    slave.run(1, workloads.square, 2)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.on_loop(slave.manager.left)
    join(slave, DURABLE)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.run(1, workloads.square, 5)
    slave.on_loop(slave.master.question.set_result, 1)
    slave.run(2, workloads.square, 3)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (2, 9)
    slave.run(1, workloads.square, 6)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 36), "it knows what it says"


def test_the_code_of_an_application_that_has_left_meanwhile_is_dropped(slave: Slave, gate: Gate) -> None:
    join(slave, DURABLE)
    slave.run(1, workloads.square, 2, owner=8)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.run(2, workloads.hold, gate.port, owner=9)
    pid = gate.wait_for_one()
    slave.on_loop(slave.manager.left)
    join(slave, DURABLE)
    assert slave.manager.pool.owners == {9}
    gate.release(pid)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4), "it is not stored yet"
    assert slave.master.done.get(timeout=TIMEOUT_S) == (2, "released")
    wait_until(lambda: not slave.manager.pool.owners, "nothing of it is left")


@pytest.mark.parametrize("cluster", [DURABLE, Cluster("another", epoch=1)])
def test_the_project_of_an_application_that_has_left_meanwhile_is_held_no_more(
    loop: NodeLoop, zygote: Zygote, tmp_path: Path, cluster: Cluster
) -> None:
    project, other = (pack([ProjectFile(name, b"text")], "/home/me/shop") for name in ("one", "other"))

    def unpack(packed: PackedProject) -> None:
        """Do as another slave of the machine does, whose cache is full."""
        cache = ProjectCache(tmp_path, bytes_max=0)
        cache.unpack(packed.manifest, [blob[4:] for blob in packed.blobs[1:]])
        cache.close()

    def is_kept() -> bool:
        unpack(other)
        return bool(list(tmp_path.rglob(project.manifest.digest)))

    slave = Slave(loop, zygote, {"CONCURRENT_SLAVE__PROJECT_FOLDER": str(tmp_path)})
    try:
        unpack(project)
        join(slave, DURABLE)
        for index, blob in enumerate([project.blobs[0], EMPTY_PART]):
            slave.tell("code", 8, index, blob)
        wait_until(lambda: slave.on_loop(slave.manager.pool.code_count, 8) == 2, "the project is there")
        assert is_kept()
        slave.on_loop(slave.manager.left)
        join(slave, cluster)
        wait_until(lambda: not is_kept(), "nobody uses it")
    finally:
        slave.stop()


def test_nothing_of_a_former_master_reaches_another_one(slave: Slave, gate: Gate) -> None:
    slave.master.acknowledges = False
    slave.run(1, workloads.square, 2)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (1, 4)
    slave.run(2, workloads.hold, gate.port)
    gate.wait_for_one()
    slave.on_loop(slave.manager.left)
    slave.master.node_id = "master-2"
    rejoin(slave)
    slave.run(2, workloads.square, 5)
    assert slave.master.done.get(timeout=TIMEOUT_S) == (2, 25)
    assert slave.master.done.empty()
