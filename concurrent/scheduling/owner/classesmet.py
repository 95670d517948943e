"""The classes of tasks that an owner has pushed, each of which is looked at when it is pushed first."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakSet

from concurrent.core.loggers import get_log
from concurrent.scheduling.tasks.meant import ignored_attributes

__all__ = ["ClassesMet"]

log: Final = get_log(__name__)


class ClassesMet:
    """Warns once of each class whose attributes look like what tasks are asked for. Under the owner's lock."""

    def __init__(self) -> None:
        self._met: WeakSet[type[Any]] = WeakSet()

    def __call__(self, kind: type[Any]) -> None:
        """Look at a class, unless it was looked at before."""
        if kind in self._met:
            return
        self._met.add(kind)
        for name, meant in ignored_attributes(kind):
            log.warning(
                "%s.%s has no effect: is %s meant? If it is data of the task, begin its name with _, or set it "
                "in __init__",
                kind.__qualname__,
                name,
                meant,
            )
