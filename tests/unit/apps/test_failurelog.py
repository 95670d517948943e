"""Many failures of an application fill no log."""

from __future__ import annotations

import logging

import pytest

from concurrent.apps.failurelog import WHOLE_MAX, FailureLog
from concurrent.core.errors import NotAllowed


class Now:
    time = 0.0

    def __call__(self) -> float:
        return self.time


def failure(kind: type[Exception], text: str) -> Exception:
    try:
        raise kind(text)
    except Exception as error:  # boundary: it is what the test is about
        return error


def test_the_first_failures_of_each_kind_have_their_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    failures = FailureLog(Now())
    assert not failures.has_any
    for number in range(1000):
        failures.report(f"task {number}", failure(ValueError, "bad"))
    failures.report("task x", failure(KeyError, "none"))
    assert failures.has_any
    whole = [record for record in caplog.records if record.exc_text]
    assert len(whole) == WHOLE_MAX + 1
    assert "task x failed: KeyError" in whole[-1].getMessage()
    assert "in failure\n" in str(whole[-1].exc_text)
    assert len(caplog.records) == WHOLE_MAX + 3
    assert failures.left_out == 1000 - WHOLE_MAX - 1


def test_what_is_refused_is_told_in_one_line_that_says_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    refused = NotAllowed("the master hosts no such", thing="x", remedy="Push tasks instead")
    failures = FailureLog(Now())
    failures.report("task system Search", refused)
    (record,) = caplog.records
    assert record.getMessage() == "task system Search was refused: the master hosts no such. Push tasks instead"
    assert record.exc_text is None
    assert failures.has_any


def test_later_ones_have_a_line_a_second_that_counts_the_others(caplog: pytest.LogCaptureFixture) -> None:
    now = Now()
    failures = FailureLog(now)
    for number in range(WHOLE_MAX + 10):
        failures.report(f"task {number}", failure(ValueError, "bad"))
    now.time = 1.5
    failures.report("the last", failure(ValueError, "bad"))
    last = caplog.records[-1]
    assert last.levelno == logging.ERROR
    assert last.getMessage() == "the last failed: ValueError: bad (and 9 more like this one)"
    assert not last.exc_text
