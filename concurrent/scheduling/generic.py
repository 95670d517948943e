"""The generic scheduler, for plug-ins that derive from it.

The names are public here; where they are made is an affair of the framework.
"""

from __future__ import annotations

from concurrent.scheduling.schedulers.generic import GenericTaskScheduler

__all__ = ["GenericTaskScheduler"]
