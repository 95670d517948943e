"""The nodes, the command line, embedded clusters and the web pages.

=================== ===========================================================================
``ApplicationNode`` derive to write an application
``MasterNode``      accepts work and has slaves do it
``SlaveNode``       owns worker processes
``IApp``            what the command line can run
``NodeType``        master, slave or application
``LocalCluster``    an executor with a cluster of its own, for scripts
``ClusterExecutor`` an executor on the cluster of a master
``ExecutorView``    an executor whose calls ask for something, see ``options`` of either
``TaskFuture``      the future of a call
``AsyncCluster``    a cluster for programs that are written with asyncio
``Pool``            a pool with the interface of ``multiprocessing.Pool``
``Project``         the folder of a program, with what goes along of it
=================== ===========================================================================

The names are imported when they are first used. Start reading with ``node.py`` and ``master.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.lazy import lazy_names

if TYPE_CHECKING:
    from concurrent.apps.api import IApp, NodeType
    from concurrent.apps.application import ApplicationNode
    from concurrent.apps.asynccluster import AsyncCluster
    from concurrent.apps.executor import ClusterExecutor, LocalCluster
    from concurrent.apps.executorview import ExecutorView
    from concurrent.apps.master import MasterNode
    from concurrent.apps.pool import Pool
    from concurrent.apps.project import Project
    from concurrent.apps.slave import SlaveNode
    from concurrent.apps.taskfuture import TaskFuture

_MODULE_BY_NAME = {
    "ApplicationNode": "application",
    "AsyncCluster": "asynccluster",
    "ClusterExecutor": "executor",
    "ExecutorView": "executorview",
    "IApp": "api",
    "LocalCluster": "executor",
    "MasterNode": "master",
    "NodeType": "api",
    "Pool": "pool",
    "Project": "project",
    "SlaveNode": "slave",
    "TaskFuture": "taskfuture",
}

__all__ = [
    "ApplicationNode",
    "AsyncCluster",
    "ClusterExecutor",
    "ExecutorView",
    "IApp",
    "LocalCluster",
    "MasterNode",
    "NodeType",
    "Pool",
    "Project",
    "SlaveNode",
    "TaskFuture",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULE_BY_NAME)
