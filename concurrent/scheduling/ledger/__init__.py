"""What the master knows of every task, and what follows from what happens: events in, commands out.

It runs in the master's loop thread, and is pure: no clock, no thread, no socket. It owns the state of tasks
until their outcomes were consumed, of the jobs that they belong to and of slaves: what is accepted, what waits,
who has what, and when it is looked at again. It imports ``tasks``, for terms and the numbers of outcomes, and
nothing else of ``scheduling``.
"""

from __future__ import annotations

__all__: list[str] = []
