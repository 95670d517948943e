"""When ``concurrent wait`` ends, and with which exit code; which part of an output is new."""

from __future__ import annotations

import pytest

from concurrent.apps.commands.logs import GAP_LINE, last_lines, new_part
from concurrent.apps.commands.wait import Ending, Moment, ending_of, moment_of_all
from concurrent.apps.main import make_parser
from concurrent.apps.observed import NowStatus

BEFORE = Moment(is_over=False, open=3, finished=5, failed=1, cancelled=0)


def moment(*, is_over: bool = False, finished: int = 5, failed: int = 1, cancelled: int = 0) -> Moment:
    return Moment(is_over=is_over, open=0, finished=finished, failed=failed, cancelled=cancelled)


@pytest.mark.parametrize(
    ("now", "endings", "code"),
    [
        (moment(), [], None),
        (moment(failed=2), [], None),
        (moment(is_over=True, finished=8), [], 0),
        (moment(is_over=True, failed=2), [], 1),
        (moment(is_over=True, cancelled=1), [], 1),
        (moment(failed=2), [Ending("failed", 7)], 7),
        (moment(is_over=True), [Ending("failed", 7)], 0),
        (moment(finished=6, failed=2), [Ending("failed", 7), Ending("finished", 0)], 7),
        (moment(cancelled=1), [Ending("failed", 7), Ending("cancelled", 3)], 3),
    ],
)
def test_it_ends_when_all_is_over_or_at_what_was_named(
    now: Moment, endings: list[Ending], code: int | None
) -> None:
    assert ending_of(now, BEFORE, endings) == code


def test_what_failed_counts_also_when_its_program_has_left() -> None:
    at_first = NowStatus.from_json({"counts": {"waiting": 1, "failed": 2}, "ended": {"failed": 2}})
    at_last = NowStatus.from_json({"counts": {"failed": 0}, "ended": {"failed": 3}})
    assert ending_of(moment_of_all(at_last), moment_of_all(at_first), []) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--exit", "faild,1"], "Did you mean failed?"),
        (["--exit", "failed,256"], "is no exit code from 0 to 255"),
        (["--exit", "failed,x"], "is no exit code"),
        (["--timeout", "-1"], "is no number of seconds"),
        (["--timeout", "soon"], "soon"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        make_parser().parse_args(["wait", *words])
    assert end.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ("", "one\n", "one\n"),
        ("one\n", "one\ntwo\n", "two\n"),
        ("one\ntwo\n", "two\nthree\n", GAP_LINE + "two\nthree\n"),
        ("x" * 500 + "\ntwo\n", "x" * 450 + "\ntwo\nthree\n", "three\n"),
        ("one\n", "something else\n", GAP_LINE + "something else\n"),
        ("one\n", "one\n", ""),
    ],
)
def test_of_an_output_that_grows_the_new_part_is_printed(before: str, now: str, new: str) -> None:
    assert new_part(before, now) == new


def test_the_last_lines_end_with_one() -> None:
    assert last_lines("a\nb\nc", 2) == "b\nc\n"
    assert last_lines("a\nb", None) == "a\nb\n"
    assert last_lines("a\nb\n", 0) == last_lines("", 3) == ""
