"""What a program wants of a job, and what the master answers, as maps that travel."""

from __future__ import annotations

import pytest

from concurrent.apps.jobwish import JobAnswer, JobWish, answer_from, wish_from
from concurrent.core.errors import InvalidArguments, NodeError


def test_a_wish_travels_as_a_map() -> None:
    wish = JobWish(job="x", name="hunt", keep_s=5.0, attachment=3, program={"file": "hunt.py"})
    assert wish_from(wish.as_map()) == wish


def test_an_answer_travels_as_a_map() -> None:
    answer = JobAnswer(number=7, job="x", is_new=False, next_id=12, epoch=2, durability="host")
    assert answer_from(answer.as_map()) == answer


def test_what_is_missing_is_as_by_default_and_what_is_unknown_is_ignored() -> None:
    assert wish_from({"colour": "red"}) == JobWish()


def test_a_whole_number_is_a_number_of_seconds() -> None:
    assert wish_from({"keep_s": 5}).keep_s == 5.0


@pytest.mark.parametrize(
    "wire",
    [
        {"job": 1},
        {"attachment": True},
        {"keep_s": float("nan")},
        {"program": "hunt.py"},
        {"name": "x" * 257},
        {"name": "a\nb"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(wire: dict[str, object]) -> None:
    with pytest.raises(InvalidArguments, match=next(iter(wire))):
        wish_from(wire)


@pytest.mark.parametrize("wire", [None, [], {"number": "one"}])
def test_an_answer_that_makes_no_sense_is_not_that_of_a_master(wire: object) -> None:
    with pytest.raises(NodeError, match="not that of a master"):
        answer_from(wire)
