"""Ephemeral members of a cluster: forgotten when they have had no session for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from concurrent.core.errors import ConfigurationError
from concurrent.core.loggers import get_log
from concurrent.transport.security.identity import Identity

if TYPE_CHECKING:
    from concurrent.transport.security.keyfolder import KeyFolder

__all__ = ["ABSENT_S", "Absences", "EphemeralWatch"]

ABSENT_S: Final = 600.0
"""How long an ephemeral member may be without a session: longer than networks and masters take to come back."""

LOOK_S: Final = 30.0

log = get_log(__name__)


class Absences:
    """Since when members have no session. It decides who is gone, and knows no clock."""

    def __init__(self) -> None:
        self._since_by_member: dict[Identity, float] = {}

    def over(
        self, members: Iterable[Identity], is_connected: Callable[[Identity], bool], now: float
    ) -> list[Identity]:
        """Return the members that have been without a session for too long.

        :param members: all that there are.
        :param now: the present time in seconds, of any monotonic clock.
        """
        absent = [one for one in members if not is_connected(one)]
        self._since_by_member = {one: self._since_by_member.get(one, now) for one in absent}
        return [one for one, since in self._since_by_member.items() if now - since >= ABSENT_S]


class EphemeralWatch:
    """Looks from time to time, in a thread of its own, because it writes files.

    :param keys: the key folder.
    :param is_connected: whether a member has a session now. Any thread.
    :param note: called with each member that is forgotten. The thread of the watch.
    """

    def __init__(
        self, keys: KeyFolder, is_connected: Callable[[Identity], bool], note: Callable[[Identity], object]
    ) -> None:
        self._keys = keys
        self._is_connected = is_connected
        self._note = note
        self._absences = Absences()
        self._problem = ""
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ephemeral-members", daemon=True)

    def begin(self) -> None:
        """Look from now on. Any thread; call it once."""
        self._thread.start()

    def close(self) -> None:
        """Look no more, and end the thread. Any thread but that; may be repeated."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_S):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Forget who is gone.

        :param now: the present time in seconds, of any monotonic clock.
        """
        from concurrent.transport.security.members import Members

        try:
            members = Members(self._keys)
            trusted = [
                one.identity(self._keys.cluster)
                for one in members.all()
                if one.is_ephemeral and not one.revoked_at
            ]
            for one in self._absences.over(trusted, self._is_connected, now):
                if members.forget_ephemeral(one.name):
                    log.info("%s is no member any more: it has had no session for %.0f s", one, ABSENT_S)
                    self._note(one)
        except (ConfigurationError, OSError) as error:
            if str(error) != self._problem:
                log.error("who has left the cluster is not forgotten: %s", error)
            self._problem = str(error)
