"""What a ledger waits for: alarms that ring a while after they were set. Pure: it is told the time."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from math import inf

__all__ = ["Alarm", "Alarms"]


class Alarm(IntEnum):
    """What is looked at when time has passed."""

    SILENCE = 0
    """Slaves that hold tasks and report nothing."""
    QUEUE = 1
    """What lies on the work queue and nobody takes."""
    REFUSALS = 2
    """Tasks that slaves refused."""
    SHORTAGE = 3
    """Tasks that there is no room for."""
    JOBS = 4
    """Jobs that outlive their sessions."""
    RETURNS = 5
    """Slaves that may come back."""
    RETRIES = 6
    """Tasks that are tried again."""
    DEADLINES = 7
    """Tasks that may not be open any more."""
    CLAIMS = 8
    """Tasks that claim what no slave has."""
    DRAINS = 9
    """What drained slaves may not run any more."""


class Alarms:
    """See the module.

    ``deadline`` is when :meth:`ring` wants to be called next, in seconds since any fixed instant: 0, for
    at once, when an alarm was set and the time is not known yet, and infinity if none is set.
    """

    def __init__(self) -> None:
        self.deadline = inf
        self._delay_s_by_alarm: dict[Alarm, float] = {}
        self._due_by_alarm: dict[Alarm, float] = {}

    def __contains__(self, alarm: Alarm) -> bool:
        return alarm in self._due_by_alarm or alarm in self._delay_s_by_alarm

    def set(self, alarm: Alarm, delay_s: float) -> None:
        """Have an alarm ring after so long; nothing happens if it is set already."""
        if alarm not in self:
            self._delay_s_by_alarm[alarm] = delay_s
            self.deadline = 0.0

    def wake(self, alarm: Alarm) -> None:
        """Have an alarm ring at once, whenever it would have rung."""
        self._due_by_alarm.pop(alarm, None)
        self._delay_s_by_alarm[alarm] = 0.0
        self.deadline = 0.0

    def ring(self, now: float) -> Iterator[Alarm]:
        """Yield what is due; what is set meanwhile is set now."""
        self._start(now)
        for alarm in [alarm for alarm, due in self._due_by_alarm.items() if due <= now]:
            del self._due_by_alarm[alarm]
            yield alarm
        self._start(now)
        self.deadline = min(self._due_by_alarm.values(), default=inf)

    def _start(self, now: float) -> None:
        """Count the delays of new alarms from now on."""
        for alarm, delay_s in self._delay_s_by_alarm.items():
            self._due_by_alarm[alarm] = now + delay_s
        self._delay_s_by_alarm.clear()
