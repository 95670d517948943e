"""The examples of the pages: their fenced blocks, and what these need and print.

What is run are the fenced blocks of ``README.md``, ``docs/*.md`` and ``docs/needs/*.md``:

* a block whose first line is ``# file: NAME`` is written to that file, in a folder of the page's own;
* any other ``python`` block is a program of its own, run in that folder in the order of the page;
* a ``text`` block right after a program is what that prints;
* ``<!-- not run -->`` on the line before a block leaves it out;
* ``<!-- needs NAME, NAME -->`` there names packages, and leaves it out where one of them is not installed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec

__all__ = ["FENCE", "Block", "blocks_of"]

NOT_RUN = "<!-- not run -->"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_NEEDS = re.compile(r"<!-- needs (\w+(?:, \w+)*) -->$")
_FILE = re.compile(r"# file: (\S+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    :param line: where its text begins.
    :param file: the file that it is written to, or None.
    :param printed: what the program prints according to the page, or None.
    :param missing: packages that it needs and that are not installed.
    """

    line: int
    language: str
    text: str
    file: str | None
    printed: str | None
    missing: tuple[str, ...] = ()

    @property
    def is_program(self) -> bool:
        """Whether it is run."""
        return self.language == "python" and self.file is None


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page that count as examples."""
    found = list(FENCE.finditer(page))
    blocks = []
    for index, fence in enumerate(found):
        before = page[: fence.start()].rstrip()
        if before.endswith(NOT_RUN):
            continue
        needs = _NEEDS.search(before)
        missing = [name for name in needs[1].split(", ") if find_spec(name) is None] if needs else []
        printed = None
        if index + 1 < len(found) and found[index + 1][1] == "text":
            if not page[fence.end() : found[index + 1].start()].strip():
                printed = found[index + 1][2]
        named = _FILE.match(fence[2])
        line = page.count("\n", 0, fence.start()) + 2
        blocks.append(Block(line, fence[1], fence[2], named[1] if named else None, printed, tuple(missing)))
    return blocks
