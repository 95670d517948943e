"""Code of the application's own modules on real workers."""

from __future__ import annotations

import os

from concurrent.core.errors import TaskFailed
from tests.integration.scheduling import plugin_code
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.plugin_code import Colour, Derived, OwnError, Point


def test_results_are_instances_of_the_applications_own_classes(make_pool: MakePool) -> None:
    user = make_pool()
    assert user.results((plugin_code.mirror, Point(1, 2)), Derived()) == [Point(2, 1), Point(2, 1)]


def test_own_exceptions_come_back_as_they_were(make_pool: MakePool) -> None:
    user = make_pool()
    error = user.error(user.push((plugin_code.fail, Colour.BLUE))[0])
    assert type(error) is OwnError
    assert error.colour is Colour.BLUE
    assert isinstance(error.__cause__, TaskFailed)
    assert "from the plug-in" in error.__cause__.traceback
    assert f'File "{plugin_code.__file__}", line' in error.__cause__.traceback


def test_code_travels_once(make_pool: MakePool) -> None:
    user = make_pool()
    assert user.results(*((plugin_code.decorated, n) for n in range(200)))[-1] == 1200
    assert len(user.book.blobs) == 1


def test_lambdas_and_closures_work_as_often_as_they_are_sent(make_pool: MakePool) -> None:
    user = make_pool()
    factor, seen = 3, [10]

    def constant(n: int) -> int:
        return factor * n

    def changing(n: int) -> int:
        return seen[-1] + n

    assert user.results(*((constant, n) for n in range(5))) == [0, 3, 6, 9, 12]
    assert user.results((changing, 1)) == [11]
    seen.append(20)
    assert user.results((changing, 1), (changing, 2)) == [21, 22]


def test_a_function_that_is_made_on_a_worker_comes_home(make_pool: MakePool) -> None:
    (adder,) = make_pool().results((lambda n: lambda m: n + m, 40))
    assert adder(2) == 42


def test_a_worker_that_replaces_another_gets_the_code_again(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    assert user.results((plugin_code.shifted, 1)) == [1001]
    (number,) = user.push((os._exit, 1))
    assert b"exit code 1" in user.outcome(number)[1]
    assert user.results((plugin_code.shifted, 2)) == [1002]
