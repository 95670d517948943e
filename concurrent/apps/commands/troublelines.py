"""What is wrong with a cluster, as lines that fit the screen, with what to type. A pure module."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from concurrent.apps.api import printable
from concurrent.apps.commands.output import YELLOW, Screen
from concurrent.apps.troublelist import TroublesList

__all__ = ["trouble_lines"]

LINES_MAX: Final = 3
"""So many lines are for what is wrong in one case; more than that nobody reads."""

ARROW: Final = "   -> "


def trouble_lines(troubles: TroublesList, screen: Screen, master: str | None) -> list[str]:
    """Return a heading and each trouble with what helps; nothing if all is well.

    :param master: where the master is, as it was typed; None if it was not.
    """
    if not troubles.total:
        return []
    lines = [f"wrong, most serious first: {troubles.total:,}"]
    for place, one in enumerate(troubles.items, 1):
        head, *rest = _wrapped(f"{place}. {one.said}", screen)
        lines += [screen.painted(head, YELLOW), *(screen.painted(line, YELLOW) for line in rest)]
        lines += [f"{ARROW}{printable(one.remedy)}: {printable(one.typed(master))}"]
    if troubles.left_out:
        lines.append(f"... and {troubles.left_out:,} more, which are not shown")
    return lines


def _wrapped(text: str, screen: Screen) -> list[str]:
    return list(_lines(printable(text), screen.width))


def _lines(text: str, width: int | None) -> Iterator[str]:
    if width is None:
        yield text
        return
    yield from textwrap.wrap(
        text, width, subsequent_indent="   ", max_lines=LINES_MAX, placeholder=" \N{HORIZONTAL ELLIPSIS}"
    )
