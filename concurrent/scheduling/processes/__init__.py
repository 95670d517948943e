"""How processes of ours start and end: launchers, the zygote, what a process starts with, and what it leaves.

The owner's side runs in the loop thread of a node, the rest in the zygote or in the new process. It
owns those processes and their output, and knows nothing of tasks: it imports ``transport.loop`` alone.
"""

from __future__ import annotations

__all__: list[str] = []
