"""What all samples say at their end: the comparison with one process, the data and the memory."""

from __future__ import annotations

import pytest

from concurrent.apps.samples.shared.layout import Timing, mode_in_words
from concurrent.apps.samples.shared.usage import Usage
from concurrent.apps.status import ClusterStatus, MasterStatus, SlaveStatus

PARALLEL = "parallel    2.000 s, 64 tasks on 4 workers, from the first push to the result"


def status_of(*slaves_bytes: int | None) -> ClusterStatus:
    tasks = {"submitted_bytes": 1234, "delivered_bytes": 5_000_000}
    master = MasterStatus.from_json({"tasks": tasks, "memory_bytes_max": 50_000_000})
    return ClusterStatus(master, [SlaveStatus.from_json({"memory_bytes_max": size}) for size in slaves_bytes])


def test_a_comparison_has_times_speed_up_efficiency_and_share_beside_the_presented_one() -> None:
    assert Timing(6.0, 2.0, 64, 4).lines("identical", "P = 0.67") == [
        "sequential  6.000 s, identical",
        PARALLEL,
        "speed-up    3.000, efficiency 75.0% of 4 workers",
        "Amdahl      P = 0.889 from S(N) = 1 / ((1 - P) + P / N) (Amdahl, 1967)",
        "to compare  P = 0.67 (slides of the original project)",
    ]


def test_without_a_sequential_run_nothing_is_compared() -> None:
    lines = Timing(None, 2.0, 64, 4).lines("", "P = 0.67")
    assert lines == ["sequential  not run", PARALLEL]


@pytest.mark.parametrize(
    ("timing", "words"),
    [(Timing(1.0, 2.0, 9, 4), "slower than one process"), (Timing(1.0, 1.1, 9, 1), "single worker")],
)
def test_no_share_is_given_where_the_law_has_none(timing: Timing, words: str) -> None:
    assert words in "\n".join(timing.lines("", ""))


def test_both_modes_have_words() -> None:
    assert (mode_in_words("system"), mode_in_words("tasks")) == ("a task system", "plain tasks")


def test_data_and_memory_are_those_that_the_nodes_tell() -> None:
    assert Usage.of(status_of(60_000_000), 40_000_000).lines() == [
        "data        1,234 bytes of tasks and 5,000,000 of results, since the master started",
        "memory      peaks: application 40 MB, master 50 MB, slave 60 MB",
    ]


def test_of_several_slaves_the_largest_peak_counts() -> None:
    assert Usage.of(status_of(60_000_000, None, 70_000_000), 0).lines()[1].endswith("3 slaves at most 70 MB")


@pytest.mark.parametrize("slaves", [(), (None,), (None, None)])
def test_what_nobody_tells_is_not_known(slaves: tuple[None, ...]) -> None:
    memory = Usage.of(status_of(*slaves), None).lines()[1]
    assert memory == "memory      peaks: application not known, master 50 MB, slave not known"


def test_the_process_of_a_task_system_is_named_if_it_is_known() -> None:
    assert Usage.of(status_of(), 0, 80_000_000).lines()[1].endswith("task system 80 MB")
