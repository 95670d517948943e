"""What people are told to type, ready to be pasted whatever somebody has called a thing. A pure module."""

from __future__ import annotations

import shlex

__all__ = ["typed"]


def typed(command: str, what: str) -> str:
    """Return a command on something that has a name: no part of the name is an option, or code of a shell."""
    return f"concurrent {command} {'-- ' if what.startswith('-') else ''}{shlex.quote(what)}"
