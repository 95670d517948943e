"""The outcomes of an application: runs their callbacks, and knows what is not finished. Main thread.

Its figures may be read in any thread.
"""

from __future__ import annotations

from collections.abc import Iterable

from concurrent.apps.callbacks import Callbacks
from concurrent.apps.client import ClusterClient
from concurrent.apps.jobrun import JobRun
from concurrent.apps.outcometally import OutcomeTally
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.owner.results import Loaded, Outcome, Recalled, load_outcome, load_outcomes

__all__ = ["Outcomes"]


class Outcomes:
    """See the module.

    ``tally`` counts the tasks whose callbacks were run, ``open_systems`` the task systems that have not ended.
    Once ``is_over`` is set, the present callback is the last.

    :param app: whose callbacks are run.
    """

    def __init__(self, app: Callbacks) -> None:
        self.tally = OutcomeTally()
        self.open_systems = 0
        self.is_over = False
        self._app = app
        self._client: ClusterClient
        self._inbox: Inbox
        self._job: JobRun | None = None

    def begin(self, client: ClusterClient, inbox: Inbox, job: JobRun | None) -> None:
        """Know where outcomes come from, before any does.

        :param inbox: where they wait.
        :param job: what the application does about its job; None if that ends with it.
        """
        self._client = client
        self._inbox = inbox
        self._job = job

    @property
    def is_done(self) -> bool:
        """Whether the application has dealt with the outcomes of all that was pushed."""
        job = self._job
        own_count = self.tally.ended - (job.recalled_count if job is not None else 0)
        has_all = own_count == self._client.tasks.pushed_count and (job is None or not job.owed)
        return has_all and not self.open_systems

    def deliver(self, outcomes: list[Outcome]) -> None:
        """Run the callbacks of outcomes that came together."""
        if self._job is None:
            self._run_callbacks(load_outcomes(self._client.tasks.code, outcomes))
        else:
            self._deliver_each(self._job, outcomes)

    def deliver_system(self, outcome: Outcome) -> None:
        """Run the callback of a task system that has ended."""
        self.open_systems -= 1
        result, error = load_outcome(self._client.tasks.code, outcome)
        if error is not None:
            self._app.work_failed(error, outcome.item)
        else:
            self._app.work_finished(result, outcome.item)
        self._client.heard_of_system(outcome.item)

    def _deliver_each(self, job: JobRun, outcomes: list[Outcome]) -> None:
        """Run callbacks, and take note of each outcome whose callbacks have run."""
        for outcome in outcomes:
            if job.is_leaving or self.is_over:
                return
            count_before = self.tally.ended
            self._run_callbacks(load_outcomes(self._client.tasks.code, (outcome,)))
            self._inbox.dealt_with(outcome)
            if type(outcome.item) is Recalled:
                job.took_former(self.tally.ended - count_before)

    def _run_callbacks(self, loaded: Iterable[Loaded]) -> None:
        app, tally = self._app, self.tally
        for task, result, error in loaded:
            if task.returns_task and error is None:
                result, task = result
            tally.ended += 1
            if error is not None:
                tally.note(error)
            task.finished(result, error)
            app.task_finished(task, result, error)
            if self.is_over:
                return
