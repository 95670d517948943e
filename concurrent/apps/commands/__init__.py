"""The commands of ``concurrent``, one module each: ``add_parser`` says what it takes, ``run`` does it.

All of them run in the user's shell, in the main thread, and return the exit code (``api.py``).
"""

from __future__ import annotations

from concurrent.apps.commands import (
    app,
    attach,
    cancel,
    config,
    forget,
    init,
    jobs,
    journal,
    master,
    release,
    samples,
    slave,
    status,
    version,
)

__all__ = ["COMMANDS"]

COMMANDS = (
    master,
    slave,
    app,
    attach,
    jobs,
    cancel,
    release,
    forget,
    init,
    config,
    journal,
    status,
    samples,
    version,
)
"""In the order of the help text."""
