"""What slaves are told of terms: names too, which are no terms that bind, and cost nothing to look at."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms, read_run_terms, run_terms
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

MUCH = RunTerms(2.0, ("builtins.OSError",), 5, 3, Claim.of({"gpu": 1}), "train")


def test_a_name_travels_and_a_task_with_nothing_else_is_plain() -> None:
    terms = run_terms(Terms(name="square", attempts_max=1, deadline_s=9.0))
    assert terms.as_map() == {"name": "square"}
    assert terms.is_plain
    assert not terms.is_binding
    assert run_terms(DEFAULT_TERMS) is USUAL
    assert (USUAL.is_plain, USUAL.as_map()) == (True, {})


@pytest.mark.parametrize(
    "asked",
    [{"timeout_s": 1.0}, {"priority": 1}, {"retry": Retry(2, on=OSError)}, {"resources": Claim.of({"gpu": 1})}],
)
def test_what_a_slave_has_to_keep_is_not_plain(asked: dict[str, Any]) -> None:
    assert not run_terms(Terms(name="square", **asked)).is_plain
    assert not run_terms(Terms(**asked)).is_plain


def test_a_weight_is_not_plain() -> None:
    assert not run_terms(Terms(name="square"), 2).is_plain


@pytest.mark.parametrize(
    "terms", [USUAL, MUCH, RunTerms(name="f"), RunTerms(priority=-1), RunTerms(weight=100)]
)
def test_terms_come_as_they_were_sent_and_equal_ones_are_one_object(terms: RunTerms) -> None:
    read = read_run_terms(terms.as_map())
    assert read == terms
    assert read.is_plain == terms.is_plain
    assert read_run_terms(dict(terms.as_map())) is read


@pytest.mark.parametrize("name", [7, None, ["f"], "a\nb", "x" * 201])
def test_what_is_no_name_is_refused(name: object) -> None:
    for others in ({}, {"priority": 1}):
        with pytest.raises(SchedulingError, match="name"):
            read_run_terms({"name": name, **others})


def test_what_a_newer_master_says_besides_is_left_out() -> None:
    assert read_run_terms({"name": "f", "colour": "red"}) is read_run_terms({"name": "f"})
