"""What the ledger keeps of tasks, jobs and slaves, for schedulers and strategies of plug-ins.

The names are public here; where they are made is an affair of the framework.
"""

from __future__ import annotations

from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.records import JobRecord, SlaveRecord, TaskRecord

__all__ = ["JobRecord", "OutcomeCounts", "OwnerRecord", "SlaveRecord", "TaskRecord"]

OwnerRecord = JobRecord
"""The name that plug-ins know."""
