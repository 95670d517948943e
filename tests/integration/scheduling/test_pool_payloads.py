"""Large arguments and results between a pool and its workers, through shared memory and without."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from functools import partial

import pytest

from concurrent.scheduling.tasks.outcome import DIED
from concurrent.scheduling.worker import sharedmemory
from concurrent.transport.frames.frames import Frame
from tests.integration.scheduling import marks, workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import Gate

MIB = 1024 * 1024


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("size", [1, 70_000, MIB, 5 * MIB, 40 * MIB, 70 * MIB])
def test_bytes_of_any_size_travel_there_and_back(make_pool: MakePool, size: int, in_memory: bool) -> None:
    data = os.urandom(size)
    user = make_pool(size=1)
    user.receives_into_memory = in_memory
    assert user.results((workloads.echo, data)) == [data]
    assert user.results((workloads.size_and_kind, bytearray(data))) == [(size, "bytearray")]


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("size", [1000, 100_000, MIB, 9 * MIB])
def test_a_task_may_change_a_buffer_in_place(make_pool: MakePool, size: int, in_memory: bool) -> None:
    block = workloads.Block(bytearray(size))
    user = make_pool(size=1)
    user.receives_into_memory = in_memory
    (inverted,) = user.results((workloads.invert_in_place, block))
    assert bytes(inverted.data) == b"\xff" + bytes(size - 1)
    assert block.data == bytearray(size)


def test_what_a_task_changes_in_place_is_changed_for_no_other(make_pool: MakePool) -> None:
    user = make_pool(size=2)
    user.receives_into_memory = True
    payload = user.book.dumps_payload((workloads.invert_in_place, (workloads.Block(bytearray(MIB)),), {}))
    frame = Frame(user.received(bytes(payload)))
    for number in user.push_payloads([frame] * 20):
        assert bytes(user.result(number).data) == b"\xff" + bytes(MIB - 1)


def test_a_buffer_that_a_task_keeps_stays_as_it_is(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    user.receives_into_memory = True
    for number in range(10):
        block = workloads.Block(bytearray([number]) * MIB)
        assert user.results((workloads.keep, block)) == [list(range(number + 1))]


def test_memory_of_arguments_and_results_is_used_again(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharedmemory, "ARGUMENT_BYTES", 8 * MIB)
    monkeypatch.setattr(sharedmemory, "RESULT_BYTES_MAX", 8 * MIB)
    user = make_pool(size=1)
    user.receives_into_memory = True
    blob = bytes(3 * MIB)
    places = set()
    for _ in range(20):
        frame = Frame(user.received(bytes(user.book.dumps_payload((len, (blob,), {})))))
        places.add(user.memory.position_of(frame))
        (number,) = user.push_payloads([frame])
        del frame
        assert user.result(number) == len(blob)
    assert None not in places
    for size, finds_room in ((3 * MIB, True), (9 * MIB, False)) * 5:
        _, frame = user.taken(*user.push((bytes, size)))
        assert len(user.book.loads_payload(frame)) == size
        assert isinstance(frame.buffer.obj, ctypes.Array) is finds_room
        del frame


def test_a_worker_that_shares_nothing_gets_its_arguments_all_the_same(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_memory = sharedmemory._new_memory

    def only_for_arguments(size_bytes: int) -> int | None:
        return new_memory(size_bytes) if size_bytes == sharedmemory.ARGUMENT_BYTES else None

    monkeypatch.setattr(sharedmemory, "_new_memory", only_for_arguments)
    user = make_pool(size=1)
    user.receives_into_memory = True
    assert user.memory.position_of(Frame(user.received(bytes(MIB)))) is not None
    data = os.urandom(MIB)
    assert user.results((workloads.echo, data)) == [data]


def test_an_empty_frame_is_a_payload_like_any_other(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    empty, good = user.push_payloads(
        [Frame(bytearray()), user.book.dumps_payload((workloads.square, (3,), {}))]
    )
    assert isinstance(user.error(empty), IndexError)
    assert user.result(good) == 9


def test_memory_of_workers_that_died_and_of_dropped_tasks_is_freed_at_once(
    make_pool: MakePool, gate: Gate
) -> None:
    before = marks.shared_memories()
    user = make_pool(size=1)
    user.receives_into_memory = True
    user.results((workloads.square, 3))
    assert len(marks.shared_memories() - before) == 2  # its arguments and its results
    gc.disable()
    try:
        for _ in range(3):
            result, running, _waiting = user.push((bytes, MIB), (workloads.hold, gate.port), (len, bytes(MIB)))
            assert len(user.book.loads_payload(user.taken(result)[1])) == MIB
            os.kill(gate.wait_for_one(), signal.SIGKILL)
            assert user.status(running) == DIED
        user.results((workloads.square, 3))
        assert len(marks.shared_memories() - before) == 2
        (running, _waiting) = user.push((workloads.hold, gate.port), (len, bytes(MIB)))
        gate.wait_for_one()
        user.stop(timeout_s=0.0)
        assert not marks.shared_memories() - before
    finally:
        gc.enable()


def test_results_stay_at_the_workers_while_they_are_paused(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    assert user.results((workloads.square, 2)) == [4]
    user.on_loop(partial(user.pool.pause_results, is_paused=True))
    square, large, held = user.push(
        (workloads.square, 3), (bytes, MIB), (workloads.hold, gate.port, "released")
    )
    pid = gate.wait_for_one()  # by then the worker has sent the results of the others
    assert user.pool_status().done == 1
    assert len(user.numbers) == 1
    user.on_loop(partial(user.pool.pause_results, is_paused=False))
    assert (user.result(square), len(user.result(large))) == (9, MIB)
    gate.release(pid)
    assert user.result(held) == "released"


def test_more_results_than_there_is_room_for_arrive_when_they_are_paused_no_more(
    make_pool: MakePool,
) -> None:
    user = make_pool(size=2)
    assert user.results((workloads.square, 2)) == [4]
    user.on_loop(partial(user.pool.pause_results, is_paused=True))
    numbers = user.push(*((workloads.repeated, n % 251, 2 * MIB) for n in range(100)))
    user.on_loop(user.pool.status)
    user.on_loop(partial(user.pool.pause_results, is_paused=False))
    for number, task in zip(range(100), numbers, strict=True):
        assert user.result(task) == bytes([number]) * (2 * MIB)


def test_a_worker_that_dies_while_results_are_paused_is_replaced(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    user.on_loop(partial(user.pool.pause_results, is_paused=True))
    large, running = user.push((bytes, MIB), (workloads.hold, gate.port))
    os.kill(gate.wait_for_one(), signal.SIGKILL)
    assert len(user.result(large)) == MIB
    assert user.status(running) == DIED
    (after,) = user.push((workloads.square, 3))
    user.on_loop(partial(user.pool.pause_results, is_paused=False))
    assert user.result(after) == 9


def test_many_large_tasks_pass_through_few_workers(make_pool: MakePool) -> None:
    user = make_pool(size=2)
    blobs = [bytes([n]) * (300_000 + n) for n in range(60)]
    assert user.results(*((workloads.echo, blob) for blob in blobs)) == blobs
