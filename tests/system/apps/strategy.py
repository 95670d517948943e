"""A strategy for the generic scheduler that says when it is asked."""

from concurrent.core import Component, implements
from concurrent.scheduling import ITaskScheduleStrategy


class LastJoined(Component):
    """Prefers the slave that joined last."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave):
        self.log.warning("asked to rate slave %d", slave.slave)
        return float(slave.slave)
