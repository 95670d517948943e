"""The nodes, the command line, embedded clusters and the web pages.

=================== ===========================================================================
``ApplicationNode`` derive to write an application
``MasterNode``      accepts work and has slaves do it
``SlaveNode``       owns worker processes
``IApp``            what the command line can run
``NodeType``        master, slave or application
``LocalCluster``    an executor with a cluster of its own, for scripts
``ClusterExecutor`` an executor on the cluster of a master
=================== ===========================================================================

The names are imported when they are first used. Start reading with ``node.py`` and ``master.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.lazy import lazy_names

if TYPE_CHECKING:
    from concurrent.apps.api import IApp, NodeType
    from concurrent.apps.application import ApplicationNode
    from concurrent.apps.executor import ClusterExecutor, LocalCluster
    from concurrent.apps.master import MasterNode
    from concurrent.apps.slave import SlaveNode

_MODULE_BY_NAME = {
    "ApplicationNode": "application",
    "ClusterExecutor": "executor",
    "IApp": "api",
    "LocalCluster": "executor",
    "MasterNode": "master",
    "NodeType": "api",
    "SlaveNode": "slave",
}

__all__ = [
    "ApplicationNode",
    "ClusterExecutor",
    "IApp",
    "LocalCluster",
    "MasterNode",
    "NodeType",
    "SlaveNode",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULE_BY_NAME)
