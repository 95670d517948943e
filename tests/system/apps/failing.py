"""A scheduler and a strategy that fail in the way that an option says."""

from concurrent.core import Component, ConfigItem, implements
from concurrent.scheduling import ITaskScheduler, ITaskScheduleStrategy


def fail(how):
    if how == "raise":
        raise KeyError("a bug in the plug-in")
    if how == "exit":
        raise SystemExit(7)
    return {"none": None, "nan": float("nan"), "text": "nonsense"}[how]


class FailingStrategy(Component):
    implements(ITaskScheduleStrategy)

    how = ConfigItem("failing", "how", "raise")

    def rate(self, slave):
        return fail(self.how)


class FailingScheduler(Component):
    implements(ITaskScheduler)

    how = ConfigItem("failing", "how", "raise")
    manager_class = ConfigItem("failing", "manager_class", "GenericTaskManager")

    def manager_name(self):
        return self.manager_class

    def slave_changed(self, slave):
        if self.how == "exit":
            fail(self.how)

    def schedule(self, ledger):
        for slave in ledger.slaves:
            ledger.assign(slave, 1)
        return fail(self.how)
