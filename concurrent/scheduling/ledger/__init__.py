"""What the master knows of every task, and what follows from what happens: events in, commands out.

It runs in the master's loop thread, and is pure: no clock, no thread, no socket. It owns the state of
tasks, of their owners and of slaves. It imports ``tasks``, for the numbers of outcomes, and nothing
else of ``scheduling``.
"""

from __future__ import annotations

__all__: list[str] = []
