"""What should happen: tasks, ledger, schedulers, and the processes that run tasks.

=============================== =================================================================
``Task``                        a unit of work; derive and define ``__call__``
``ITaskSystem``                 derive to control tasks from beside the master
``ITaskScheduler``              decides which slave gets which task
``ITaskScheduleStrategy``       rates the slaves for the generic scheduler
``ITaskManager``                has a slave's tasks run
``GenericTaskScheduler``        the master chooses the slave for each task
``GenericTaskScheduleStrategy`` the next task goes where it would be done first
``GenericTaskManager``          runs the tasks that the master sends
``ZMQTaskScheduler``            slaves take tasks from one shared work queue
``ZMQTaskManager``              takes tasks from that queue
``Ledger``                      every task's state, decided from events alone
``TaskClient``                  an owner's end of its tasks
``InProcessMaster``             runs a task system in this process, for tests
``WorkerPool``                  the worker processes of a slave
=============================== =================================================================

The names are imported when they are first used, so that a worker process loads no network libraries.
Start reading with ``task.py``, ``states.py`` and ``ledger.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.lazy import lazy_names

if TYPE_CHECKING:
    from concurrent.scheduling.generic import GenericTaskScheduler
    from concurrent.scheduling.inprocess import InProcessMaster
    from concurrent.scheduling.interfaces import ITaskManager, ITaskScheduler, ITaskScheduleStrategy
    from concurrent.scheduling.ledger import Ledger
    from concurrent.scheduling.pool import WorkerPool
    from concurrent.scheduling.pushpull import ZMQTaskScheduler
    from concurrent.scheduling.strategies import GenericTaskScheduleStrategy
    from concurrent.scheduling.task import Task
    from concurrent.scheduling.taskclient import TaskClient
    from concurrent.scheduling.taskmanager import GenericTaskManager, ZMQTaskManager
    from concurrent.scheduling.tasksystem import ISystemMaster, ITaskSystem

_MODULE_BY_NAME = {
    "GenericTaskManager": "taskmanager",
    "GenericTaskScheduleStrategy": "strategies",
    "GenericTaskScheduler": "generic",
    "ISystemMaster": "tasksystem",
    "ITaskManager": "interfaces",
    "ITaskScheduleStrategy": "interfaces",
    "ITaskScheduler": "interfaces",
    "ITaskSystem": "tasksystem",
    "InProcessMaster": "inprocess",
    "Ledger": "ledger",
    "Task": "task",
    "TaskClient": "taskclient",
    "WorkerPool": "pool",
    "ZMQTaskManager": "taskmanager",
    "ZMQTaskScheduler": "pushpull",
}

__all__ = [
    "GenericTaskManager",
    "GenericTaskScheduleStrategy",
    "GenericTaskScheduler",
    "ISystemMaster",
    "ITaskManager",
    "ITaskScheduleStrategy",
    "ITaskScheduler",
    "ITaskSystem",
    "InProcessMaster",
    "Ledger",
    "Task",
    "TaskClient",
    "WorkerPool",
    "ZMQTaskManager",
    "ZMQTaskScheduler",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULE_BY_NAME)
