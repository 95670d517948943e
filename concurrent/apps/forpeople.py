"""What people may ask of a master, and do to what it runs, besides its jobs: registered at one place."""

from __future__ import annotations

from concurrent.apps.explainapi import ExplainAPI
from concurrent.apps.observeapi import ObserveAPI
from concurrent.apps.registry import NodeRegistry
from concurrent.apps.slavelogapi import register_slave_log
from concurrent.apps.steerapi import SteerAPI
from concurrent.apps.traceview import register_trace
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.auditing import IAudit
from concurrent.transport.web.service import JSONService

__all__ = ["register_for_people"]


def register_for_people(
    service: JSONService, loop: NodeLoop, dispatcher: Dispatcher, registry: NodeRegistry, audit: IAudit
) -> None:
    """Register it all with the JSON API of a master.

    :param registry: knows where the pages of nodes are, and which have left.
    :param audit: told who does what. Loop thread.
    """
    observing = ObserveAPI(loop, dispatcher, registry)
    observing.register_methods(service)
    observing.add_views(service)
    ExplainAPI(loop, dispatcher).register_methods(service)
    register_slave_log(service, loop, dispatcher)
    SteerAPI(loop, dispatcher, audit=audit).register_methods(service)
    register_trace(service, loop, dispatcher)
