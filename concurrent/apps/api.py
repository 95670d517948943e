"""What a program that can be run is, to the framework: the interface, the kinds of node, the exit codes."""

from __future__ import annotations

import enum
from typing import Final

from concurrent.core.component import Interface

__all__ = ["EXIT_ERROR", "EXIT_FAILED", "EXIT_INTERRUPTED", "EXIT_OK", "EXIT_USAGE", "IApp", "NodeType"]

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
"""The application ran, and says that it did not succeed; or a task failed, or could not be pushed, and
nobody took care of it."""
EXIT_USAGE: Final = 2
"""The command line or the configuration is wrong."""
EXIT_ERROR: Final = 3
"""The node could not do its work, for example because its port is in use."""
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
