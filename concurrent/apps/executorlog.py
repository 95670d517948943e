"""The log of an executor: that is the program's affair, unless who starts it asks for it.

So does ``concurrent app -v FILE.py``.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Final

from concurrent.core.earlylog import ROOT
from concurrent.core.environment import Environment

__all__ = ["log_as_asked"]

SECTION, LEVEL = "logging", "level"
OF_A_VARIABLE: Final = "environment variable"


def log_as_asked(env: Environment, node_id: str, opened: ExitStack) -> None:
    """Log to standard error if the variable of the level is set, and the program has no log of its own.

    :param opened: ends it.
    """
    if not env.config.origin(SECTION, LEVEL).startswith(OF_A_VARIABLE) or logging.getLogger(ROOT).hasHandlers():
        return
    from concurrent.core.logs import LogSettings  # few programs are asked for it

    log = env[LogSettings].open(node_id)
    log.start()
    opened.callback(log.stop)
