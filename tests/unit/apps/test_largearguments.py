"""Large arguments of many calls: sent once, known by their content, never more than there may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from concurrent.apps.integrations import largearguments
from concurrent.apps.integrations.largearguments import LargeArguments, StandIns, size_of
from concurrent.scheduling.pickling.code import ReceivedCode
from concurrent.scheduling.pickling.codebook import CodeBook

MIB = 1 << 20


class Wire:
    """Pickles arguments as a program does, and unpickles them as a worker does; counts what travels."""

    def __init__(self) -> None:
        self.book = CodeBook()
        self.worker = ReceivedCode()
        self.size_bytes = 0

    def carry(self, argument: Any) -> Any:
        payload = self.book.dumps_payload((len, [argument]))
        self.size_bytes += len(payload)
        for index in range(self.worker.blob_count, self.book.blob_count):
            self.worker.take(index, self.book.blob_at(index))
            self.size_bytes += len(self.book.blob_at(index))
        return self.worker.loads_payload(payload)[1][0]


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.worker.leave()


def test_an_array_of_fifty_calls_travels_with_the_first_and_once_for_the_others(wire: Wire) -> None:
    array = np.arange(MIB, dtype=float)
    large = LargeArguments(StandIns(CodeBook()), MIB, is_writable=False)
    for _ in range(50):
        assert np.array_equal(wire.carry(large.replaced(array)), array)
    assert 2 * array.nbytes < wire.size_bytes < 2.01 * array.nbytes


def test_a_later_job_sends_equal_bytes_no_more_and_sees_what_has_changed(wire: Wire) -> None:
    array, stand_ins = np.zeros(MIB), StandIns(CodeBook())
    first = LargeArguments(stand_ins, MIB, is_writable=False)
    for _ in range(3):
        wire.carry(first.replaced(array))
    before = wire.size_bytes
    again = LargeArguments(stand_ins, MIB, is_writable=False)
    copied = array.copy()
    again.replaced(copied)
    assert wire.carry(again.replaced(copied)).sum() == 0
    assert wire.size_bytes - before < 1000
    array[0] = 7
    later = LargeArguments(stand_ins, MIB, is_writable=False)
    later.replaced(array)
    assert wire.carry(later.replaced(array))[0] == 7


@pytest.mark.parametrize("is_writable", [False, True])
def test_calls_get_views_that_cannot_be_written_to_or_copies(wire: Wire, is_writable: bool) -> None:
    array = np.zeros((MIB, 2), order="F")
    large = LargeArguments(StandIns(CodeBook()), MIB, is_writable=is_writable)
    large.replaced(array)
    there = wire.carry(large.replaced(array))
    assert there.flags.writeable is is_writable
    assert there.flags.f_contiguous
    if is_writable:
        there[0, 0] = 1
        assert wire.carry(large.replaced(array))[0, 0] == 0


def test_small_arguments_and_those_of_one_call_are_left_as_they_are() -> None:
    large = LargeArguments(StandIns(CodeBook()), MIB, is_writable=False)
    for argument in (np.zeros(10), np.zeros(MIB), "x" * 2 * MIB, None):
        assert large.replaced(argument) is argument


def test_arrays_of_objects_travel_with_each_call() -> None:
    large = LargeArguments(StandIns(CodeBook()), MIB, is_writable=False)
    array = np.array([{"a": 1}] * (MIB // 4), dtype=object)
    large.replaced(array)
    assert large.replaced(array) is array


def test_what_finds_no_room_travels_with_each_call_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(largearguments, "TOTAL_BYTES_MAX", 10 * MIB)
    large = LargeArguments(StandIns(CodeBook()), MIB, is_writable=False)
    arrays = [np.full(MIB, number, dtype=float) for number in range(4)]
    for array in arrays:
        large.replaced(array)
    assert large.replaced(arrays[0]) is not arrays[0]
    assert [large.replaced(array) is array for array in arrays[1:]] == [True, True, True]
    (record,) = caplog.records
    assert "keep 8 MiB" in record.getMessage()


def test_room_is_left_for_code(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    monkeypatch.setattr(largearguments, "CODE_BYTES_MAX", largearguments.SPARE_BYTES + 12 * MIB)
    first, second = np.zeros(MIB), np.ones(MIB)
    large = LargeArguments(StandIns(wire.book), MIB, is_writable=False)
    for array in (first, second):
        large.replaced(array)
    assert large.replaced(first) is not first
    wire.carry(large.replaced(first))
    assert large.replaced(second) is second


def test_tables_and_sparse_matrices_have_sizes_too() -> None:
    pandas, sparse = pytest.importorskip("pandas"), pytest.importorskip("scipy.sparse")
    table = pandas.DataFrame({"a": np.zeros(MIB), "b": np.ones(MIB)})
    assert size_of(table) >= 16 * MIB
    assert size_of(table["a"]) >= 8 * MIB
    assert size_of(sparse.csr_array(np.ones((1, MIB)))) >= 8 * MIB
    assert size_of([1]) == 0


def test_tables_arrive_as_they_are(wire: Wire) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": np.arange(MIB), "b": np.ones(MIB)})
    large = LargeArguments(StandIns(CodeBook()), MIB, is_writable=False)
    large.replaced(table)
    before = wire.size_bytes
    assert wire.carry(large.replaced(table)).equals(table)
    assert wire.carry(large.replaced(table)).equals(table)
    assert wire.size_bytes - before < 17 * MIB
