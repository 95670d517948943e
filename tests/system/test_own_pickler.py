"""A pickler of a plug-in, or of a program, makes the bytes of the data of tasks and results at both ends."""

from __future__ import annotations

import sys

import pytest

from tests.system.cluster import APPS, Cluster

pytestmark = pytest.mark.system


def test_tasks_and_their_results_are_made_of_what_the_pickler_can_take(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "jsonpickler.py", options=("application.pickler=JSONPickler",))
    refused, result = app.succeed().splitlines()
    assert "the pickler of the application cannot take what was pushed" in refused
    assert result == "result: {'sum': 7, 'pair': [1, 2]} list"


def test_an_executor_has_that_of_its_program_and_code_travels_as_always(cluster: Cluster) -> None:
    program = cluster.run(APPS / "jsonexecutor.py", starter=(sys.executable,))
    assert program.succeed().splitlines() == [
        "['list', [3, 6]]",
        "[[1, 2], [5, 6]]",
        "UnpicklableValue UnpicklableResult",
    ]


def test_a_pickler_that_there_is_not_is_named(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "hello.py", options=("application.pickler=Nobody",))
    assert app.wait() == 2
    assert "[application] pickler = 'Nobody': no enabled component is an IPickler" in app.err
    assert "Use one of: pickle" in app.err
