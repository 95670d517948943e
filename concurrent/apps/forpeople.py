"""What people may ask of a master, and do to what it runs, besides its jobs: registered at one place."""

from __future__ import annotations

from concurrent.apps.explainapi import ExplainAPI
from concurrent.apps.steerapi import SteerAPI
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.transport.calls.methods import HasMethods
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.auditing import IAudit

__all__ = ["register_for_people"]


def register_for_people(service: HasMethods, loop: NodeLoop, dispatcher: Dispatcher, audit: IAudit) -> None:
    """Register it all with the JSON API of a master.

    :param audit: told who does what. Loop thread.
    """
    ExplainAPI(loop, dispatcher).register_methods(service)
    SteerAPI(loop, dispatcher, audit=audit).register_methods(service)
