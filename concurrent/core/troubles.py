"""What went wrong in plug-ins, so that log, status and whoever is concerned can say so.

The first trouble of a kind is logged with its traceback, the later ones are counted and logged at each power
of ten. A kind is a component, the rule that it broke, and how. A pure module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from concurrent.core.foreign import text_of
from concurrent.core.loggers import get_log
from concurrent.core.status import Status

__all__ = ["Trouble", "Troubles"]

KINDS_MAX: Final = 100
"""So many kinds are told apart; all others count as one more."""

OTHER_KINDS: Final = ("", "", "")

PROBLEM_LENGTH_MAX: Final = 300

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Trouble(Status):
    """One kind of trouble, and how often there was such.

    :param component: the component or plug-in.
    :param rule: what it had to do: the method of an interface, or ``import``.
    :param problem: what it did instead.
    :param action: what the framework does about it.
    """

    component: str
    rule: str
    problem: str
    action: str
    count: int

    def __str__(self) -> str:
        return f"plug-in {self.component}: {self.rule} {self.problem}; {self.action}"


class Troubles:
    """See the module. Owned by one thread at a time: the one that loads plug-ins, then the node's loop.

    ``listener`` is called with each trouble that is logged.
    """

    def __init__(self) -> None:
        self.listener: Callable[[Trouble], object] | None = None
        self._trouble_by_kind: dict[tuple[str, str, str], Trouble] = {}

    def note(
        self,
        component: str,
        rule: str,
        problem: str | BaseException,
        *,
        action: str,
        kind: str = "",
        error: BaseException | None = None,
    ) -> None:
        """Take note of a trouble.

        :param problem: what the component did instead, or what it raised.
        :param kind: what tells it from other troubles of that rule, where its text does not.
        :param error: what the first of the kind is logged with, if the problem is a text.
        """
        if isinstance(problem, BaseException):
            error, kind = problem, type(problem).__name__
            problem = f"raised {kind}: {text_of(error)}"
        problem = f"{problem:.{PROBLEM_LENGTH_MAX}}"
        key = component, rule, kind or problem
        if key not in self._trouble_by_kind and len(self._trouble_by_kind) >= KINDS_MAX:
            key = OTHER_KINDS
        first = self._trouble_by_kind.get(key) or Trouble(component, rule, problem, action, count=0)
        trouble = replace(first, problem=problem, action=action, count=first.count + 1)
        self._trouble_by_kind[key] = trouble
        if trouble.count == 1:
            log.error("%s", trouble, exc_info=error)
        elif str(trouble.count).strip("0") == "1":
            log.error("%s (%d times so far)", trouble, trouble.count)
        else:
            return
        if self.listener is not None:
            self.listener(trouble)

    def status(self) -> tuple[Trouble, ...]:
        """Return all of them, the oldest kind first."""
        return tuple(self._trouble_by_kind.values())
