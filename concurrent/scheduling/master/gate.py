"""Lets out what rests on the journal when that has kept it. Loop thread only.

What is recorded in one turn of the loop, or in a few, is one transaction with a number. Whatever rests on it,
the word that tasks are accepted and outcomes above all, waits here until this number is committed, and leaves
in its order. What nobody counts on, such as tasks on their way to slaves, does not come here.

Outcomes leave with the transaction of their turn. For the word that tasks are accepted nobody waits so much: it
may take the transaction of the outcomes that come next, so that a task which takes no time costs one.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from concurrent.scheduling.interfaces import IJournal
from concurrent.scheduling.ledger.events import Accept, Deliver, Record
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Gate"]

LATER_S: Final = 0.002
"""So long a transaction may wait for others if nothing rests on it but that tasks are accepted."""

Held = tuple[Callable[[Any], object], Any]
"""A hand, and the command that it carries out."""


class Gate:
    """See the module.

    :param journal: an open journal; whoever opens it calls :meth:`committed` when it has committed.
    :param on_open: called after something was let out later than in its turn.
    """

    def __init__(self, loop: NodeLoop, journal: IJournal, on_open: Callable[[], object]) -> None:
        self._loop = loop
        self._journal = journal
        self._on_open = on_open
        self._held: list[Held] = []
        self._waiting: deque[tuple[int, list[Held]]] = deque()
        self._last = 0
        self._committed = 0
        self._is_closed = False
        self._is_urgent = False
        self._timer: TimerHandle | None = None

    @property
    def waiting_count(self) -> int:
        """How many commands wait for a commit."""
        return len(self._held) + sum(len(held) for _, held in self._waiting)

    def record(self, command: Record) -> None:
        """Have the journal keep something, before anything that comes after it in this turn leaves."""
        self._journal.append(command.what)

    def behind(self, hand: Callable[[Any], object]) -> Callable[[Any], None]:
        """Return a hand that has another one carry out its commands once all before them is kept."""

        def hold(command: Any) -> None:
            self._held.append((hand, command))
            if type(command) is not Accept:
                self._is_urgent = True

        return hold

    def when_kept(self, fn: Callable[[], object]) -> None:
        """Call a function once all that was recorded so far is kept."""
        self._held.append((lambda _command: fn(), None))
        self._is_urgent = True

    def reply(self, fn: Callable[[], object]) -> None:
        """Call a function as :meth:`when_kept` does, but before anything else of this turn is let out."""
        self._held.insert(0, (lambda _command: fn(), None))
        self._is_urgent = True

    def end_turn(self) -> None:
        """Hand over what was recorded, or soon; let out what rests on nothing that is not kept."""
        if self._is_urgent:
            self._hand_over()
        elif self._timer is None and not self._is_closed:
            self._timer = self._loop.call_later(LATER_S, self._late)

    def committed(self, number: int) -> None:
        """Let out what waits for the transactions up to this one."""
        self._committed = max(self._committed, number)
        waiting = self._waiting
        if not waiting or waiting[0][0] > self._committed:
            return
        while waiting and waiting[0][0] <= self._committed:
            _let_out(waiting.popleft()[1])
        self._on_open()

    def forget(self, owner: int) -> None:
        """Drop the outcomes that wait for a session of an owner: it has ended, the next gets them anew."""
        self._held = _without(owner, self._held)
        self._waiting = deque((number, _without(owner, held)) for number, held in self._waiting)

    def close(self) -> None:
        """Let out nothing more: the journal has failed, or is closed."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._held.clear()
        self._waiting.clear()

    def _late(self) -> None:
        self._hand_over()
        self._on_open()

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_urgent = False
        held, self._held = self._held, []
        if self._is_closed:
            return
        number = self._journal.commit()
        if number:
            self._last = number
        if held and self._last > self._committed:
            self._waiting.append((self._last, held))
        else:
            _let_out(held)


def _let_out(held: list[Held]) -> None:
    for hand, command in held:
        hand(command)


def _without(owner: int, held: list[Held]) -> list[Held]:
    return [one for one in held if not (type(one[1]) is Deliver and one[1].owner == owner)]
