"""What somebody may have meant who asked for something by a name that there is not. A pure module.

Other frameworks have other names for what tasks are asked for, and a class may have any attribute: one that
has no effect is silent. So classes are looked through once, where they are pushed first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import CodeType
from typing import Any, Final

from concurrent.core.nearest import nearest
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.terms import NAMES

__all__ = ["ignored_attributes", "names_used", "term_meant"]

MEANT_BY_NAME: Final = {
    **dict.fromkeys(
        ("time_limit", "soft_time_limit", "time_out", "timeout_seconds", "max_runtime", "run_timeout"),
        "timeout_s",
    ),
    **dict.fromkeys(("expires", "dead_line", "deadline_at", "deadline_seconds"), "deadline_s"),
    **dict.fromkeys(
        (
            "retries",
            "max_retries",
            "num_retries",
            "n_retries",
            "retry_count",
            "retry_on",
            "tries",
            "autoretry_for",
        ),
        "retry",
    ),
    **dict.fromkeys(("prio", "nice"), "priority"),
    **dict.fromkeys(("attempts", "max_attempts", "max_deaths"), "attempts_max"),
    **dict.fromkeys(
        (
            "cpu",
            "cpus",
            "num_cpus",
            "n_cpus",
            "cores",
            "threads",
            "gpu",
            "gpus",
            "num_gpus",
            "n_gpus",
            "memory",
            "mem",
        ),
        "resources",
    ),
}
"""Other names for what can be asked for."""

ATTRIBUTES: Final = (*(name for name in NAMES if name != "name"), "returns_task")
"""What a class of tasks says of them; ``names`` may well be data of theirs."""

LIKENESS: Final = 0.87
"""So much a name has to be like another one to be taken for it: ``timeout`` is, ``resources_dir`` is not."""

OWN: Final = "concurrent."

VALUES: Final = (bool, int, float, str, dict, list, tuple, type)
"""Of what classes the values are that say what a task asks for."""


def term_meant(name: str, known: Sequence[str] = NAMES, likeness: float = 0.6) -> str:
    """Return which of some known names of terms somebody may have meant; empty if none is near.

    :param likeness: how much alike two names have to be, from 0 to 1.
    """
    return MEANT_BY_NAME.get(name.lower()) or nearest(name.lower(), known, likeness)


def ignored_attributes(cls: type[Task]) -> Iterator[tuple[str, str]]:
    """Yield the names of attributes of a class of tasks that look like terms and are none, and what was meant.

    What a method of the class uses is its own.
    """
    bases = [one for one in cls.__mro__ if not one.__module__.startswith(OWN) and one is not object]
    values = {name: value for one in reversed(bases) for name, value in vars(one).items()}
    found = [
        (name, meant)
        for name, value in values.items()
        if name.islower() and not name.startswith("_") and not hasattr(Task, name)
        if isinstance(value, VALUES) and (meant := term_meant(name, ATTRIBUTES, LIKENESS))
    ]
    if found:
        used = set(names_used(value for one in bases for value in vars(one).values()))
        yield from ((name, meant) for name, meant in found if name not in used)


def names_used(values: Iterable[Any]) -> Iterator[str]:
    """Yield the names of what the functions among some values of a class use: globals and attributes."""
    for value in values:
        for function in (value, *(getattr(value, part, None) for part in ("__func__", "fget", "func"))):
            code = getattr(function, "__code__", None)
            if isinstance(code, CodeType):
                yield from _names_in(code)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from (one for one in code.co_consts if isinstance(one, str))  # getattr(self, "NAME")
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names_in(inner)
