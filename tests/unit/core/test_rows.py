"""What is shown of a long list."""

from __future__ import annotations

from concurrent.core.rows import ROWS_MAX, chosen_rows


def test_a_list_that_fits_is_shown_whole_and_in_order() -> None:
    assert chosen_rows([3, 1, 2], rank=int) == [3, 1, 2]


def test_of_a_longer_one_those_of_the_highest_rank_are_shown_in_their_own_order() -> None:
    assert chosen_rows([3, 1, 2], int, 2) == [3, 2]
    rows = chosen_rows([7, *range(1000), 5000], rank=int)
    assert rows == [*range(1001 - ROWS_MAX, 1000), 5000]
