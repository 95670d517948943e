"""The master's hands: they carry out what the ledger and the scheduler decide.

This room runs in the loop thread of a master node. It owns the ledger, the scheduler, the table of
the sessions of owners and slaves, what is on its way to them, and the hosts of task systems. It opens
no payload, so it never imports ``pickling``; it imports ``schedulers``, ``ledger``, ``store``, ``wire``,
``telemetry`` and ``processes``.
"""

from __future__ import annotations

__all__: list[str] = []
