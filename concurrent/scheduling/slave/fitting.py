"""What a slave has of the installed modules that programs use. It looks for them, and imports none.

Where the master wants slaves spared that lack something, tasks wait here until it says what becomes of them.
Loop thread only.
"""

from __future__ import annotations

import enum
import importlib
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.machinery import PathFinder
from importlib.util import find_spec
from typing import Final, NamedTuple

from concurrent.core.distributions import Distributions
from concurrent.core.loggers import get_log

__all__ = ["Fit", "Fitting", "Instead", "Use", "look_for"]

AGAIN_S: Final = 30.0
"""After so long what was looked for before is looked for again: it may have been installed meanwhile."""

NAMED_MAX: Final = 100
"""So many modules are named, in answers and in the log."""

log = get_log(__name__)

Use = tuple[str, str, str]
"""A module, its distribution and the version of that; the last two may be empty."""


class Fit(NamedTuple):
    """What is missing, and what is there in another version: the module, that version, the program's."""

    missing: list[str]
    others: list[list[str]]


class Instead(enum.Enum):
    """What is done with tasks instead of running them: they wait for a word of the master, or go back."""

    WAIT = "wait"
    RETURN = "return"


class _Looked:
    """What an owner uses, and what is wrong with that."""

    def __init__(self, looked_at: float) -> None:
        self.uses: list[Use] = []
        self.fit = Fit([], [])
        self.looked_at = looked_at


class Fitting:
    """See the module. ``instead_by_owner`` has whose tasks are not to be run, or not yet.

    :param clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.instead_by_owner: dict[int, Instead] = {}
        self._clock = clock
        self._looked_by_owner: dict[int, _Looked] = {}

    def look(self, owner: int, uses: Iterable[Use], folders: Sequence[str], *, waits: bool) -> Fit:
        """Look for modules of an owner besides those that were told before; returns what is wrong with all.

        :param folders: where its workers import from.
        :param waits: whether its tasks have to wait for a word of the master if something is missing.
        """
        now, new = self._clock(), list(uses)
        looked = self._looked_by_owner.setdefault(owner, _Looked(now))
        looked.uses += new
        if now - looked.looked_at >= AGAIN_S:
            looked.looked_at, looked.fit = now, look_for(looked.uses, folders)
            missing = looked.fit.missing
        else:
            missing, others = look_for(new, folders)
            looked.fit.missing.extend(missing)
            looked.fit.others.extend(others)
        if missing:
            log.info("has not what application %d uses: %s", owner, ", ".join(missing[:NAMED_MAX]))
        fit = Fit(looked.fit.missing[:NAMED_MAX], looked.fit.others[:NAMED_MAX])
        if fit.missing and waits:
            self.instead_by_owner.setdefault(owner, Instead.WAIT)
        return fit

    def spare(self, owner: int, by: str) -> None:
        """Take the word of the master on the tasks of an owner.

        :param by: the slave that is to have them; nobody: this one.
        """
        if by:
            log.info("hands back the tasks of application %d: %s has what it needs", owner, by)
            self.instead_by_owner[owner] = Instead.RETURN
        else:
            self.instead_by_owner.pop(owner, None)

    def forget(self, owner: int) -> None:
        """Know no more of an owner."""
        self._looked_by_owner.pop(owner, None)
        self.instead_by_owner.pop(owner, None)

    def left(self) -> None:
        """The master is gone: the next one, or the next session, tells everything again."""
        self._looked_by_owner.clear()
        self.instead_by_owner.clear()


def look_for(uses: Iterable[Use], folders: Sequence[str]) -> Fit:
    """Return what there is not of modules, or is in another version.

    :param folders: where workers import from; if it is empty they do as this interpreter does.
    """
    importlib.invalidate_caches()  # something may have been installed meanwhile
    fit, distributions = Fit([], []), Distributions()
    find: Callable[[str], object] = partial(PathFinder.find_spec, path=folders) if folders else find_spec
    for module, distribution, version in uses:
        here = distributions.version_of(distribution, folders or sys.path) if distribution else ""
        if not here and not _is_found(find, module):
            fit.missing.append(module)
        elif here and version and here != version:
            fit.others.append([module, here, version])
    return fit


def _is_found(find: Callable[[str], object], module: str) -> bool:
    if "." in module:
        return False  # to look for it would be to import what is before the dot
    try:
        return find(module) is not None
    except (ImportError, ValueError):  # finders of others, and modules that were made by hand
        return False
