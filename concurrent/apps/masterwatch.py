"""Looks whether another master has taken the place of one that is not connected. Loop thread only.

A session waits to be opened or resumed, but its master may have ended. One that starts again at the same
address is another process, which knows nothing of the session; so it would be waited for in vain.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final

from concurrent.core.errors import LoopClosed
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.web.jsonclient import JSONClient

__all__ = ["MasterWatch"]

PING: Final = "/ping"
"""The view of a JSON API that says which node it is."""

LOOK_S: Final = 0.25
"""How long it waits, at first and after each answer or none."""

LOOK_TIMEOUT_S: Final = 2.0


class MasterWatch:
    """See the module.

    :param json: reaches the JSON API of whatever master listens at the address.
    :param on_other: called once when it is another one.
    """

    def __init__(self, loop: NodeLoop, json: JSONClient, on_other: Callable[[], object]) -> None:
        self._loop = loop
        self._json = json
        self._on_other = on_other
        self._master_id = ""
        self._asked: Future[Any] | None = None
        self._timer: TimerHandle | None = None

    def begin(self, master_id: str) -> None:
        """Look until :meth:`end`, or another master is found.

        :param master_id: the node id of the one that is not connected.
        """
        self.end()
        self._master_id = master_id
        self._timer = self._loop.call_later(LOOK_S, self._look)

    def end(self) -> None:
        """Look no more."""
        self._asked = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        asked = self._asked = self._json.get(PING, timeout_s=LOOK_TIMEOUT_S)
        asked.add_done_callback(self._post_answer)

    def _post_answer(self, asked: Future[Any]) -> None:
        with suppress(LoopClosed):
            self._loop.post(self._answered, asked)

    def _answered(self, asked: Future[Any]) -> None:
        if asked is not self._asked:  # it is not wanted any more
            return
        self._asked = None
        answer = asked.result() if asked.exception() is None else None
        node_id = answer.get("node_id") if isinstance(answer, dict) else None
        if isinstance(node_id, str) and node_id != self._master_id:
            self._on_other()
        else:
            self._timer = self._loop.call_later(LOOK_S, self._look)
