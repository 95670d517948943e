"""What an owner has pushed and not sent yet: how it is grouped, and taken out while others push."""

from __future__ import annotations

from typing import Any

from concurrent.scheduling.owner.unsent import UnsentTasks
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms
from concurrent.scheduling.wire.columns import OVERHEAD_BYTES
from concurrent.scheduling.wire.messages import to_master

ONCE = Terms(attempts_max=1, name="once")


def filled(count: int) -> UnsentTasks:
    unsent = UnsentTasks()
    for task_id in range(1, count + 1):
        unsent.append(task_id, DEFAULT_TERMS, b"x" * task_id)
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


def test_tasks_with_different_terms_travel_together_and_each_stretch_has_its_terms_once() -> None:
    unsent = filled(2)
    for task_id in (3, 4):
        unsent.append(task_id, ONCE, b"")
    unsent.append(5, DEFAULT_TERMS, b"")
    group = unsent.take()
    assert (group.first_id, len(group.payloads)) == (1, 5)
    assert group.stretches == [(0, DEFAULT_TERMS), (2, ONCE), (4, DEFAULT_TERMS)]


class Master:
    """Stands for the session with a master."""

    def __init__(self, *features: str) -> None:
        self.peer_has = features.__contains__
        self.said: list[tuple[Any, ...]] = []

    def cast(self, *words: Any) -> None:
        self.said.append(words)


def test_a_master_is_told_of_all_terms_in_one_message_and_an_older_one_of_attempts_only() -> None:
    unsent = filled(2)
    unsent.append(3, ONCE, b"y")
    group = unsent.take()
    master: Any = Master("terms")
    group.cast(master, 7)
    terms = [[0, {}], [2, {"attempts_max": 1, "name": "once"}]]
    assert master.said == [(to_master.push_tasks, 1, 7, terms, [b"x", b"xx", b"y"])]
    older: Any = Master()
    unsent.put_back([group])
    while unsent:
        unsent.take(are_alike=True).cast(older, 7)
    assert older.said == [
        (to_master.push_tasks, 1, 7, 3, [b"x", b"xx"]),
        (to_master.push_tasks, 3, 7, 1, [b"y"]),
    ]


def test_what_is_pushed_while_others_are_taken_out_stays_behind_them() -> None:
    unsent = filled(3)

    class Ids(set[int]):
        """Stands for a thread that pushes meanwhile."""

        def __contains__(self, task_id: object) -> bool:
            unsent.append(len(unsent) + 100, DEFAULT_TERMS, b"")
            return super().__contains__(task_id)

    assert [task_id for task_id, _, _ in unsent.remove(Ids({2}))] == [2]
    assert [first_id for first_id, _ in taken(unsent)][:2] == [1, 3]


def test_what_was_taken_can_be_put_back_in_the_old_order_with_its_terms() -> None:
    unsent = filled(2)
    unsent.append(3, ONCE, b"y")
    groups = [unsent.take()]
    unsent.append(4, DEFAULT_TERMS, b"z")
    groups.append(unsent.take())
    unsent.append(5, ONCE, b"")
    pushed_bytes = unsent.pushed_bytes
    unsent.put_back(groups)
    assert unsent.pushed_bytes == pushed_bytes
    again = unsent.take()
    assert (again.ids, again.payloads) == (range(1, 6), [b"x", b"xx", b"y", b"z", b""])
    assert again.stretches == [(0, DEFAULT_TERMS), (2, ONCE), (3, DEFAULT_TERMS), (4, ONCE)]


def test_what_comes_before_the_rest_counts_as_pushed() -> None:
    unsent = filled(1)
    unsent.remove({1})
    unsent.append(7, DEFAULT_TERMS, b"")
    unsent.put_before([(3, DEFAULT_TERMS, b"x"), (4, DEFAULT_TERMS, b"xx")])
    assert unsent.pushed_bytes == 4 + 4 * OVERHEAD_BYTES
    assert unsent.ids() == {3, 4, 7}
    assert [task_id for task_id, _, _ in unsent.remove_below(4)] == [3]
    assert taken(unsent) == [(4, [2]), (7, [0])]
