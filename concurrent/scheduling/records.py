"""What the ledger keeps of tasks, owners and slaves, for schedulers and strategies of plug-ins.

The names are public here; where they are made is an affair of the framework.
"""

from __future__ import annotations

from concurrent.scheduling.ledger.records import OutcomeCounts, OwnerRecord, SlaveRecord, TaskRecord

__all__ = ["OutcomeCounts", "OwnerRecord", "SlaveRecord", "TaskRecord"]
