"""Whoever pushes tasks and gets their outcomes: an application, or the host of a task system.

This room runs there, in the loop thread and in the threads that push. It owns what is pushed and not
sent, what is open, and outcomes that wait for callbacks. It imports ``pickling``, ``wire`` and
``tasks``, and nothing of the master.
"""

from __future__ import annotations

__all__: list[str] = []
