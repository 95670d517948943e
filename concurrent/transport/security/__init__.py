"""Who may reach a node, who a peer is, and what it may do.

It runs in the process and thread of whoever asks, owns the files of keys, and imports nothing else of
``transport``. What is secret is read here, and goes nowhere else.
"""

from __future__ import annotations

__all__: list[str] = []
