"""What takes new members in at ``/join``, and how often somebody may be wrong. Any thread of the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from concurrent.core.errors import MessageTooLarge, NotAllowed, QueueFull
from concurrent.transport.web.admission import WHO_ASKS, Head, Refused

__all__ = ["Attempts", "IRegistrar", "JoinDesk"]

SCHEME: Final = "Join"
REQUEST_BYTES_MAX: Final = 16 * 1024
SECRET_LENGTH_MAX: Final = 200

FAILURES_MAX: Final = 10
PERIOD_S: Final = 60.0
ADDRESSES_MAX: Final = 1000


class IRegistrar(Protocol):
    """What makes members of those who were invited. Any thread."""

    def check_invitation(self, secret: str) -> None:
        """Raise NotAllowed, which says why, if nobody with this secret may join."""

    def join(self, secret: str, request_pem: bytes, address: str) -> bytes:
        """Return the answer to who joins, as JSON.

        :raises NotAllowed: if it may not.
        """


class _Failures(NamedTuple):
    number: int
    end: float


class Attempts:
    """How often each address was wrong of late. Who was too often is not listened to for a while; others are.

    :param clock: returns the present time in seconds; never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures_by_address: dict[str, _Failures] = {}

    def check(self, address: str) -> None:
        """Raise Refused if an address was wrong too often."""
        failures = self._failures_by_address.get(address)
        if failures is None or failures.number < FAILURES_MAX or failures.end <= self._clock():
            return
        error = QueueFull(
            f"{address} was wrong {failures.number} times",
            thing=address,
            remedy=f"Try again in {PERIOD_S:.0f} seconds",
        )
        raise Refused("429 Too Many Requests", error)

    def fail(self, address: str) -> None:
        """Take note that an address was wrong."""
        now = self._clock()
        former = self._failures_by_address.pop(address, None)
        count = former.number if former is not None and former.end > now else 0
        self._failures_by_address[address] = _Failures(count + 1, now + PERIOD_S)
        for one, failures in tuple(self._failures_by_address.items()):  # in the order of their ends
            if failures.end > now and len(self._failures_by_address) <= ADDRESSES_MAX:
                break
            self._failures_by_address.pop(one, None)


class JoinDesk:
    """See the module.

    :param registrar: makes the members; None: nobody can join here.
    :param attempts: how often addresses were wrong.
    """

    def __init__(self, registrar: IRegistrar | None, attempts: Attempts) -> None:
        self._registrar = registrar
        self._attempts = attempts

    def check(self, head: Head, body_bytes: int) -> None:
        """Raise Refused unless somebody with an invitation asks; nothing has read the body by then."""
        registrar, secret = self._registrar, head.credentials(SCHEME)
        if registrar is None or head.verb != "POST" or not secret or len(secret) > SECRET_LENGTH_MAX:
            raise Refused("401 Unauthorized", WHO_ASKS)
        if not head.is_encrypted and head.identity is None:
            remedy = "Use https, as 'concurrent join' does"
            error = NotAllowed("nobody joins without encryption", thing="connection", remedy=remedy)
            raise Refused("401 Unauthorized", error)
        self._attempts.check(head.peer_ip)
        try:
            registrar.check_invitation(secret)
        except NotAllowed as error:  # only who has the secret of one that is over is told more than that
            self._attempts.fail(head.peer_ip)
            raise Refused("401 Unauthorized", error) from None
        if body_bytes > REQUEST_BYTES_MAX:
            most = f"a request to join has at most {REQUEST_BYTES_MAX} bytes"
            raise Refused("413 Content Too Large", MessageTooLarge(most, value=body_bytes))

    def join(self, head: Head, request_pem: bytes) -> bytes:
        """Return the answer to who was checked.

        :raises Refused: if it may not join after all.
        """
        assert self._registrar is not None
        try:
            return self._registrar.join(head.credentials(SCHEME) or "", request_pem, head.peer_ip)
        except NotAllowed as error:
            raise Refused("403 Forbidden", error) from None
