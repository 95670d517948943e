"""The components of the framework itself, by name, so that each is imported when somebody looks for it.

The names are data: the kernel uses what is above it no more than it does plug-ins.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BUILT_IN", "WITHOUT_OPTIONS"]

BUILT_IN: Final = (
    "concurrent.core.environment.PluginSettings",
    "concurrent.core.logs.LogSettings",
    "concurrent.transport.carriers.channels.TCPCarrierFactory",
    "concurrent.transport.carriers.channels.ZMQCarrierFactory",
    "concurrent.scheduling.pickling.coding.FrameworkPickler",
    "concurrent.scheduling.pickling.coding.PicklingSettings",
    "concurrent.scheduling.slave.workersettings.WorkerSettings",
    "concurrent.scheduling.slave.taskmanager.GenericTaskManager",
    "concurrent.scheduling.slave.pullingmanager.ZMQTaskManager",
    "concurrent.scheduling.schedulers.generic.GenericTaskScheduler",
    "concurrent.scheduling.schedulers.pushpull.ZMQTaskScheduler",
    "concurrent.scheduling.schedulers.strategies.GenericTaskScheduleStrategy",
    "concurrent.scheduling.store.journal.journal.SQLiteJournal",
    "concurrent.scheduling.store.journal.settings.JournalSettings",
    "concurrent.apps.access.KeySettings",
    "concurrent.apps.applicationsettings.ApplicationSettings",
    "concurrent.apps.attaching.JobSettings",
    "concurrent.apps.hosting.HostingSettings",
    "concurrent.apps.master.MasterNode",
    "concurrent.apps.nodeclass.NodeSettings",
    "concurrent.apps.resourcesettings.ResourceSettings",
    "concurrent.apps.resourcesettings.WeightSettings",
    "concurrent.apps.slave.SlaveNode",
    "concurrent.apps.transportsettings.TransportSettings",
)
"""Each environment has these classes, in this order, before those of plug-ins.

Whoever looks for an option imports them in this order, so what is small comes first, and a slave's before a
master's.
"""

WITHOUT_OPTIONS: Final = frozenset(
    {
        "concurrent.transport.carriers.channels.TCPCarrierFactory",
        "concurrent.transport.carriers.channels.ZMQCarrierFactory",
        "concurrent.scheduling.pickling.coding.FrameworkPickler",
        "concurrent.scheduling.schedulers.strategies.GenericTaskScheduleStrategy",
        "concurrent.scheduling.store.journal.journal.SQLiteJournal",
    }
)
"""Those of them that declare none, so that whoever looks for options imports no database."""
