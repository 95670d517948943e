"""Payloads of tasks and calls: short where class and attributes are all, and the same object at the worker."""

from __future__ import annotations

import os.path
import pickle
import threading
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling import Task
from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.pickling.code import ReceivedCode
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.pickling.shorthand import Shorthand, expanded
from tests.unit.scheduling import plugin_module


class Ends:
    """What an application pushes, what travels, and what the worker makes of it."""

    def __init__(self, *own_modules: str) -> None:
        self.book = CodeBook(own_modules)
        self.cache = ReceivedCode()
        self._shorthand = Shorthand(self.book)

    def travelling(self, what: Any) -> Any:
        """Return what the payload of something is the pickle of."""
        payload = self._shorthand.dumps(what)
        for index in range(self.book.blob_count):
            self.cache.take(index, self.book.blob_at(index))
        return self.cache.loads_payload(payload)

    def at_worker(self, what: Any) -> Any:
        """Return what the worker gets."""
        return expanded(self.travelling(what), self.cache)


@pytest.fixture
def ends() -> Ends:
    return Ends(plugin_module.__name__)


class Plain(Task):
    def __init__(self, value: Any = None) -> None:
        super().__init__()
        self.value = value


class Other(Plain):
    pass


class WithoutAttributes(Task):
    pass


class MadeByNew(Plain):
    def __new__(cls, *_args: Any) -> MadeByNew:
        return super().__new__(cls)


class KeepsNothing(Plain):
    def __getstate__(self) -> dict[str, Any]:
        return {"value": "kept"}


class SetsItsState(Plain):
    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, was_set=True)


class Reduces(Plain):
    def __reduce__(self) -> Any:
        return Reduces, (("reduced", self.value),)


class Slotted(Plain):
    __slots__ = ("inside",)


class AskedForArguments(Plain):
    def __new__(cls, *args: Any) -> AskedForArguments:
        made = super().__new__(cls)
        made.made_of = args
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return () if self.value is None else (self.value,)


class Unwilling(Plain):
    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RuntimeError("it does not want to travel")


class Items(Task, list[int]):  # type: ignore[misc]  # whose __init__ is of no interest
    pass


@dataclass(frozen=True)
class Frozen(Task):
    value: int


@pytest.mark.parametrize("kind", [Plain, MadeByNew])
def test_a_task_is_its_class_and_its_attributes(ends: Ends, kind: type[Plain]) -> None:
    task = kind([1, {"two": 2}])
    travelling = ends.travelling(task)
    assert travelling[3] == vars(task)
    arrived = ends.at_worker(task)
    assert type(arrived) is kind
    assert vars(arrived) == vars(task)
    assert arrived.value is not task.value


def test_a_task_without_attributes_arrives(ends: Ends) -> None:
    assert type(ends.at_worker(WithoutAttributes())) is WithoutAttributes


def test_the_name_of_a_class_travels_once(ends: Ends) -> None:
    for value in range(3):
        assert Plain.__name__.encode() not in bytes(Shorthand(ends.book).dumps(Plain(value)))
    assert ends.book.blob_count == 1


def test_tasks_that_say_how_they_are_pickled_are_asked(ends: Ends) -> None:
    assert ends.at_worker(KeepsNothing(1)).value == "kept"
    assert ends.at_worker(SetsItsState(1)).was_set
    assert ends.at_worker(Reduces(1)).value == ("reduced", 1)


def test_tasks_that_are_more_than_their_attributes_arrive_whole(ends: Ends) -> None:
    assert ends.at_worker(Slotted(0)).value == 0
    slotted = Slotted(1)
    slotted.inside = 2
    arrived = ends.at_worker(slotted)
    assert (arrived.value, arrived.inside) == (1, 2)
    assert ends.at_worker(AskedForArguments()).made_of == ()
    assert ends.at_worker(AskedForArguments(5)).made_of == (5,)
    assert ends.at_worker(Frozen(7)).value == 7
    items = Items()
    items += [1, 2]
    assert list(ends.at_worker(items)) == [1, 2]


def test_a_task_that_holds_itself_arrives_as_one(ends: Ends) -> None:
    for value in range(3):
        task = Plain(value)
        task.me = [task]  # type: ignore[attr-defined]
        arrived = ends.at_worker(task)
        assert arrived.me[0] is arrived
        assert arrived.value == value
    assert ends.at_worker(Plain("not any more")).value == "not any more"


def test_tasks_that_hold_each_other_do_so_at_the_worker(ends: Ends) -> None:
    for _ in range(3):
        one, other = Plain(), Other()
        one.value, other.value = other, one
        for task in (one, other):
            arrived = ends.at_worker(task)
            assert type(arrived) is type(task)
            assert arrived.value.value is arrived


def test_a_task_may_hold_others(ends: Ends) -> None:
    for _ in range(2):
        arrived = ends.at_worker(Plain([Plain(1), Other(2), Plain]))
        assert [type(arrived.value[0]), type(arrived.value[1]), arrived.value[2]] == [Plain, Other, Plain]
        assert arrived.value[1].value == 2


def test_own_classes_travel_with_attributes(ends: Ends) -> None:
    arrived = ends.at_worker(Plain(plugin_module.Shape(3)))
    assert arrived.value.sides == 3
    assert ends.book.blob_count == 2


def test_a_batch_of_one_class_is_a_list_of_attributes(ends: Ends) -> None:
    batch = TaskBatch([Plain(value) for value in range(3)])
    assert ends.travelling(batch)[3] == [vars(task) for task in batch.members]
    arrived = ends.at_worker(batch)
    assert type(arrived) is TaskBatch
    assert [(type(task), task.value) for task in arrived.members] == [(Plain, 0), (Plain, 1), (Plain, 2)]


@pytest.mark.parametrize("members", [[Plain(1), Other(2)], [KeepsNothing(1), KeepsNothing(2)]])
def test_any_batch_arrives(ends: Ends, members: list[Task]) -> None:
    arrived = ends.at_worker(TaskBatch(members))
    assert [type(task) for task in arrived.members] == [type(task) for task in members]


def test_what_tasks_of_a_batch_share_is_shared_at_the_worker(ends: Ends) -> None:
    table = [1, 2, 3]
    arrived = ends.at_worker(TaskBatch([Plain(table), Plain(table)]))
    assert arrived.members[0].value is arrived.members[1].value


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "result"),
    [
        (os.path.join, ("a", "b"), {}, os.path.join("a", "b")),
        (plugin_module.countdown, (3,), {}, 3),
        (lambda one, two: one + two, (1,), {"two": 2}, 3),
        (len, ("four",), {}, 4),
        (int, ("20",), {"base": 3}, 6),
        ("text".upper, (), {}, "TEXT"),
        (partial(pow, 2), (5,), {}, 32),
        (list[int], ("ab",), {}, ["a", "b"]),
    ],
)
def test_a_call_arrives_as_function_and_arguments(
    ends: Ends, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> None:
    for _ in range(3):
        there, its_args, its_kwargs = ends.at_worker((function, args, kwargs))
        assert (its_args, its_kwargs) == (args, kwargs)
        assert there(*its_args, **its_kwargs) == result


def test_a_function_with_a_name_is_a_number_installed_or_not(ends: Ends) -> None:
    for function in (os.path.join, plugin_module.countdown, os.path.join):
        travelling = ends.travelling((function, ("a",), {}))
        assert [type(part) for part in travelling] == [int, int, int, tuple, dict]
    assert ends.book.blob_count == 2


def test_a_function_without_a_name_travels_inside_at_first(ends: Ends) -> None:
    def call(value: int) -> int:
        return value + 1

    ends.travelling((call, (1,), {}))
    assert ends.book.blob_count == 0


def test_what_cannot_be_called_arrives_to_be_complained_of_there(ends: Ends) -> None:
    assert ends.at_worker((5, (), {})) == (5, (), {})


def test_a_large_argument_is_not_copied(ends: Ends) -> None:
    data = bytes(1_000_000)
    payload = Shorthand(ends.book).dumps(Plain(data))
    assert any(piece is data for piece in payload.pieces)  # type: ignore[union-attr]


def test_what_cannot_be_pickled_is_named(ends: Ends) -> None:
    for what in (Plain(threading.Lock()), (os.path.join, (threading.Lock(),), {})):
        with pytest.raises(SchedulingError, match="lock"):
            ends.travelling(what)
    with pytest.raises(SchedulingError, match="does not want to travel"):
        ends.travelling(Unwilling(1))
    assert ends.at_worker(Plain(1)).value == 1


def test_code_that_is_not_here_is_missed(ends: Ends) -> None:
    payload = Shorthand(ends.book).dumps(Plain(1))
    nothing = ReceivedCode()
    with pytest.raises(SchedulingError, match="blob 0"):
        expanded(pickle.loads(bytes(payload)), nothing)
