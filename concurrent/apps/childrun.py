"""What a node does that another program has started for itself; ``childnode.py`` is the other end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, TypeVar

from concurrent.apps.api import EXIT_ERROR
from concurrent.apps.childnode import LINE_BYTES_MAX
from concurrent.apps.node import Node
from concurrent.core.errors import ConcurrentError
from concurrent.core.loggers import get_log
from concurrent.core.logs import LogSettings

if TYPE_CHECKING:
    from socket import socket

__all__ = ["run_child"]

AnyNode = TypeVar("AnyNode", bound=Node)

log = get_log(__name__)


def run_child(
    make: Callable[[], AnyNode], control: socket, announce: Callable[[AnyNode], Iterable[str]]
) -> NoReturn:
    """Run a node as such a child. Main thread of the new process; ends it.

    :param make: makes the node with its environment.
    :param announce: yields what the parent shall know, once the node has started.
    """
    try:
        node = make()
    except ConcurrentError as error:
        _refuse(control, error)
        sys.exit(EXIT_ERROR)
    node_log = node.env[LogSettings].open(node.node_id)
    node_log.start(is_child=True)

    def ready() -> None:
        node.stop_when_closed(control)
        for text in announce(node):
            with suppress(OSError):  # the parent has gone meanwhile: the node stops
                control.sendall(f"ok {text}\n".encode())

    try:
        code = node.run(ready)
    except ConcurrentError as error:
        _refuse(control, error)
        code = EXIT_ERROR
    finally:
        node_log.stop()
    sys.exit(code)


def _refuse(control: socket, error: ConcurrentError) -> None:
    """Tell the parent why there is no node."""
    log.error("%s", error)
    with suppress(OSError):  # nobody is there to be told
        control.sendall(f"error {' '.join(str(error).split())}\n".encode()[:LINE_BYTES_MAX])
