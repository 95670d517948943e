"""Names that nodes give themselves."""

from __future__ import annotations

import os
import re
import secrets
import socket

__all__ = ["new_node_id"]

HOST_LENGTH_MAX = 24


def new_node_id(kind: str, name: str = "") -> str:
    """Return a new unique name such as ``slave-anna-4711-9f3c2b07``: kind, machine, process, chance.

    A node that starts again gets another name, so that nobody takes it for the one that died.

    :param kind: what the node is, in lower case letters.
    :param name: what its owner calls it, in place of the machine.
    """
    return f"{kind}-{name or _host()}-{os.getpid()}-{secrets.token_hex(4)}"


def _host() -> str:
    host = re.sub(r"[^A-Za-z0-9]+", "", socket.gethostname().split(".")[0])[:HOST_LENGTH_MAX]
    return host or "host"
