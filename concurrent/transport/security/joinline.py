"""The line by which a machine joins a cluster. A pure module.

``c1.CLUSTER.KEY.SECRET.CHECK@HOST:PORT``: ``KEY`` is the public key of the authority, by which the machine
knows the master before it tells it the secret; ``CHECK`` tells a line that was cut or mistyped.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

from concurrent.core.errors import ConfigurationError
from concurrent.core.items import Host
from concurrent.transport.security.names import CLUSTER

__all__ = ["JoinLine"]

PREFIX: Final = "c1"
KEY_BYTES: Final = 33
CHECK_LENGTH: Final = 4

LINE: Final = re.compile(r"(?:concurrent\s+join\s+)?(c\d+\.[^\s@]*)@(\S+)")
WORD: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class JoinLine:
    """What is in such a line.

    :param cluster: the name of the cluster.
    :param key: the public key of its authority, 33 bytes.
    :param secret: that of the invitation.
    :param master: where the master is.
    """

    cluster: str
    key: bytes
    secret: str = field(repr=False)
    master: Host

    @property
    def text(self) -> str:
        """The line."""
        head = f"{PREFIX}.{self.cluster}.{_encode(self.key)}.{self.secret}"
        return f"{head}.{_check(head, self.master)}@{self.master}"

    @classmethod
    def parse(cls, text: str) -> JoinLine:
        """Return what is in a line, as it is printed or without the command before it.

        :raises ConfigurationError: if it is none, or was cut or mistyped. No error has the text: it is secret.
        """
        found = LINE.fullmatch(text.strip())
        if found is None:
            reason = (
                "it does not end with @HOST:PORT"
                if text.strip().startswith(f"{PREFIX}.")
                else f"it does not begin with '{PREFIX}.'"
            )
            raise _wrong(f"this is not a line to join with: {reason}")
        parts = found[1].split(".")
        if parts[0] != PREFIX:
            raise _wrong(
                f"this line has version {parts[0][:8]}, and this release reads {PREFIX}", is_version=True
            )
        if len(parts) != 5:
            raise _wrong(f"the line is damaged: it has {len(parts)} parts between dots, not 5")
        _, cluster, key_text, secret, check = parts
        try:
            master = Host.parse(found[2])
            key = base64.urlsafe_b64decode(key_text)
        except ValueError:
            raise _wrong("the line is mistyped: its address or its key cannot be read") from None
        is_whole = CLUSTER.fullmatch(cluster) and len(key) == KEY_BYTES and WORD.fullmatch(secret)
        if not is_whole or check != _check(f"{PREFIX}.{cluster}.{key_text}.{secret}", master):
            raise _wrong("the line is cut short or mistyped: its check characters do not fit")
        return cls(cluster, key, secret, master)


def _check(head: str, master: Host) -> str:
    digest = hashlib.sha256(f"{head}@{master}".encode()).digest()
    return base64.b32encode(digest)[:CHECK_LENGTH].decode().lower()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _wrong(reason: str, *, is_version: bool = False) -> ConfigurationError:
    remedy = "Use the release of Concurrent that the master runs" if is_version else (
        "Copy the whole line that 'concurrent keys invite' has printed"
    )  # fmt: skip
    return ConfigurationError(reason, thing="line", remedy=remedy)
