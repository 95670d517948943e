"""What the MD5 sample hands out, when it stops, and what it says; without a cluster."""

from __future__ import annotations

import pytest

from concurrent.apps.samples.md5reverse.candidates import Search
from concurrent.apps.samples.md5reverse.hunt import Hunt, Outcome
from concurrent.apps.samples.md5reverse.kernel import digest_of
from concurrent.apps.samples.md5reverse.report import Pace, Run
from concurrent.apps.samples.md5reverse.sequential import pace_of_hashlib, pace_of_kernel
from concurrent.apps.samples.md5reverse.tasks import Md5System
from concurrent.apps.samples.shared.usage import Usage
from concurrent.scheduling import InProcessMaster


def search_for(secret: int) -> Search:
    """Return a search of 1000 numbers, which begin with 1000."""
    return Search(digest_of(secret, 0), 1000, 2000, 0)


def test_only_so_many_blocks_are_out_at_once() -> None:
    hunt = Hunt(search_for(0), 100, 3)
    blocks = hunt.next_blocks()
    assert [block.first for block in blocks] == [1000, 1100, 1200]
    assert hunt.next_blocks() == []
    hunt.finish(blocks[1], None)
    assert [block.first for block in hunt.next_blocks()] == [1300]


def test_a_hunt_without_luck_ends_when_all_is_tried() -> None:
    hunt = Hunt(search_for(0), 300, 2)
    while not hunt.is_over:
        for block in hunt.next_blocks():
            hunt.finish(block, None)
    assert hunt.outcome() == Outcome(None, tried=1000, finished=4, cancelled=0, unmade=0)


def test_a_find_ends_the_hunt_and_counts_what_was_in_vain() -> None:
    hunt = Hunt(search_for(1042), 100, 3)
    blocks = hunt.next_blocks()
    hunt.finish(blocks[0], 1042)
    assert hunt.is_over
    assert hunt.next_blocks() == []
    assert hunt.outcome() == Outcome(1042, tried=43, finished=1, cancelled=2, unmade=7)


@pytest.mark.parametrize(("secret", "found"), [(1000, 1000), (1555, 1555), (1999, 1999), (2000, None)])
def test_the_task_system_finds_what_is_in_the_range(secret: int, found: int | None) -> None:
    master = InProcessMaster()
    outcome = master.run(Md5System(Hunt(search_for(secret), 64, 4)))
    assert outcome.number == found
    assert master.shown == (outcome.finished, 16)


def test_a_task_that_fails_ends_the_system_with_its_error() -> None:
    system = Md5System(Hunt(search_for(0), 100, 3))
    master = InProcessMaster()
    (task, *_) = system.generate_tasks(master)
    with pytest.raises(ZeroDivisionError):
        system.task_finished(master, task, None, ZeroDivisionError())


def test_the_paces_count_what_they_tried() -> None:
    assert pace_of_kernel(search_for(1010)).tried == 11
    assert pace_of_kernel(search_for(0)).tried == 1000
    assert pace_of_hashlib(search_for(1010)).tried == 11


def test_the_report_compares_the_cluster_with_one_process() -> None:
    run = Run(
        search=search_for(1042)._replace(width=6),
        kernel="cython",
        mode="tasks",
        workers=8,
        outcome=Outcome(1042, tried=8_000_000, finished=9, cancelled=4, unmade=2),
        parallel_s=0.5,
        alone=Pace(4_000_000, 2.0),
        hashlib=Pace(1_000_000, 1.0),
        usage=Usage(1000, 2000, None, None, []),
    )
    text = "\n".join(run.lines())
    assert "it is the digest of 001042" in text
    assert "9 finished, 4 cancelled, 2 never made" in text
    assert "16.00 million/s in all, 2.00 million/s for each worker" in text
    assert "hashlib     4.000 s at 1.00 million/s" in text
    assert "the cluster is 8.0 times faster" in text
    assert "speed-up    4.000, efficiency 50.0% of 8 workers" in text
    assert "1,000 bytes of tasks and 2,000 of results" in text
    assert "P = 0.86" in text
