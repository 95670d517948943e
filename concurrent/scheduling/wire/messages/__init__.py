"""Every message between nodes that is about tasks, declared once, in a module for each kind of receiver. Pure.

A node that sends one names it as ``to_master.done``, and the receiver registers a function for it; see
``transport/calls/declaration.py``. Those by which nodes join are in ``apps/messages.py``.
"""

from __future__ import annotations

__all__: list[str] = []
