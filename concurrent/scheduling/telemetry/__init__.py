"""What a master remembers of its cluster for people to look at: runs of tasks, figures over time, workers.

All of it is pure: plain data in the memory of a master. Its observatory owns that, and fills it in the loop
thread. Times are seconds since the epoch by the clock of the master. Each part has a bound, whatever slaves
tell. It imports ``tasks`` alone of the other rooms.
"""

from __future__ import annotations

__all__: list[str] = []
