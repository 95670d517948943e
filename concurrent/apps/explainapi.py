"""Where a master is asked why tasks do not run: by people over its JSON API, by programs on their sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.api import NodeType
from concurrent.apps.taskchoice import open_task, parts_of
from concurrent.core.errors import InvalidArguments, NodeError
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, jsonremote, receives
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import SUBMITTERS

if TYPE_CHECKING:
    from concurrent.scheduling.tasks.explanation import Explanation, JobExplanation

__all__ = ["ExplainAPI", "register_explain"]

TYPES_FROM: Final = ("concurrent.scheduling.tasks.explanation",)
"""Where the types of the answers are, for the documents that describe the API."""

CALL_TIMEOUT_S: Final = 10.0


def register_explain(
    server: HasMethods, dispatcher: Dispatcher, number_of: Callable[[TCPHandler, NodeType], int]
) -> None:
    """Register it with the server of the compute channel.

    :param number_of: returns the number of the registration that a session belongs to, or raises NodeError.
    """

    @receives(server, to_master.explain)
    def explain(handler: TCPHandler, _request: Any, task_id: int) -> dict[str, Any]:
        """Say why a task does not run now."""
        owner = number_of(handler, NodeType.application)
        if task_id < 0:
            raise InvalidArguments(
                f"task_id must be from 0 on, but is {task_id}", thing="task_id", value=task_id
            )
        return dispatcher.explainer().of_job(dispatcher.ledger.owners[owner], task_id).to_json()


class ExplainAPI:
    """See the module. Whoever may see a job may see its tasks. Its methods are for threads of the JSON API."""

    def __init__(self, loop: NodeLoop, dispatcher: Dispatcher) -> None:
        self._loop = loop
        self._dispatcher = dispatcher

    def register_methods(self, service: HasMethods) -> None:
        """Register everything with the JSON API of the master."""

        @jsonremote(service, roles=SUBMITTERS)
        def explain(request: Request, task: str) -> Explanation:
            """Return why a task does not run now: ``JOB/ID``, or its number at the master."""
            return self._loop.call(self._task, task, request.identity, timeout_s=CALL_TIMEOUT_S)

        @jsonremote(service, roles=SUBMITTERS)
        def explain_job(request: Request, job: str) -> JobExplanation:
            """Return what the tasks of a job wait for, by its id or its name."""
            return self._loop.call(self._job, job, request.identity, timeout_s=CALL_TIMEOUT_S)

    def _task(self, text: str, identity: Identity) -> Explanation:
        explainer = self._dispatcher.explainer()
        job, number = parts_of(text)
        if job:
            return explainer.of_job(self._dispatcher.jobs.program(job, identity), number)
        task = open_task(text, self._dispatcher, identity)
        if task is None:
            raise NodeError(
                f"there is no open task {number} of yours at this master",
                thing="task",
                value=text,
                remedy="'concurrent explain JOB' has numbers of tasks that wait, 'concurrent status' of those "
                "that run; write JOB/ID for one that may have ended",
            )
        return explainer.task(task)

    def _job(self, text: str, identity: Identity) -> JobExplanation:
        job = self._dispatcher.jobs.program(text, identity)
        return self._dispatcher.explainer().job(job)
