"""Says in the log, at the start and every hour, that nothing protects a node. Loop thread only."""

from __future__ import annotations

from typing import Final

from concurrent.core.loggers import get_log
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["say_open"]

EVERY_S: Final = 3600.0

log = get_log(__name__)


def say_open(loop: NodeLoop, who: str) -> None:
    """Say it now and from now on, until the loop ends.

    :param who: the node or program that is open.
    """
    log.warning(
        "transport.allow_insecure is set: nothing protects %s, nothing is encrypted, and whoever reaches it "
        "or its master can run code here",
        who,
    )
    loop.call_later(EVERY_S, say_open, loop, who)
