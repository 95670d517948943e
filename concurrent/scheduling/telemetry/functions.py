"""What tasks are, by small numbers: the names of their functions, each once for a job. A pure module."""

from __future__ import annotations

from typing import Final, NamedTuple

from concurrent.scheduling.telemetry.numbered import Numbered

__all__ = ["FUNCTIONS_MAX", "OTHER", "Function", "Functions"]

FUNCTIONS_MAX: Final = 4096
"""So many have a number at once."""


class Function(NamedTuple):
    """What tasks of one job are.

    :param job: the number of the owner of these tasks, an application or a task system; 0: unknown.
    :param job_name: what people call it.
    :param name: the name of the class or function; empty if they have none.
    """

    job: int
    job_name: str
    name: str


OTHER: Final = Function(0, "", "other")
"""What stands for all functions that there is no room for."""


class Functions(Numbered[Function]):
    """See the module, and :class:`Numbered`."""

    def __init__(self, count_max: int = FUNCTIONS_MAX) -> None:
        super().__init__(OTHER, count_max)
