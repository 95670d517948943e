"""Failures by job, function and exception, for who looks: words for who may touch the job. Loop thread only."""

from __future__ import annotations

from concurrent.apps.jobnames import names_of_jobs, numbers_called
from concurrent.apps.observed import FailureRow, FailuresStatus
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.jobmakers import may_read
from concurrent.scheduling.telemetry.failuregroups import FailureGroup
from concurrent.transport.security.identity import Identity

__all__ = ["failures_for"]


def failures_for(dispatcher: Dispatcher, identity: Identity, job: str = "") -> FailuresStatus:
    """Return how tasks failed.

    :param identity: who asks.
    :param job: the name or id of a job whose failures are wanted; those of all if it is empty.
    """
    groups = dispatcher.ended.failures.rows()
    if job:
        numbers = numbers_called(dispatcher, job)
        groups = [group for group in groups if group.job.owner in numbers or group.job.name == job]
    names = names_of_jobs(dispatcher.ledger.owners)
    items = tuple(
        _row(group, names.get(group.job.owner, group.job.name), is_yours=may_read(group.job.maker, identity))
        for group in groups[:ROWS_MAX]
    )
    failed = sum(group.count for group in groups)
    return FailuresStatus(items, len(groups), len(groups) - len(items), failed)


def _row(group: FailureGroup, job: str, *, is_yours: bool) -> FailureRow:
    return FailureRow(
        owner=group.job.owner,
        job=job,
        function=group.name,
        exception=group.exception,
        count=group.count,
        tried_again=group.tried_again,
        first_at=group.first_at,
        last_at=group.last_at,
        slaves=tuple(group.slaves),
        tasks=tuple(f"{job}/{task}" for task in reversed(group.tasks)),
        text=group.text if is_yours else "",
        output=group.output if is_yours else "",
        is_yours=is_yours,
    )
