"""The waiting tasks of a pool, and whose turn it is."""

from concurrent.scheduling.slave.fairqueue import FairQueue
from concurrent.scheduling.slave.workerlink import AppBlobs


def items(app: AppBlobs, *numbers: int):
    return [(number, b"", app) for number in numbers]


def numbers(found) -> list[int]:
    return [item[0] for item in found]


def take(queue: FairQueue, count: int, turn: int, credit: int = 0):
    return queue.take(count, turn, credit)


def with_a_flood(given_count: int) -> FairQueue:
    """Return a queue with 1,000 tasks of one application, of which so many were taken."""
    queue = FairQueue()
    queue.extend(items(AppBlobs(1), *range(1000)))
    take(queue, given_count, 1)
    return queue


def test_one_application_gets_its_tasks_in_order() -> None:
    queue = FairQueue()
    queue.extend(items(AppBlobs(1), 1, 2, 3))
    assert numbers(take(queue, 2, 2)) == [1, 2]
    assert numbers(take(queue, 5, 2)) == [3]
    assert queue.count == 0


def test_a_flood_of_one_application_does_not_hold_up_another() -> None:
    flood, small = AppBlobs(1), AppBlobs(2)
    queue = FairQueue()
    queue.extend(items(flood, *range(100)))
    queue.extend(items(small, 1000))
    taken = numbers(take(queue, 4, 2)) + numbers(take(queue, 4, 2))
    assert taken == [0, 1, 1000]
    assert queue.count == 98


def test_the_next_turn_is_that_of_who_was_given_least() -> None:
    one, other = AppBlobs(1), AppBlobs(2)
    queue = FairQueue()
    queue.extend(items(one, *range(10)))
    queue.extend(items(other, *range(100, 110)))
    assert numbers(take(queue, 4, 4)) == [0, 1, 2, 3]
    taken = [number for _ in range(4) for number in numbers(take(queue, 1, 4, 10))]
    assert taken == [100, 101, 102, 103]


def test_who_was_away_gets_a_credit_and_then_equal_turns() -> None:
    job = AppBlobs(2)
    queue = with_a_flood(500)
    queue.extend(items(job, *range(1000, 1006)))
    taken = [number >= 1000 for _ in range(9) for number in numbers(take(queue, 1, 1, 3))]
    assert taken[:3] == [True] * 3
    assert sum(taken[3:]) == 3


def test_who_has_had_its_share_gets_no_credit_for_a_moment_away() -> None:
    one, other = AppBlobs(1), AppBlobs(2)
    queue = FairQueue()
    queue.extend(items(one, *range(100)))
    ones = others = 0
    for round_number in range(30):  # it has one task at a time, and is away between two
        queue.extend(items(other, 1000 + round_number))
        while not others > round_number:
            is_other = numbers(take(queue, 1, 1, 5))[0] >= 1000
            others += is_other
            ones += not is_other
    assert abs(others - ones) <= 6


def test_credits_do_not_add_up() -> None:
    queue = with_a_flood(500)
    for first in (1000, 2000, 3000):
        queue.extend(items(AppBlobs(first), *range(first, first + 100)))
    taken = [number // 1000 for _ in range(40) for number in numbers(take(queue, 1, 1, 5))]
    assert sorted(taken[:15]) == [1] * 5 + [2] * 5 + [3] * 5
    assert sorted(taken[16:]) == [kind for kind in range(4) for _ in range(6)]


def test_the_credit_of_the_moment_counts() -> None:
    job = AppBlobs(2)
    queue = with_a_flood(900)
    queue.extend(items(job, *range(1000, 1100)))
    taken = [number >= 1000 for _ in range(10) for number in numbers(take(queue, 1, 1, 800))]
    assert all(taken)  # it may be far behind, as long as tasks are taken to be short
    taken = [number >= 1000 for _ in range(10) for number in numbers(take(queue, 1, 1, 0))]
    assert sum(taken) == 5


def test_without_credit_applications_take_turns() -> None:
    queue = FairQueue()
    for first in (0, 100, 200):
        queue.extend(items(AppBlobs(first), *range(first, first + 10)))
    taken = [number for _ in range(6) for number in numbers(take(queue, 1, 1, 0))]
    assert taken == [0, 100, 200, 1, 101, 201]


def test_what_is_taken_back_counts_as_not_given() -> None:
    flood, job = AppBlobs(1), AppBlobs(2)
    queue = FairQueue()
    queue.extend(items(flood, *range(100)))
    at_workers = take(queue, 50, 1)
    queue.put_back(at_workers[2:])
    queue.extend(items(job, *range(1000, 1010)))
    taken = [number for _ in range(20) for number in numbers(take(queue, 1, 1, 10))]
    assert sum(number >= 1000 for number in taken) == 10


def test_what_is_put_back_comes_first_and_in_order() -> None:
    one, other = AppBlobs(1), AppBlobs(2)
    queue = FairQueue()
    queue.extend(items(one, 3, 4))
    queue.put_back([*items(one, 1), *items(other, 9), *items(one, 2)])
    assert numbers(take(queue, 8, 8)) == [1, 2, 3, 4]
    assert numbers(take(queue, 8, 8)) == [9]


def test_the_newest_are_taken_from_whoever_has_most() -> None:
    queue = FairQueue()
    queue.extend(items(AppBlobs(1), 1, 2, 3))
    queue.extend(items(AppBlobs(2), 9))
    assert numbers(queue.take_newest(2)) == [3, 2]
    assert sorted(numbers(queue.take_newest(5))) == [1, 9]
    assert numbers(queue) == []


def test_tasks_are_removed_by_number_and_an_application_without_any_has_no_turn() -> None:
    queue = FairQueue()
    queue.extend(items(AppBlobs(1), 1, 2))
    queue.extend(items(AppBlobs(2), 3))
    assert sorted(numbers(queue.remove({2, 3, 77}))) == [2, 3]
    assert numbers(take(queue, 9, 2)) == [1]
    assert queue.count == 0
