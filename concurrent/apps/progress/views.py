"""How bars are shown: on a terminal, as lines now and then, or in a notebook. The thread that shows them."""

from __future__ import annotations

import importlib
import os
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Protocol, TextIO

from concurrent.apps.progress.bars import Figures, bar_line, plain_line
from concurrent.apps.progress.screen import Screen

__all__ = ["LinesView", "NotebookView", "TerminalView", "View", "view_for"]

LINES: Final = 10
"""How many lines a bar has in all where nothing is drawn, if it goes on fast enough."""

LINE_S: Final = 300.0
"""A bar that goes on more slowly has one more each so many seconds."""

TEXT_COLUMNS: Final = 100

OVER_MAX: Final = 100
"""So many bars that are over stay below a cell of a notebook, the latest."""


class View(Protocol):
    """Shows bars. ``begin`` is called by whoever works, the rest by the thread that shows."""

    def begin(self) -> None:
        """Bars will come."""

    def show(self, bars: Sequence[Figures], over: Sequence[Figures]) -> None:
        """Show the bars as they are now.

        :param over: those that are shown for the last time.
        """

    def close(self) -> None:
        """No more comes; called once, if it was begun."""


def view_for(stream: TextIO | None) -> View:
    """Return how to show bars here.

    :param stream: where; None: in the notebook that this program is, else on standard error.
    """
    if stream is None and _is_notebook():
        return NotebookView()
    stream = sys.stderr if stream is None else stream
    if stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalView(Screen.of(stream))
    return LinesView(stream)


class TerminalView:
    """Bars below everything else; those that are over stay where they are, as lines."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def begin(self) -> None:
        """See the protocol."""
        self._screen.show(self, [])

    def show(self, bars: Sequence[Figures], over: Sequence[Figures]) -> None:
        """See the protocol."""
        columns = self._screen.columns
        if over:
            self._screen.show(self, [])
            self._screen.print_above("".join(f"{bar_line(one, columns)}\n" for one in over))
        self._screen.show(self, [bar_line(one, columns) for one in bars])

    def close(self) -> None:
        """See the protocol."""
        self._screen.leave(self)


class LinesView:
    """A line whenever another tenth is done, and every few minutes."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._last_of: dict[str, tuple[int, float]] = {}

    def begin(self) -> None:
        """See the protocol."""

    def show(self, bars: Sequence[Figures], over: Sequence[Figures]) -> None:
        """See the protocol."""
        lines = [plain_line(one) for one in bars if self._is_due(one)]
        lines += [plain_line(one) for one in over]
        for one in over:
            self._last_of.pop(one.name, None)
        if lines and self._stream is not None:
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()

    def close(self) -> None:
        """See the protocol."""

    def _is_due(self, one: Figures) -> bool:
        step, elapsed_s = LINES * one.done // one.total, one.elapsed_s
        last_step, last_s = self._last_of.setdefault(one.name, (0, elapsed_s))
        is_due = not one.is_complete and (step > last_step or elapsed_s - last_s >= LINE_S)
        if is_due:
            self._last_of[one.name] = step, elapsed_s
        return is_due


class NotebookView:
    """Bars below the cell that began them, brought up to date in their place."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._over: deque[Figures] = deque(maxlen=OVER_MAX)

    def begin(self) -> None:
        """See the protocol; in the thread of the cell, or they would appear elsewhere."""
        display = importlib.import_module("IPython.display").display
        self._handle = display(_Shown([]), display_id=True)

    def show(self, bars: Sequence[Figures], over: Sequence[Figures]) -> None:
        """See the protocol."""
        self._over += over
        if self._handle is not None:
            self._handle.update(_Shown([*self._over, *bars]))

    def close(self) -> None:
        """See the protocol."""


class _Shown:
    """Bars as a notebook shows them; as text where it shows no HTML."""

    def __init__(self, bars: Sequence[Figures]) -> None:
        self._bars = bars

    def __repr__(self) -> str:
        return "\n".join(bar_line(one, TEXT_COLUMNS) for one in self._bars)

    def _repr_html_(self) -> str:
        from concurrent.apps.pages.elements import element, to_html  # only notebooks need it

        rows = [
            element(
                "tr",
                element("th", one.name, scope="row"),
                element("td", element("progress", value=one.done, max=one.total)),
                element("td", f"{one.percent}%"),
                element("td", one.count_words),
                element("td", one.time_words),
            )
            for one in self._bars
        ]
        return to_html([element("table", element("tbody", *rows))]) if rows else ""


def _is_notebook() -> bool:
    """Tell whether this program is the kernel of a notebook; nothing is imported for that."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None
