"""What the slaves of a master have logged last, for people: the master asks them.

Whoever may see the status of a cluster may read it: it has nothing of what tasks print or raise.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.slavechoice import find_slave, names_of
from concurrent.core.errors import InvalidArguments, NodeError, UnknownMethod
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.wire.messages.to_slave import log_lines
from concurrent.transport.calls.methods import HasMethods, jsonremote
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.roles import OBSERVERS

if TYPE_CHECKING:
    from concurrent.apps.observed import SlaveLog

__all__ = ["register_slave_log"]

TYPES_FROM: Final = ("concurrent.apps.observed",)
"""Where the type of the answer is, for the documents that describe the API."""

CALL_TIMEOUT_S: Final = 10.0

AFTER_MAX: Final = (1 << 63) - 1


def register_slave_log(service: HasMethods, loop: NodeLoop, dispatcher: Dispatcher) -> None:
    """Register with the JSON API of a master what asks its slaves."""

    def ask(text: str, after: int) -> Future[SlaveLog]:
        if not 0 <= after <= AFTER_MAX:
            raise InvalidArguments(
                f"after must be from 0 to {AFTER_MAX}, but is {after:.3g}", thing="after", value=after
            )
        name = find_slave(text, dispatcher.ledger)
        slave = names_of(dispatcher.ledger).get(name)
        handler = dispatcher.slave_session(slave.slave) if slave is not None else None
        if handler is None:
            raise NodeError(
                f"slave {name} is away, and its log with it",
                thing="slave",
                value=name,
                remedy="See the log of the slave on its machine",
            )
        answer: Future[SlaveLog] = Future()
        asked = handler.call(log_lines.within(CALL_TIMEOUT_S), after)
        asked.add_done_callback(lambda asked: _answered(asked, name, after, answer))
        return answer

    @jsonremote(service, roles=OBSERVERS)
    def slave_log(_request: Any, slave: str, after: int = 0) -> Future[SlaveLog]:
        """Return the last lines of the log of a slave, by its name or number, without what tasks print."""
        asked: Future[SlaveLog] = loop.call(ask, slave, after, timeout_s=CALL_TIMEOUT_S)
        return asked


def _answered(asked: Future[Any], name: str, after: int, answer: Future[SlaveLog]) -> None:
    from concurrent.apps.observed import SlaveLog  # a master that nobody asks needs none

    error = asked.exception()
    if isinstance(error, UnknownMethod):
        error = NodeError(f"slave {name} is of an older version, and keeps no lines", thing="slave", value=name)
    if error is not None:
        answer.set_exception(error)
        return
    said = asked.result()
    lines, total = tuple(map(str, said["lines"])), int(said["total"])
    left_out = 0 if after else total - len(lines)
    answer.set_result(SlaveLog(name, lines, total, left_out, int(said["after"])))
