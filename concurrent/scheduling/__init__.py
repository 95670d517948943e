"""What should happen: tasks, ledger, schedulers, and the processes that run tasks.

=============================== =================================================================
``Task``                        a unit of work; derive and define ``__call__``
``Terms``                       what a task asks for
``Retry``                       when a task that raised is tried again
``current_task``                the task that runs: says its progress, logs, knows whether it is cancelled
``TaskError``                   how a task ends that has no result: ``TaskFailed``, ``TaskTimeout``,
                                ``TaskOutOfMemory``, ``WorkerDied``; ``TaskCancelled``
``ITaskSystem``                 derive to control tasks from beside the master
``ITaskScheduler``              decides which slave gets which task
``ITaskScheduleStrategy``       rates the slaves for the generic scheduler
``ITaskManager``                has a slave's tasks run
``GenericTaskScheduler``        the master chooses the slave for each task
``GenericTaskScheduleStrategy`` the next task goes where it would be done first
``GenericTaskManager``          runs the tasks that the master sends
``ZMQTaskScheduler``            slaves take tasks from one shared work queue
``ZMQTaskManager``              takes tasks from that queue
``IWorkQueue``                  what a scheduler offers tasks on: ``SocketWorkQueue``, ``SessionWorkQueue``
``IPickler``                    makes bytes of the data of tasks and results, by a ``Codec``
``Ledger``                      every task's state, decided from events alone
``TaskClient``                  an owner's end of its tasks
``InProcessMaster``             runs a task system in this process, for tests
``WorkerPool``                  the worker processes of a slave
=============================== =================================================================

The names are imported when they are first used, so that a worker process loads no network libraries.
Its files lie in rooms, by the process that runs them; each room's ``__init__`` says which. Start reading with
``tasks/task.py``, ``ledger/states.py`` and ``ledger/ledger.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.lazy import lazy_names

if TYPE_CHECKING:
    from concurrent.core.errors import (
        TaskCancelled,
        TaskError,
        TaskFailed,
        TaskOutOfMemory,
        TaskTimeout,
        WorkerDied,
    )
    from concurrent.scheduling.interfaces import (
        IPickler,
        ITaskManager,
        ITaskScheduler,
        ITaskScheduleStrategy,
        IWorkQueue,
    )
    from concurrent.scheduling.ledger.ledger import Ledger
    from concurrent.scheduling.owner.taskclient import TaskClient
    from concurrent.scheduling.pickling.coding import Codec
    from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
    from concurrent.scheduling.schedulers.pushpull import ZMQTaskScheduler
    from concurrent.scheduling.schedulers.strategies import GenericTaskScheduleStrategy
    from concurrent.scheduling.schedulers.workqueues import SessionWorkQueue, SocketWorkQueue, WorkPlace
    from concurrent.scheduling.slave.pool import WorkerPool
    from concurrent.scheduling.slave.pullingmanager import ZMQTaskManager
    from concurrent.scheduling.slave.taskmanager import GenericTaskManager
    from concurrent.scheduling.tasks.current import CurrentTask, TaskProgress, current_task
    from concurrent.scheduling.tasks.inprocess import InProcessMaster
    from concurrent.scheduling.tasks.retry import Retry
    from concurrent.scheduling.tasks.task import Task
    from concurrent.scheduling.tasks.tasksystem import ISystemMaster, ITaskSystem
    from concurrent.scheduling.tasks.terms import Terms

_MODULE_BY_NAME = {
    "Codec": "pickling.coding",
    "CurrentTask": "tasks.current",
    "GenericTaskManager": "slave.taskmanager",
    "GenericTaskScheduleStrategy": "schedulers.strategies",
    "GenericTaskScheduler": "schedulers.generic",
    "IPickler": "interfaces",
    "ISystemMaster": "tasks.tasksystem",
    "ITaskManager": "interfaces",
    "ITaskScheduleStrategy": "interfaces",
    "ITaskScheduler": "interfaces",
    "ITaskSystem": "tasks.tasksystem",
    "IWorkQueue": "interfaces",
    "InProcessMaster": "tasks.inprocess",
    "Ledger": "ledger.ledger",
    "Retry": "tasks.retry",
    "SessionWorkQueue": "schedulers.workqueues",
    "SocketWorkQueue": "schedulers.workqueues",
    "Task": "tasks.task",
    "TaskClient": "owner.taskclient",
    "TaskCancelled": "tasks.errors",
    "TaskError": "tasks.errors",
    "TaskFailed": "tasks.errors",
    "TaskOutOfMemory": "tasks.errors",
    "TaskProgress": "tasks.current",
    "TaskTimeout": "tasks.errors",
    "Terms": "tasks.terms",
    "WorkerDied": "tasks.errors",
    "WorkPlace": "schedulers.workqueues",
    "WorkerPool": "slave.pool",
    "ZMQTaskManager": "slave.pullingmanager",
    "ZMQTaskScheduler": "schedulers.pushpull",
    "current_task": "tasks.current",
}

__all__ = [
    "Codec",
    "CurrentTask",
    "GenericTaskManager",
    "GenericTaskScheduleStrategy",
    "GenericTaskScheduler",
    "IPickler",
    "ISystemMaster",
    "ITaskManager",
    "ITaskScheduleStrategy",
    "ITaskScheduler",
    "ITaskSystem",
    "IWorkQueue",
    "InProcessMaster",
    "Ledger",
    "Retry",
    "SessionWorkQueue",
    "SocketWorkQueue",
    "Task",
    "TaskCancelled",
    "TaskClient",
    "TaskError",
    "TaskFailed",
    "TaskOutOfMemory",
    "TaskProgress",
    "TaskTimeout",
    "Terms",
    "WorkPlace",
    "WorkerDied",
    "WorkerPool",
    "ZMQTaskManager",
    "ZMQTaskScheduler",
    "current_task",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULE_BY_NAME)
