"""The waiting tasks of a pool, and whose turn it is."""

from concurrent.scheduling.fairqueue import FairQueue
from concurrent.scheduling.workerlink import AppBlobs


def items(app: AppBlobs, *numbers: int):
    return [(number, b"", app) for number in numbers]


def numbers(found) -> list[int]:
    return [item[0] for item in found]


def test_one_application_gets_its_tasks_in_order() -> None:
    queue = FairQueue()
    queue.extend(items(AppBlobs(1), 1, 2, 3))
    assert numbers(queue.take(2, 2)) == [1, 2]
    assert numbers(queue.take(5, 2)) == [3]
    assert queue.count == 0


def test_a_flood_of_one_application_does_not_hold_up_another() -> None:
    flood, small = AppBlobs(1), AppBlobs(2)
    queue = FairQueue()
    queue.extend(items(flood, *range(100)))
    queue.extend(items(small, 1000))
    taken = numbers(queue.take(4, 2)) + numbers(queue.take(4, 2))
    assert taken == [0, 1, 1000]
    assert queue.count == 98


def test_what_is_put_back_comes_first_and_in_order() -> None:
    one, other = AppBlobs(1), AppBlobs(2)
    queue = FairQueue()
    queue.extend(items(one, 3, 4))
    queue.put_back([*items(one, 1), *items(other, 9), *items(one, 2)])
    assert numbers(queue.take(8, 8)) == [1, 2, 3, 4]
    assert numbers(queue.take(8, 8)) == [9]


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
    assert numbers(queue.take(9, 2)) == [1]
    assert queue.count == 0
