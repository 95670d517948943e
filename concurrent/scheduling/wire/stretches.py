"""Terms as they travel beside tasks: each stretch of tasks with equal terms has them once. A pure module.

On the wire they are a list of ``[place, terms]``: those of the tasks from that place among the payloads on.
Terms that stand in an earlier pair may be the number of that pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from concurrent.core.errors import InvalidArguments, SchedulingError
from concurrent.scheduling.tasks.terms import Terms, terms_from

__all__ = ["PackedTerms", "Stretch", "pack_stretches", "parts_of", "read_stretches"]

Stretch = tuple[int, Terms]
"""The place of the first task, and the terms of it and those behind it up to the next stretch."""

PackedTerms = list[Any] | int
"""How they travel. Peers without the feature ``terms`` send ``attempts_max`` alone, a number."""


def pack_stretches(stretches: Sequence[Stretch]) -> PackedTerms:
    """Return the terms of tasks as they travel."""
    if len(stretches) == 1:
        return [[0, _packed(stretches[0][1])]]
    rows: list[Any] = []
    row_by_terms: dict[int, int] = {}  # by identity: equal ones are mostly one object
    for place, terms in stretches:
        earlier = row_by_terms.setdefault(id(terms), len(rows))
        rows.append([place, earlier if earlier < len(rows) else _packed(terms)])
    return rows


def parts_of(stretches: Sequence[Stretch], count: int) -> list[tuple[slice, Terms]]:
    """Return the places of the tasks of each stretch, and their terms.

    :param count: how many tasks there are.
    """
    if len(stretches) == 1:
        return [(slice(0, count), stretches[0][1])]
    parts: list[tuple[slice, Terms]] = []
    for place, terms in reversed(stretches):
        parts.append((slice(place, count), terms))
        count = place
    parts.reverse()
    return parts


def read_stretches(packed: int | list[Any], count: int) -> list[Stretch]:
    """Return the stretches of terms as they came.

    :param packed: peers without the feature ``terms`` send ``attempts_max`` alone.
    :param count: how many tasks there are.
    :raises InvalidArguments: if it is no such list, or a value is not possible.
    """
    rows: list[Any] = packed if isinstance(packed, list) else [[0, {"attempts_max": packed}]]
    if len(rows) == 1 and count and (stretch := _stretch(rows[0], []))[0] == 0:
        return [stretch]
    stretches: list[Stretch] = []
    least, most = 0, min(0, count - 1)  # the first begins at 0
    for row in rows:
        stretch = _stretch(row, stretches)
        if not least <= stretch[0] <= most:
            break
        stretches.append(stretch)
        least, most = stretch[0] + 1, count - 1
    if not stretches or len(stretches) < len(rows):
        raise InvalidArguments(
            f"terms must begin at 0 and go on at later places of {count} tasks, but are {rows!r:.100}",
            thing="terms",
            remedy="Send [[0, {...}]] for tasks with equal terms",
        )
    return stretches


def _stretch(row: Any, earlier: list[Stretch]) -> Stretch:
    if type(row) is list and len(row) == 2 and type(row[0]) is int:
        place, terms = row
        if type(terms) is int and 0 <= terms < len(earlier):
            return place, earlier[terms][1]
        if type(terms) is dict:
            try:
                return place, terms_from(terms)
            except SchedulingError as error:
                raise InvalidArguments(str(error), thing=error.thing, value=error.value) from None
    raise InvalidArguments(f"terms must be [place, map], but have {row!r:.100}", thing="terms")


@lru_cache(maxsize=1000)
def _packed(terms: Terms) -> dict[str, Any]:
    return terms.as_map()
