"""Finds methods whose names look like those that the framework calls, and are not."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from types import FunctionType
from typing import Final, NamedTuple

from concurrent.core.loggers import get_log
from concurrent.scheduling.tasks.meant import names_used
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.tasksystem import ITaskSystem

__all__ = ["Misspelt", "misspelt_methods", "warn_of_misspelt"]

LIKENESS_MIN: Final = 0.82

HOOKS: Final = (
    "app_init",
    "start_processing",
    "get_task_system",
    "task_finished",
    "work_finished",
    "work_failed",
    "push_task_response",
    "push_task_failed",
    "push_tasks_response",
    "push_tasks_failed",
    "push_tasksystem_response",
    "push_tasksystem_failed",
)
"""What an application may define."""

TASK_HOOKS: Final = ("clean_up", "finished")
SYSTEM_HOOKS: Final = (
    "init_system",
    "generate_tasks",
    "task_finished",
    "is_complete",
    "gather_result",
    "checkpoint",
    "restore",
)

log = get_log(__name__)


class Misspelt(NamedTuple):
    """A method that is never called, and the one that its author may have meant."""

    name: str
    meant: str


def misspelt_methods(cls: type, base: type, hooks: Iterable[str]) -> list[Misspelt]:
    """Return the methods of a class that look like a hook of its base and that nothing in the class uses.

    :param base: the class of the framework that ``cls`` is derived from.
    :param hooks: the names of the methods that may be defined.
    """
    hooks = tuple(hooks)
    functions = dict(_own_functions(cls, base))
    used = set(names_used(functions.values()))
    found = []
    for name in functions:
        if name.startswith("_") or name in hooks or hasattr(base, name) or name in used:
            continue
        likeness, meant = max((_likeness(name, hook), hook) for hook in hooks)
        if likeness >= LIKENESS_MIN:
            found.append(Misspelt(name, meant))
    return found


def warn_of_misspelt(cls: type, base: type) -> None:
    """Log what is misspelt in an application class, and in the tasks and task systems of its module.

    :param base: the class of all applications.
    """
    found = [(cls, one) for one in misspelt_methods(cls, base, HOOKS)]
    for parent, hooks in ((Task, TASK_HOOKS), (ITaskSystem, SYSTEM_HOOKS)):
        for other in list(vars(sys.modules[cls.__module__]).values()):
            is_own = isinstance(other, type) and other is not parent and issubclass(other, parent)
            if is_own and other.__module__ == cls.__module__:
                found += [(other, one) for one in misspelt_methods(other, parent, hooks)]
    for owner, (name, meant) in found:
        log.warning(
            "%s.%s is nothing that is called back: is %s meant? If not, begin its name with _",
            owner.__name__,
            name,
            meant,
        )


def _own_functions(cls: type, base: type) -> Iterator[tuple[str, FunctionType]]:
    for one in cls.__mro__:
        if one is not base and not one.__module__.startswith("concurrent.") and one is not object:
            yield from ((name, value) for name, value in vars(one).items() if isinstance(value, FunctionType))


def _likeness(name: str, hook: str) -> float:
    """Return how much alike two names are, from 0 to 1; case and underscores do not count."""
    plain, wanted = name.replace("_", "").lower(), hook.replace("_", "").lower()
    return SequenceMatcher(None, plain, wanted).ratio()
