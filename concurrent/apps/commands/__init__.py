"""The commands of ``concurrent``, one module each: ``add_parser`` says what it takes, ``run`` does it.

All of them run in the user's shell, in the main thread, and return the exit code (``api.py``). A command is
imported when it is called: a node that starts imports nothing of the others.
"""

from __future__ import annotations

from typing import Final

__all__ = ["COMMANDS"]

COMMANDS: Final = (
    "master",
    "slave",
    "app",
    "attach",
    "jobs",
    "top",
    "tasks",
    "explain",
    "logs",
    "wait",
    "cancel",
    "retry",
    "drain",
    "resume",
    "release",
    "forget",
    "keys",
    "join",
    "init",
    "config",
    "journal",
    "status",
    "timeline",
    "metrics",
    "open",
    "samples",
    "doctor",
    "completion",
    "version",
)
"""In the order of the help text; each is the name of its module."""
