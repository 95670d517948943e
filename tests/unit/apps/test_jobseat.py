"""What a program remembers of its job, and what it wants when it comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from concurrent.apps.jobseat import JobSeat
from concurrent.apps.jobwish import JobAnswer, JobWish
from concurrent.core.errors import JobUnknown, NodeError

WISH = JobWish(name="hunt", keep_s=-1.0, keeps_results=True, from_start=True, must_exist=True)
ANSWER = JobAnswer(number=3, job="abc", attachment=7, is_new=False, consumed_to=20, epoch=4, cluster="c")


def test_it_comes_back_to_the_job_that_it_had() -> None:
    seat = JobSeat(WISH)
    assert seat.wish(0) is WISH
    seat.take(ANSWER)
    wish = seat.wish(0)
    assert (wish.job, wish.attachment, wish.name, wish.must_exist) == ("abc", 7, "hunt", False)
    seat.take(replace(ANSWER, attachment=8))
    assert seat.wish(0).attachment == 8


def test_a_kept_job_that_its_cluster_has_no_more_is_not_begun_anew() -> None:
    for wish, cluster, must_exist in (
        (WISH, "c", True),
        (WISH, "another", False),
        (WISH, None, False),
        (replace(WISH, keep_s=0.0), "c", False),
    ):
        seat = JobSeat(wish)
        seat.take(ANSWER)
        seat.check_registration({"jobs": True, "cluster": cluster, "epoch": 4})
        assert seat.wish(0).must_exist is must_exist


def test_what_was_consumed_before_is_wanted_until_it_has_come() -> None:
    seat = JobSeat(WISH)
    seat.wish(0)
    seat.take(ANSWER)
    assert seat.consumed_to == 0
    assert seat.wish(19).from_start
    seat.take(ANSWER)
    assert not seat.wish(20).from_start
    seat.take(replace(ANSWER, consumed_to=25))
    assert seat.consumed_to == 25
    assert not seat.wish(25).from_start


def test_a_master_without_jobs_is_refused_by_who_wants_a_certain_one() -> None:
    JobSeat(JobWish()).check_registration({})
    JobSeat(WISH).check_registration({"jobs": True})
    with pytest.raises(JobUnknown, match="keeps no journal"):
        JobSeat(WISH).check_registration({})


def test_an_earlier_state_of_the_same_cluster_is_refused() -> None:
    seat = JobSeat(JobWish())
    seat.check_registration({"cluster": "c", "epoch": 3})
    seat.take(ANSWER)
    for cluster, epoch in (("c", 4), ("c", 5), ("another", 1)):
        seat.check_registration({"cluster": cluster, "epoch": epoch})
    with pytest.raises(NodeError, match="its run 3, and had come to 4"):
        seat.check_registration({"cluster": "c", "epoch": 3})
    with pytest.raises(NodeError, match="copy of the folder"):
        seat.take(replace(ANSWER, epoch=3))
    assert seat.answer == ANSWER
