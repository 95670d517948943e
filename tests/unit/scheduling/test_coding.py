"""The data of tasks and results passes through the codec, their code does not, and both arrive as they were."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from concurrent.core import Environment
from concurrent.core.errors import SchedulingError, UnpicklableResult, UnpicklableValue
from concurrent.scheduling import Task
from concurrent.scheduling.pickling.batch import TaskBatch, call, load_results
from concurrent.scheduling.pickling.chunk import run_calls
from concurrent.scheduling.pickling.code import ReceivedCode
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.pickling.coding import Codec, CodedShorthand, PicklingSettings
from concurrent.scheduling.pickling.shorthand import expanded

CODEC = Codec(lambda value: json.dumps(value).encode(), json.loads)


class Ends:
    """An application that pushes, a worker, and the way home."""

    def __init__(self) -> None:
        self.book = CodeBook([__name__])
        self.cache = ReceivedCode()
        self._shorthand = CodedShorthand(self.book, CODEC)

    def at_worker(self, what: Any) -> Any:
        """Return what the worker gets."""
        payload = self._shorthand.dumps(what)
        for index in range(self.book.blob_count):
            self.cache.take(index, self.book.blob_at(index))
        code = self.cache
        return expanded(code.loads_payload(payload), code)

    def result_of(self, what: Any) -> Any:
        """Return what the application gets of something that a worker does."""
        result = call(self.at_worker(what))
        return self.book.loads_payload(self.cache.dumps_payload(result))


@pytest.fixture
def ends() -> Ends:
    return Ends()


class Kind(Task):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def __call__(self) -> Any:
        return [type(self.value).__name__, self.value]


class ComesHome(Kind):
    returns_task = True

    def clean_up(self) -> None:
        self.cleaned = (1, 2)


class SaysItself(Kind):
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (("told", self.value),)


def test_arguments_and_results_of_a_call_pass_through_the_codec(ends: Ends) -> None:
    assert ends.result_of((sorted, ((3, 1),), {"reverse": True})) == [3, 1]
    assert ends.result_of((lambda *args, **kwargs: (args, kwargs), (1, (2, 3)), {"four": 4})) == [
        [1, [2, 3]],
        {"four": 4},
    ]


def test_what_can_be_called_travels_as_code(ends: Ends) -> None:
    calls = run_calls, (lambda value: (value, 1), [((1, 2),), (3,)], {}), {}
    assert ends.result_of(calls) == [[[1, 2], 1], [3, 1]]
    assert ends.result_of((max, ([3, -4],), {"key": abs})) == -4


def test_the_attributes_of_a_task_pass_through_the_codec(ends: Ends) -> None:
    assert ends.result_of(Kind((1, 2))) == ["list", [1, 2]]
    result, task = ends.result_of(ComesHome((1, 2)))
    assert (result, task.value, task.cleaned) == (["list", [1, 2]], [1, 2], [1, 2])
    assert type(task) is ComesHome


def test_a_task_that_says_itself_how_it_is_pickled_is_left_alone(ends: Ends) -> None:
    assert ends.result_of(SaysItself((1, 2))) == ["tuple", ["told", [1, 2]]]


def test_a_batch_has_the_outcome_of_each(ends: Ends) -> None:
    batch = ends.at_worker(TaskBatch([Kind((1,)), (len, (None,), {}), (abs, (-3,), {})]))
    payload = batch.run(ends.cache, "here")
    results, errors = load_results(payload, ends.book)
    assert results == [["list", [1]], None, 3]
    assert [error is None for error in errors] == [True, False, True]


def test_what_the_codec_cannot_take_is_refused_where_it_is_pushed(ends: Ends) -> None:
    with pytest.raises(UnpicklableValue, match=r"cannot take what was pushed: TypeError: .*set is not JSON"):
        ends.at_worker((len, ({1},), {}))


def test_a_result_that_the_codec_cannot_take_is_the_failure_of_its_task(ends: Ends) -> None:
    with pytest.raises(UnpicklableResult, match="type set cannot be pickled"):
        call(ends.at_worker((set, ((1,),), {})))


def test_the_framework_has_none() -> None:
    assert Environment(variables={})[PicklingSettings].codec() is None


def test_a_pickler_that_fails_is_named(tmp_path: Any) -> None:
    plugin = tmp_path / "moody.py"
    plugin.write_text(
        "from concurrent.core import Component, implements\n"
        "from concurrent.scheduling import IPickler\n"
        "class Moody(Component):\n"
        "    implements(IPickler)\n"
        "    def codec(self):\n"
        "        raise KeyError('a bug')\n"
    )
    env = Environment(variables={}, overrides={"application.pickler": "Moody"})
    env.load_plugin(plugin)
    with pytest.raises(SchedulingError, match=r"Moody.codec raised KeyError.*moody.py:6"):
        env[PicklingSettings].codec()


def test_a_codec_travels_as_two_functions() -> None:
    assert pickle.loads(pickle.dumps(Codec(json.dumps, json.loads))) == (json.dumps, json.loads)  # type: ignore[arg-type]
