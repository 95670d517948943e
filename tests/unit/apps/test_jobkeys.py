"""By which texts the calls of a job are known."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.apps.jobkeys import KEY_LENGTH_MAX, JobKeys, checked_key
from concurrent.core.errors import JobMismatch


def known(**id_by_text: int) -> JobKeys:
    keys = JobKeys("hunt")
    keys.add_known(id_by_text.values(), id_by_text, 100)
    return keys


def test_calls_without_a_key_are_known_by_their_order_and_what_is_called() -> None:
    keys = JobKeys("hunt")
    assert [keys.take(what, None)[0] for what in ("load", "load", "sum x50")] == [
        "#1 load",
        "#2 load",
        "#3 sum x50",
    ]
    again = known(**{"#2 load": 7, "#1 load": 6})
    assert [again.take("load", None) for _ in range(3)] == [("#1 load", 6), ("#2 load", 7), ("#3 load", 0)]


def test_calls_with_a_key_are_known_by_it_in_any_order() -> None:
    keys = known(**{"k:a": 1, "k:b": 2, "#1 load": 3})
    assert keys.take("load", "b") == ("k:b", 2)
    assert keys.take("load", None) == ("#1 load", 3)
    assert keys.take("other", "a") == ("k:a", 1)
    assert keys.take("load", "#1 load") == ("k:#1 load", 0)


def test_another_function_at_the_same_place_is_an_error_that_says_what_was_there() -> None:
    keys = known(**{"#1 load": 1, "#2 sum x50": 2})
    assert keys.take("load", None) == ("#1 load", 1)
    with pytest.raises(
        JobMismatch, match=r"call #2 of job hunt was sum x50, and now is sum x40.*concurrent forget"
    ):
        keys.take("sum x40", None)


def test_a_key_is_used_once_in_a_program() -> None:
    keys = JobKeys("hunt")
    keys.take("load", "a")
    with pytest.raises(JobMismatch, match=r"key 'a' before.*a key of its own"):
        keys.take("load", "a")


def test_a_call_that_did_not_reach_the_master_is_new() -> None:
    keys = JobKeys("hunt")
    keys.add_known([4, 5, 6], ["k:a", "k:b", ""], 5)
    assert keys.take("load", "a") == ("k:a", 4)
    assert keys.take("load", "b") == ("k:b", 0)


@pytest.mark.parametrize(
    ("key", "kind"), [(1, TypeError), (b"a", TypeError), ("a" * (KEY_LENGTH_MAX + 1), ValueError)]
)
def test_a_key_is_a_text_that_is_not_too_long(key: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="key of a call must"):
        checked_key(key)


def test_no_key_is_one_too() -> None:
    assert checked_key(None) is None
    assert checked_key("a") == "a"


def test_a_job_that_begins_anew_has_nothing_of_former_programs() -> None:
    keys = known(**{"#1 load": 6, "k:last": 7})
    keys.forget_known()
    assert keys.take("sum", None) == ("#1 sum", 0)
    assert keys.take("sum", "last") == ("k:last", 0)
