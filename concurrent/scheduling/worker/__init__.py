"""What runs one task after another, and what a slave and its workers share: their messages and memory.

A worker is a process with one thread, started by a launcher; its slave loads this room too, for what
they share. The worker owns the code of applications that it has imported. It imports ``pickling``,
``processes``, ``tasks`` and ``wire``, never ``slave``.
"""

from __future__ import annotations

__all__: list[str] = []
