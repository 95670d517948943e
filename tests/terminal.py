"""A terminal as far as bars need one: what is on it after some text was written to it."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import east_asian_width

__all__ = ["Emulator"]

PARTS: Final = re.compile(r"\x1b\[(\d*)([A-Za-z])|([\r\n])|([^\x1b\r\n])")


class Emulator:
    """See the module. It knows ends of lines, wraps, scrolls, and clears to the end of line and screen.

    ``row`` is where the cursor is, counted from the first line that was ever written.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.row = 0
        self.column = 0
        self._lines: list[list[str]] = [[]]

    def feed(self, text: str) -> None:
        """Take text as it was written; what is not known is an error."""
        at = 0
        while at < len(text):
            match = PARTS.match(text, at)
            assert match is not None, f"not known: {text[at : at + 10]!r}"
            at = match.end()
            count, command, control, character = match.groups()
            if command:
                self._obey(command, int(count or 1))
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self._go_down()
            else:
                self._put(character)

    def lines(self) -> list[str]:
        """Return all lines that were ever written, without empty ones at the end."""
        shown = ["".join(line).rstrip() for line in self._lines]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def _obey(self, command: str, count: int) -> None:
        line = self._lines[self.row]
        if command == "A":
            top = max(0, len(self._lines) - self.rows)
            self.row = max(top, self.row - count)
        elif command == "K":
            del line[self.column :]
        elif command == "J":
            del line[self.column :]
            for below in self._lines[self.row + 1 :]:
                below.clear()
        else:
            raise AssertionError(f"not known: {command}")

    def _go_down(self) -> None:
        self.row += 1
        self.column = 0
        if self.row == len(self._lines):
            self._lines.append([])

    def _put(self, character: str) -> None:
        width = 2 if east_asian_width(character) in "WF" else 1
        if self.column + width > self.columns:
            self._go_down()
        line = self._lines[self.row]
        line.extend(" " * (self.column + width - len(line)))
        line[self.column : self.column + width] = [character, *[""] * (width - 1)]
        self.column += width
