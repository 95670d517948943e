"""Code and data that travel: how tasks, results and a program's own code become bytes, and are made again.

Applications, hosts of task systems and workers load this room, in the threads that push or run tasks;
the master and the slave's own process never do. An application owns its code book, a worker its cache
of code. It imports ``wire``, ``interfaces`` for picklers, and ``transport.frames``.
"""

from __future__ import annotations

__all__: list[str] = []
