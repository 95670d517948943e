"""The command that starts a new Python interpreter which finds the same modules as this one."""

from __future__ import annotations

import concurrent
import os
import sys

__all__ = ["interpreter_command"]

PRELUDE = "import sys, concurrent; sys.path[:] = {path!r}; concurrent.__path__[:] = {joined!r}; "


def interpreter_command(statements: str) -> list[str]:
    """Return the command of an interpreter that runs ``statements``. Any thread."""
    prelude = PRELUDE.format(
        path=[os.path.abspath(entry) for entry in sys.path], joined=list(concurrent.__path__)
    )
    return [sys.executable, "-c", prelude + statements]
