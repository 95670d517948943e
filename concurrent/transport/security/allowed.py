"""Whose keys of CURVE are let in: those of nodes that have registered. Empty at first, so that nobody is."""

from __future__ import annotations

from typing import Final

from concurrent.core.errors import InvalidArguments, NotAllowed
from concurrent.transport.security.identity import Identity

__all__ = ["AllowedKeys", "read_curve_key"]

KEY_LENGTH: Final = 40
_Z85: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#")


class AllowedKeys:
    """Public keys, and who has told each. A key is let in as often as it was admitted. Loop thread only."""

    def __init__(self) -> None:
        self._holders: dict[bytes, tuple[Identity, int]] = {}

    def __len__(self) -> int:
        return len(self._holders)

    def check(self, key: bytes, identity: Identity) -> None:
        """Raise NotAllowed if a key is somebody else's."""
        holder, _ = self._holders.get(key, (identity, 0))
        if not holder.is_same(identity):
            raise NotAllowed(
                f"{identity} has told a key that is that of {holder}",
                thing="curve",
                value=key,
                remedy="Make a new pair of keys at each start of a node",
            )

    def admit(self, key: bytes, identity: Identity) -> None:
        """Let in who has the secret half of a key, once more.

        :param key: 40 characters of Z85.
        :param identity: who that is.
        :raises NotAllowed: if it is somebody else's.
        """
        self.check(key, identity)
        _, count = self._holders.get(key, (identity, 0))
        self._holders[key] = identity, count + 1

    def expel(self, key: bytes) -> None:
        """Take back what was said with one ``admit``."""
        holder = self._holders.pop(key, None)
        if holder is not None and holder[1] > 1:
            self._holders[key] = holder[0], holder[1] - 1

    def identity_of(self, key: bytes) -> Identity:
        """Return who has a key; raises NotAllowed if nobody who may come in."""
        holder = self._holders.get(key)
        if holder is None:
            raise NotAllowed(
                "nobody has registered with this key of CURVE",
                thing="curve",
                remedy="Register over the JSON API first",
            )
        return holder[0]


def read_curve_key(value: object) -> bytes:
    """Return the public key that a node tells, or a master; nothing if it tells none.

    :raises InvalidArguments: if it is none.
    """
    if value is None or value == "":
        return b""
    if not isinstance(value, str) or len(value) != KEY_LENGTH or not _Z85.issuperset(value):
        raise InvalidArguments(
            f"a key of CURVE is {KEY_LENGTH} characters of Z85, but this is {value!r:.100}",
            thing="curve",
            remedy="Send the public half of a pair, as zmq.curve_keypair() makes it",
        )
    return value.encode("ascii")
