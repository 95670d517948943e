"""Messages between nodes, declared once: both ends name the declaration, and neither repeats it. Pure.

A declaration is a function without a body. Its name is that of the method on the wire, its parameters are the
fields, and their annotations say what a peer may send (see ``arguments.py``)::

    FROM_SLAVE = Direction(senders={"slave"}, receivers={"master"}, roles={Role.SLAVE})

    @FROM_SLAVE.cast()
    def returned(numbers: list[int]) -> None:
        \"\"\"Hand back tasks that have not started.\"\"\"

The sender says ``handler.cast(returned, [1, 2])``, and the receiver registers a function of the same parameters
with ``@receives(endpoint, returned)``. A type checker compares both with the declaration.

==========  =========================  ==================================================
kind        answer                     what a receiver does that cannot take it
==========  =========================  ==================================================
``Cast``    none; both count on it     ends the session
``Hint``    none; shown to people      says so in its log
``Call``    the result, or an error    answers with the error
==========  =========================  ==================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, ParamSpec, TypeVar

from concurrent.transport.security.roles import DEFAULT_ROLES, Role, roles_of

__all__ = ["Call", "Cast", "Direction", "Hint", "Message", "P", "R"]

P = ParamSpec("P")
"""The fields of a message."""

R = TypeVar("R")
"""What a call returns."""


@dataclass(frozen=True, eq=False, slots=True)
class Message(Generic[P, R]):
    """One message.

    :param name: the name of the method that it calls at its receiver.
    :param function: has the fields as its parameters; it is never called.
    :param senders: the kinds of nodes that may send it.
    :param receivers: the kinds of nodes that take it.
    :param feature: what a receiver that knows it lists in its greeting; None if every version has known it.
    :param roles: the roles that a sender may have.

    ``is_vital`` says that the session ends if it is refused.
    """

    name: str
    function: Callable[P, R]
    senders: frozenset[str]
    receivers: frozenset[str]
    feature: str | None = None
    roles: frozenset[Role] = DEFAULT_ROLES
    is_vital: ClassVar[bool] = False

    @property
    def signature(self) -> inspect.Signature:
        """The fields and what the call returns, with annotations as they are written."""
        return inspect.signature(self.function)

    @property
    def usage(self) -> str:
        """The message as documents show it: ``name(field: type, ...)``."""
        fields = (f"{one.name}: {one.annotation}" for one in self.signature.parameters.values())
        return f"{self.name}({', '.join(fields)})"


@dataclass(frozen=True, eq=False, slots=True)
class Cast(Message[P, None]):
    """A message without an answer that both ends count on: one that is refused ends the session."""

    is_vital: ClassVar[bool] = True


@dataclass(frozen=True, eq=False, slots=True)
class Hint(Cast[P]):
    """A message without an answer that is shown to people and nothing more, so that it may be lost."""

    is_vital: ClassVar[bool] = False


@dataclass(frozen=True, eq=False, slots=True)
class Call(Message[P, R]):
    """A message with an answer.

    :param timeout_s: how long its sender waits, in seconds.
    """

    timeout_s: float = 30.0

    def within(self, timeout_s: float) -> Call[P, R]:
        """Return the same message for a sender that waits for another time."""
        return replace(self, timeout_s=timeout_s)


class Direction:
    """From which kinds of nodes messages go to which; declares messages. Its methods are decorators.

    :param roles: the roles of nodes that send them, besides ``admin`` and ``master``, which may always.
    """

    def __init__(
        self, senders: Iterable[str], receivers: Iterable[str], roles: Iterable[Role | str] | None = None
    ) -> None:
        self.senders = frozenset(senders)
        self.receivers = frozenset(receivers)
        self.roles = roles_of(roles)

    def cast(self, feature: str | None = None) -> Callable[[Callable[P, None]], Cast[P]]:
        """Declare a message without an answer that both ends count on.

        :param feature: its present form; a sender has to ask whether the peer lists it.
        """

        def declare(function: Callable[P, None]) -> Cast[P]:
            return Cast(function.__name__, function, self.senders, self.receivers, feature, self.roles)

        return declare

    def hint(self, feature: str | None = None) -> Callable[[Callable[P, None]], Hint[P]]:
        """Declare a message that is only shown to people.

        :param feature: a peer that does not list it is not sent the message.
        """

        def declare(function: Callable[P, None]) -> Hint[P]:
            return Hint(function.__name__, function, self.senders, self.receivers, feature, self.roles)

        return declare

    def call(self) -> Callable[[Callable[P, R]], Call[P, R]]:
        """Declare a message with an answer, of the type that the function is said to return."""

        def declare(function: Callable[P, R]) -> Call[P, R]:
            return Call(function.__name__, function, self.senders, self.receivers, roles=self.roles)

        return declare
