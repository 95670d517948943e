"""What is said of a job or a function that a master has no tasks of, and when it is not."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.apps.observemaster import ObserveMaster
from concurrent.core.errors import NodeError
from concurrent.core.rows import ROWS_MAX


class Master(ObserveMaster):
    """Asks a master that has two jobs: one with two functions, and one with more than are listed."""

    def __init__(self) -> None:
        self.address = "127.0.0.1:8750"

    def _call(self, method: str, *args: Any, **_wanted: Any) -> Any:
        if method != "progress":
            return {}
        hunt = [{"job": "hunt", "job_id": "j1", "function": name} for name in ("look", "find")]
        many = [{"job": "many", "job_id": "j2", "function": f"f{number}"} for number in range(3 * ROWS_MAX)]
        rows = {"": [*many, *hunt], "hunt": hunt, "j1": hunt, "many": many}.get(args[0] if args else "", [])
        return {"items": rows[:ROWS_MAX], "total": len(rows), "left_out": max(0, len(rows) - ROWS_MAX)}


@pytest.fixture
def master() -> Master:
    return Master()


@pytest.mark.parametrize(
    "wanted",
    [
        {"job": "j1", "function": "find"},
        {"job": "hunt"},
        {"function": "find", "failed": True},
        {"job": "many", "function": "f299"},
    ],
)
def test_what_is_not_among_the_first_rows_is_there_all_the_same(master: Master, wanted: dict[str, Any]) -> None:
    assert not master.tasks(**wanted).total


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"job": "many-"}, "no tasks of a job 'many-'. Did you mean many?"),
        ({"job": "hunt", "function": "lok"}, "no tasks of a function 'lok'. Did you mean look?"),
    ],
)
def test_what_nothing_has_is_said_with_the_nearest(master: Master, wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(NodeError) as error:
        master.tasks(**wanted)
    assert says in str(error.value)
