"""Looks at the key folder of a master's cluster for members and tokens that were revoked. Loop thread only."""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from concurrent.core.errors import ConfigurationError
from concurrent.core.loggers import get_log
from concurrent.transport.loop.loop import NodeLoop

if TYPE_CHECKING:
    from concurrent.transport.security.keyfolder import KeyFolder

__all__ = ["KeyWatch"]

LOOK_S: Final = 0.5
"""How often it looks: whoever is revoked is out within two seconds."""

log = get_log(__name__)


class KeyWatch:
    """See the module.

    :param keys: the key folder.
    :param apply: called whenever the folder has changed with all serials that are revoked, and the keys of
        identities of which none is trusted.
    """

    def __init__(
        self, loop: NodeLoop, keys: KeyFolder, apply: Callable[[frozenset[str], frozenset[str]], object]
    ) -> None:
        self._loop = loop
        self._keys = keys
        self._apply = apply
        self._problem = ""
        self._seen: tuple[int, ...] | None = None
        self._timer: TimerHandle | None = None

    def look(self) -> None:
        """Look now, and from now on."""
        self._timer = self._loop.call_later(LOOK_S, self.look)
        try:
            stamp = self._keys.stamp()
            if stamp == self._seen:
                return
            membership = self._keys.membership()
        except (ConfigurationError, OSError) as error:
            if str(error) != self._problem:
                log.error("who was revoked cannot be seen, and those who are in stay so: %s", error)
            self._problem = str(error)
            return
        self._problem = ""
        self._apply(membership.revoked, membership.gone)
        self._seen = stamp  # now, so that what fails is done again

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
