"""What an owner has pushed and not sent yet: how it is grouped, and taken out while others push."""

from __future__ import annotations

from concurrent.scheduling.owner.unsent import UnsentTasks
from concurrent.scheduling.wire.columns import OVERHEAD_BYTES


def filled(count: int) -> UnsentTasks:
    unsent = UnsentTasks()
    for task_id in range(1, count + 1):
        unsent.append(task_id, 3, b"x" * task_id)
    return unsent


def taken(unsent: UnsentTasks) -> list[tuple[int, list[int]]]:
    """Take all out, and tell of each group its first id and the lengths of its payloads."""
    groups = []
    while unsent:
        group = unsent.take()
        groups.append((group.first_id, list(map(len, group.payloads))))
    return groups


def test_tasks_in_a_row_travel_together_and_a_gap_divides_them() -> None:
    unsent = filled(5)
    removed = unsent.remove({3, 7})
    assert [(task_id, len(payload)) for task_id, _, payload in removed] == [(3, 3)]
    assert taken(unsent) == [(1, [1, 2]), (4, [4, 5])]


def test_tasks_of_which_other_numbers_of_workers_may_die_travel_apart() -> None:
    unsent = filled(2)
    unsent.append(3, 1, b"xxx")
    assert taken(unsent) == [(1, [1, 2]), (3, [3])]


def test_what_is_pushed_while_others_are_taken_out_stays_behind_them() -> None:
    unsent = filled(3)

    class Ids(set[int]):
        """Stands for a thread that pushes meanwhile."""

        def __contains__(self, task_id: object) -> bool:
            unsent.append(len(unsent) + 100, 3, b"")
            return super().__contains__(task_id)

    assert [task_id for task_id, _, _ in unsent.remove(Ids({2}))] == [2]
    assert [first_id for first_id, _ in taken(unsent)][:2] == [1, 3]


def test_what_was_drained_counts_as_not_pushed() -> None:
    unsent = filled(2)
    assert unsent.pushed_bytes == 3 + 2 * OVERHEAD_BYTES
    assert unsent.drain() == {1: b"x", 2: b"xx"}
    assert not unsent
    assert unsent.pushed_bytes == 0
