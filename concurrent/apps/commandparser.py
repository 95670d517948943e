"""The parser of the command line: of what it does not know it says what may have been meant.

What finds that is imported then: a command line that is right needs none of it.

What stands behind ``--`` is for the script that a command runs, if it runs scripts: options of both may be
the same, so nothing else tells whose one is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

__all__ = ["CommandParser"]

SEPARATOR: Final = "--"
SCRIPT_ARGUMENTS: Final = "script_arguments"

LIKENESS: Final = 0.8
"""So much a word has to be like an option to be taken for it."""


class CommandParser(argparse.ArgumentParser):
    """See the module. Options of the configuration are no arguments; whoever takes one for it is told so.

    :param classes: classes whose options may be meant besides those of the framework.
    """

    def __init__(self, *args: Any, classes: Iterable[type] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._classes = tuple(classes)
        self._runs_scripts = False

    def take_script_arguments(self) -> None:
        """Take what stands behind ``--`` as ``script_arguments``, word for word."""
        self._runs_scripts = True
        self.add_argument(
            SCRIPT_ARGUMENTS, metavar="-- ARGUMENT", nargs="*",
            help="arguments of a script, which it has as from 'python FILE.py ARGUMENT ...'",
        )  # fmt: skip

    def parse_known_args(  # type: ignore[override]  # of the base's many forms the one that is called
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse words, all of which have to be known; the parser of a command says so for its own ones.

        :raises SystemExit: if one is not.
        """
        words = list(sys.argv[1:] if args is None else args)
        own = words[: words.index(SEPARATOR)] if self._runs_scripts and SEPARATOR in words else words
        known, rest = super().parse_known_args(own, namespace)
        if self._runs_scripts:
            rest += getattr(known, SCRIPT_ARGUMENTS)
            setattr(known, SCRIPT_ARGUMENTS, words[len(own) + 1 :])
        if rest:
            hints = [hint for one in dict.fromkeys(rest) if (hint := self._hint(words[words.index(one) :]))]
            if self._runs_scripts:
                hints.append("arguments of a script stand behind --, as in main.py -- --size 3")
            self.error("; ".join([f"unrecognized arguments: {' '.join(rest)}", *hints]))
        return known, rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a word that is none of those which may stand there, and say which one is near."""
        if action.choices is not None and value not in action.choices:
            from concurrent.core.nearest import did_you_mean

            words = [str(one) for one in action.choices]
            meant = did_you_mean(str(value), words)
            raise argparse.ArgumentError(action, f"{value!r} is unknown. {meant}Choose from {', '.join(words)}")

    def _hint(self, words: Sequence[str]) -> str:
        """Return what may be meant by the first of these words, which is not known; empty if nobody can say."""
        flag, separator, text = words[0].partition("=")
        if not flag.startswith("--") or flag == "--":
            return ""
        from concurrent.core.nearest import nearest

        own = nearest(flag, [one for one in self._option_string_actions if one.startswith("--")], LIKENESS)
        if own:
            return f"did you mean {own}?"
        option = self._option_meant(flag[2:].lower().replace("-", "_"))
        if not option:
            return ""
        is_next = not separator and len(words) > 1 and not words[1].startswith("-")
        value = text if separator else words[1] if is_next else "VALUE"
        return f"options of the configuration are set with -o: did you mean -o {option}={value}?"

    def _option_meant(self, name: str) -> str:
        """Return ``section.option`` of an option that is named, maybe without its section; empty if none is."""
        from concurrent.core.builtin import BUILT_IN, WITHOUT_OPTIONS
        from concurrent.core.config import items_of
        from concurrent.core.items import SectionItem
        from concurrent.core.known import KnownClasses
        from concurrent.core.nearest import nearest

        known = [*KnownClasses[type](BUILT_IN).without(WITHOUT_OPTIONS), *self._classes]
        items = [item for item in items_of(known) if not isinstance(item, SectionItem)]
        if "." in name:
            return nearest(name, [f"{item.section}.{item.name}" for item in items], LIKENESS)
        sections = [*(item.section for item in items_of(self._classes)), self.prog.rpartition(" ")[2]]
        items.sort(key=lambda item: item.section in sections)  # what is of the command counts more
        by_name = {item.name: f"{item.section}.{item.name}" for item in items}
        return by_name.get(nearest(name, by_name, LIKENESS), "")
