"""Travelling code: what goes by name, what by value, and how often."""

from __future__ import annotations

import collections
import itertools
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any

import cloudpickle
import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.pickling import codewatch
from concurrent.scheduling.pickling.chunk import run_calls
from concurrent.scheduling.pickling.code import ReceivedCode, code_at
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.transport.frames.frames import Frame
from tests.unit.scheduling import plugin_module


class Ends:
    """An application's book and a worker's cache, with the wire between them."""

    def __init__(self, *own_modules: str) -> None:
        self.book = CodeBook(own_modules)
        self.cache = ReceivedCode()
        self._sent_count = 0

    def at_worker(self, value: Any) -> Any:
        """Return what the worker gets of a value that the application sends."""
        return self.load(self.payload(value))

    def payload(self, value: Any) -> bytes | Frame:
        """Return what the application sends of a value."""
        self.book.refresh()
        return self.book.dumps_payload(value)

    def load(self, payload: bytes | Frame) -> Any:
        """Return what the worker gets of a payload, with all code that was made so far."""
        for index in range(self._sent_count, self.book.blob_count):
            self.cache.take(index, self.book.blob_at(index))
        self._sent_count = self.book.blob_count
        return self.cache.loads_payload(payload)

    def at_home(self, value: Any) -> Any:
        """Return what the application gets of a worker's result."""
        return self.book.loads_payload(self.cache.dumps_payload(value))


@pytest.fixture
def ends() -> Ends:
    return Ends(plugin_module.__name__)


@pytest.mark.parametrize("value", [0, 1.5, "text", b"bytes", True, None, [1, {"a": (2,)}], 10**40])
def test_plain_data_needs_no_code(ends: Ends, value: Any) -> None:
    assert ends.at_worker(value) == value
    assert ends.at_home(value) == value
    assert ends.book.blob_count == 0


def test_what_is_installed_travels_by_name(ends: Ends) -> None:
    assert ends.at_worker((os.path.join, collections.OrderedDict, len)) == (
        os.path.join,
        collections.OrderedDict,
        len,
    )
    assert ends.book.blob_count == 0


def test_own_functions_travel_by_value_with_what_they_need(ends: Ends) -> None:
    make = ends.at_worker(plugin_module.make_square)
    assert make is not plugin_module.make_square
    assert make().sides == 4
    assert ends.book.blob_count == 1


def test_own_code_travels_once(ends: Ends) -> None:
    assert ends.at_worker(plugin_module.make_square) is ends.at_worker(plugin_module.make_square)
    first = len(bytes(ends.book.dumps_payload(plugin_module.make_square)))
    assert ends.book.blob_count == 1
    assert first < 100


def test_a_class_that_travelled_with_a_function_is_the_same_class_later(ends: Ends) -> None:
    make = ends.at_worker(plugin_module.make_square)
    square = ends.at_worker(plugin_module.Square())
    assert type(make()) is type(square)
    assert ends.book.blob_count == 1


def test_a_later_blob_refers_to_an_earlier_one(ends: Ends) -> None:
    shape = ends.at_worker(plugin_module.Shape)
    make = ends.at_worker(plugin_module.make_square)
    assert ends.book.blob_count == 2
    assert isinstance(make(), shape)


def test_results_are_instances_of_the_applications_own_class(ends: Ends) -> None:
    shape = ends.at_worker(plugin_module.Shape(3)).doubled()
    home = ends.at_home(shape)
    assert type(home) is plugin_module.Shape
    assert home.sides == 6


def test_own_functions_come_home_as_themselves(ends: Ends) -> None:
    assert ends.at_home(ends.at_worker(plugin_module.countdown)) is plugin_module.countdown


def test_recursive_and_decorated_functions_work(ends: Ends) -> None:
    assert ends.at_worker(plugin_module.countdown)(5) == 5
    assert ends.at_worker(plugin_module.capped)(99) == 20
    assert ends.at_worker(plugin_module.capped)(1) == 2


def test_code_keeps_the_name_of_its_file(ends: Ends) -> None:
    for function in (plugin_module.countdown, lambda: 1):
        arrived = ends.at_worker(function)
        assert arrived is not function
        assert arrived.__code__.co_filename == function.__code__.co_filename


def test_a_payload_has_the_global_names_of_its_time(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ends.payload(plugin_module.capped)
    monkeypatch.setattr(plugin_module, "LIMIT", 50)
    after = ends.payload(plugin_module.capped)
    for _ in range(3):
        assert ends.load(after)(99) == 100
        assert ends.load(before)(99) == 20


def test_a_worker_that_begins_with_a_later_version_has_the_names_of_the_versions_before(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker has run the task with which the names came."""
    ends.payload(plugin_module.capped)
    monkeypatch.setattr(plugin_module, "LIMIT", 20)
    ends.payload(plugin_module.countdown)
    ends.payload(plugin_module.shape_of)
    monkeypatch.setattr(plugin_module.Shape, "name", "changed")
    payload = ends.payload(plugin_module.shape_of)
    assert ends.load(payload)(3).name == "changed"


def test_a_change_in_place_that_is_seen_late_is_warned_of_once(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What takes long to compare is not looked at before each push."""
    monkeypatch.setattr(codewatch, "time", SimpleNamespace(perf_counter=itertools.count().__next__))
    for _ in range(2):
        plugin_module.ITEMS.append(1)
        for _ in range(50):
            payload = ends.payload(plugin_module.item_count)
        assert ends.load(payload)() == len(plugin_module.ITEMS)
    assert caplog.text.count("ITEMS of tests.unit.scheduling.plugin_module was changed in place") == 1
    assert "may have its old value" in caplog.text


def test_what_is_in_an_own_package_is_own() -> None:
    ends = Ends("tests.unit")
    assert ends.at_worker(plugin_module.countdown) is not plugin_module.countdown
    assert Ends("tests.unit.sched").at_worker(plugin_module.countdown) is plugin_module.countdown


def test_cloudpickle_is_left_as_it_was(ends: Ends) -> None:
    before = cloudpickle.list_registry_pickle_by_value()
    ends.at_worker((plugin_module.make_square, lambda: 1))
    assert cloudpickle.list_registry_pickle_by_value() == before


def test_books_of_several_threads_do_not_disturb_each_other() -> None:
    results: list[int] = []

    def use_a_book() -> None:
        for _ in range(20):
            ends = Ends(plugin_module.__name__)
            results.append(ends.at_worker(plugin_module.make_square)().sides)

    threads = [threading.Thread(target=use_a_book) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [4] * 80


def test_a_lambda_travels_inside_at_first_and_by_reference_later(ends: Ends) -> None:
    function = lambda n: n + 1  # noqa: E731  # that is what is tested
    blob_counts = []
    for _ in range(4):
        assert ends.at_worker(function)(1) == 2
        blob_counts.append(ends.book.blob_count)
    assert blob_counts == [0, 1, 1, 1]
    assert ends.at_worker(function) is ends.at_worker(function)


def test_large_bytes_of_a_closure_travel_once_from_the_first_time_on(ends: Ends) -> None:
    large = bytes(1 << 20)
    function = lambda: large  # noqa: E731  # that is what is tested
    for _ in range(3):
        payload = ends.payload(function)
        assert len(payload) < 200
        assert ends.load(payload)() == large
    assert ends.book.blob_count == 1


def test_each_of_many_lambdas_is_itself(ends: Ends) -> None:
    for number in range(50):
        assert ends.at_worker(lambda number=number: number)() == number
    assert ends.book.blob_count == 0


def _counter() -> tuple[Callable[[], int], Callable[[int], None]]:
    value = 0

    def read() -> int:
        return value

    def write(new: int) -> None:
        nonlocal value
        value = new

    return read, write


def test_a_closure_over_a_variable_has_its_present_value(ends: Ends) -> None:
    read, write = _counter()
    for value in (0, 0, 0, 1, 1000, 1, 0):
        write(value)
        assert ends.at_worker(read)() == value
    assert ends.book.blob_count == 1


def test_a_closure_over_what_may_change_always_travels_inside(ends: Ends) -> None:
    seen = [1]
    for value in range(4):
        seen.append(value)
        assert ends.at_worker(lambda: seen)() == seen

    def last() -> int:
        return seen[-1]

    for value in range(4):
        seen.append(value)
        assert ends.at_worker(last)() == value
    assert ends.book.blob_count == 0


def test_a_local_class_is_one_class_at_both_ends(ends: Ends) -> None:
    class Local:
        def __init__(self, value: int) -> None:
            self.value = value

    first, second, third = (ends.at_worker(Local(n)) for n in range(3))
    assert (first.value, third.value) == (0, 2)
    assert type(second) is type(third)
    assert type(ends.at_home(third)) is Local


def test_a_function_made_on_a_worker_comes_home(ends: Ends) -> None:
    make = ends.at_worker(lambda n: lambda m: n * m)
    assert ends.at_home(make(6))(7) == 42


def test_an_unpicklable_value_is_an_error_and_harms_no_later_one(ends: Ends) -> None:
    shared = ["shared"]
    assert ends.at_worker(shared) == shared
    with pytest.raises(SchedulingError, match=r"cannot be pickled.*lock") as caught:
        ends.book.dumps_payload([shared, threading.Lock()])
    assert isinstance(caught.value.__cause__, TypeError)
    assert ends.at_worker([shared, shared]) == [shared, shared]


class RaisesOnce:
    """Its first pickling fails with an exception that is not pickle's own."""

    def __init__(self) -> None:
        self.is_broken = True

    def __getstate__(self) -> dict[str, Any]:
        if self.is_broken:
            raise RuntimeError("not now")
        return self.__dict__


def test_an_exception_in_a_value_harms_no_later_one(ends: Ends) -> None:
    before, value = ["before"], RaisesOnce()
    with pytest.raises(SchedulingError, match="not now"):
        ends.book.dumps_payload([before, value])
    value.is_broken = False
    again, arrived = ends.at_worker([before, value])
    assert again == before
    assert arrived.is_broken is False


class Nested:
    """Pickles something with the same book while it is pickled itself."""

    def __init__(self, book: CodeBook) -> None:
        self.book = book

    def __reduce__(self) -> tuple[Any, ...]:
        return bytes, (bytes(self.book.dumps_payload(["inner", plugin_module.Shape(5)])),)


def test_a_book_can_be_used_while_it_pickles(ends: Ends) -> None:
    text = "outer"
    arrived, inner, again = ends.at_worker([text, Nested(ends.book), text])
    assert arrived is again
    assert ends.cache.loads_payload(inner)[1].sides == 5


def test_code_that_cannot_travel_is_named(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_module, "LIMIT", threading.Lock())
    says = (
        r"the code of .*plugin_module\.capped cannot be sent .*: LIMIT, a global name that capped uses, .* lock"
    )
    with pytest.raises(SchedulingError, match=says) as caught:
        ends.book.dumps_payload((plugin_module.capped, (1,), {}))
    assert caught.value.remedy
    assert ends.book.blob_count == 0
    assert ends.at_worker(plugin_module.countdown)(2) == 2


def test_what_keeps_code_from_travelling_is_found_in_code_that_it_uses(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = ThreadPoolExecutor(1)
    monkeypatch.setattr(plugin_module, "LIMIT", {"inner": executor})

    def around(number: int) -> Any:
        return plugin_module.capped(number), executor

    for function, says in (
        (
            plugin_module.capped,
            r"LIMIT, a global name that capped uses, .*: in it \['inner'\], .* it is an executor",
        ),
        (around, r"executor"),
    ):
        with pytest.raises(SchedulingError, match=says) as caught:
            ends.book.dumps_payload((function, (1,), {}))
        assert "Have the program submit" in str(caught.value)


def test_code_that_leads_back_to_itself_through_values_is_told_of_too(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = {"capped": plugin_module.capped, "lock": threading.Lock()}
    monkeypatch.setattr(plugin_module, "LIMIT", registry)
    with pytest.raises(SchedulingError, match=r"LIMIT, a global name that capped uses, .*lock"):
        ends.book.dumps_payload((plugin_module.capped, (1,), {}))


def test_each_application_has_its_own_code() -> None:
    one, other = Ends(plugin_module.__name__), ReceivedCode()
    one.at_worker(plugin_module.make_square)
    payload = one.book.dumps_payload(plugin_module.make_square)
    with pytest.raises(SchedulingError, match="blob 0"):
        other.loads_payload(payload)


class Reference:
    """Pickles as a reference to code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return code_at, (0, 0, 0)


def test_a_reference_outside_of_a_payload_is_refused() -> None:
    with pytest.raises(SchedulingError, match="not unpickled for an application"):
        pickle.loads(pickle.dumps(Reference()))


def test_large_payloads_are_frames(ends: Ends) -> None:
    assert isinstance(ends.book.dumps_payload(bytes(100_000)), Frame)
    assert isinstance(ends.book.dumps_payload([bytes(100_000)]), Frame)
    assert isinstance(ends.book.dumps_payload([bytes(100)]), bytes)
    assert isinstance(ends.book.dumps(bytes(100_000)), bytes)
    assert ends.at_worker([bytes(100_000)]) == [bytes(100_000)]


def test_a_function_inside_a_payload_has_names_that_travelled_before(ends: Ends) -> None:
    ends.payload(plugin_module.capped)  # which nobody loads
    function = eval(compile("lambda: LIMIT", "here", "eval"), vars(plugin_module))
    assert ends.load(ends.payload(function))() == plugin_module.LIMIT


@pytest.mark.parametrize(
    ("arguments", "keywords", "says"),
    [
        ((1, threading.Lock()), {}, r"argument 2 of countdown cannot be pickled: it is a lock"),
        ((), {"number": [threading.Lock()]}, r"argument number= of countdown .* in it \[0\], of type lock"),
        (
            ({"a": plugin_module.Shape(threading.Lock())},),
            {},
            r"argument 1 .* in it \['a'\]\.sides, of type lock",
        ),
        ((Future(),), {}, r"argument 1 of countdown .* future"),
        (([Future()],), {}, r"argument 1 of countdown .* in it \[0\], of type Future: it is a future"),
        (
            (multiprocessing.Lock(),),
            {},
            r"argument 1 of countdown cannot be pickled: it is a lock of multiprocessing",
        ),
        (
            ([multiprocessing.Queue()],),
            {},
            r"in it \[0\], of type Queue: it is a queue of multiprocessing.*Return",
        ),
        ((multiprocessing.Value("i"),), {}, r"it is memory of multiprocessing.*Pass the data itself"),
        ((multiprocessing.RawArray("i", 2),), {}, r"it is memory of multiprocessing"),
        ((multiprocessing.Pipe()[0],), {}, r"it is an end of a pipe"),
        ((ThreadPoolExecutor(1),), {}, r"argument 1 of countdown cannot be pickled: it is an executor"),
        (((number for number in ()),), {}, r"argument 1 of countdown .* Pass a list"),
    ],
)
def test_an_argument_that_cannot_be_pickled_is_named(
    ends: Ends, arguments: tuple[Any, ...], keywords: dict[str, Any], says: str
) -> None:
    with pytest.raises(pickle.PicklingError, match=says) as caught:
        ends.payload((plugin_module.countdown, arguments, keywords))
    assert isinstance(caught.value, SchedulingError)
    assert caught.value.remedy


def test_of_an_argument_that_is_nested_too_deeply_no_part_is_blamed(ends: Ends) -> None:
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    says = r"^argument 1 of countdown cannot be pickled: it is nested too deeply\. Make it flatter"
    with pytest.raises(pickle.PicklingError, match=says):
        ends.payload((plugin_module.countdown, (deep,), {}))


class HasExecutor:
    """Keeps an executor beside the method that it has called, and can be called itself."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)

    def step(self, number: int) -> int:
        return number

    def __call__(self, number: int) -> int:
        return number


@pytest.mark.parametrize(
    ("function", "where"),
    [
        (HasExecutor().step, r"the function HasExecutor\.step .* in it \.__self__\.pool, "),
        (HasExecutor(), r"the function HasExecutor .* in it \.pool, "),
        (partial(HasExecutor().step, 1), r"the function partial .* in it \.func\.__self__\.pool, "),
    ],
)
def test_what_a_method_or_partial_leads_to_is_named(
    ends: Ends, function: Callable[[int], int], where: str
) -> None:
    with pytest.raises(pickle.PicklingError, match=f"{where}of type ThreadPoolExecutor: it is an executor"):
        ends.payload((function, (1,), {}))


def test_an_argument_of_a_call_in_a_chunk_is_named(ends: Ends) -> None:
    calls = [(1,), (threading.Lock(),)]
    with pytest.raises(pickle.PicklingError, match="argument 1 of countdown"):
        ends.payload((run_calls, (plugin_module.countdown, calls, {}), {}))
