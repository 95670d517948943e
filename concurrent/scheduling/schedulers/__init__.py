"""Who gets which task: the schedulers, the strategies, and the guard that bears with those of plug-ins.

They run in the master's loop thread, and read the ledger. They own what they remember of slaves from
turn to turn; the master owns the work queues, and closes them. This room imports ``ledger``, ``wire``,
``interfaces``, and ``tasks`` for what these ask for.
"""

from __future__ import annotations

__all__: list[str] = []
