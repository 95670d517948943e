"""What all that can be run shares: its interface, kinds of nodes, exit codes, addresses."""

from __future__ import annotations

import enum
from typing import Final

from concurrent.core.errors import ConfigurationError
from concurrent.core.interface import Interface
from concurrent.core.items import Host
from concurrent.transport.security.hosts import is_loopback

__all__ = [
    "EXIT_ERROR",
    "EXIT_FAILED",
    "EXIT_INTERRUPTED",
    "EXIT_JOURNAL",
    "EXIT_OK",
    "EXIT_TIMEOUT",
    "EXIT_USAGE",
    "PORT_DEFAULT",
    "IApp",
    "NodeType",
    "counted",
    "for_terminal",
    "parse_address",
    "printable",
    "reachable_port",
]

PORT_DEFAULT: Final = 8750
"""The port of a master's JSON API where nothing else is said."""

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
"""The application ran, and says that it did not succeed; or a task failed, or could not be pushed, and
nobody took care of it."""
EXIT_USAGE: Final = 2
"""The command line or the configuration is wrong."""
EXIT_ERROR: Final = 3
"""The node could not do its work, for example because its port is in use."""
EXIT_JOURNAL: Final = 75
"""The master could not write its journal any more. It may be started again: what it has acknowledged is kept.
In sysexits.h this is a temporary failure."""
EXIT_TIMEOUT: Final = 124
"""What was waited for took too long; so does ``timeout`` say it."""
EXIT_INTERRUPTED: Final = 130
"""A signal ended it before its work was done."""


class NodeType(enum.Enum):
    """What a node is in the system."""

    master = "master"
    slave = "slave"
    application = "application"


class IApp(Interface):
    """A program that the command line can run. All methods run in the main thread, in this order."""

    def app_init(self) -> None:
        """Prepare; the node's loop and log are there."""

    def app_main(self) -> int | None:
        """Do the work and return the exit code, None for 0."""


def printable(text: str) -> str:
    """Return a text that a peer has sent, with ? for what cannot be printed."""
    return "".join(char if char.isprintable() else "?" for char in text)


def for_terminal(text: str) -> str:
    """Return lines for people in which peers may have a word, with ? for what could command a terminal."""
    return "\n".join(printable(line.expandtabs()) for line in text.split("\n"))


def parse_address(text: str, thing: str, remedy: str = "Write HOST:PORT") -> Host:
    """Return the address of a node's JSON API; without a port it is that of a master by default.

    :param thing: the option or argument that the text is of, for the error.
    :raises ConfigurationError: if it is not an address.
    """
    try:
        return Host.parse(text, PORT_DEFAULT)
    except (ValueError, AttributeError):  # a program may give what is no text
        raise ConfigurationError(
            f"{thing} = {text!r} is not an address", thing=thing, value=text, remedy=remedy
        ) from None


def reachable_port(host: str, port: int, master: Host) -> int:
    """Return the port of a node's JSON API as it says it to its master: 0 if nobody there could reach it.

    :param host: the address that the node listens on.
    :param master: the address by which it knows its master.
    """
    return 0 if is_loopback(host) and not is_loopback(master.name) else port


def counted(count: int, what: str) -> str:
    """Return how many of something there are, in words such as ``2 workers``.

    :param what: the word for one of it.
    """
    return f"{count} {what}{'' if count == 1 else 's'}"
