"""The job of an executor: what former programs have submitted to it, and what is said of it to the master."""

from __future__ import annotations

import getpass
import platform
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

from concurrent.apps.jobkeys import JobKeys
from concurrent.apps.jobwish import JOB_TEXT_LENGTH_MAX, KEEP_AS_CONFIGURED, JobAnswer, JobWish
from concurrent.core.errors import ConcurrentError, NodeError
from concurrent.core.loggers import get_log
from concurrent.scheduling.owner.taskclient import TaskClient
from concurrent.scheduling.owner.unsent import Group
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.handler import TCPHandler

__all__ = ["ExecutorJob", "checked_name"]

KEYS_TIMEOUT_S: Final = 30.0

log = get_log(__name__)


class ExecutorJob:
    """See the module. Loop thread only, unless a method says otherwise.

    :param name: what the user calls the job.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys = JobKeys(name)
        self._is_known = threading.Event()
        self._error: ConcurrentError | None = None
        self._has_said_cancelled = False

    @property
    def wish(self) -> JobWish:
        """What the master is asked for."""
        return JobWish(
            name=self.name,
            kind="executor",
            user=f"{_user()}@{platform.node()}",
            keep_s=KEEP_AS_CONFIGURED,
            keeps_results=True,
            from_start=True,
        )

    def wait(self) -> None:
        """Wait until it is known what former programs have submitted. Any thread but the loop's.

        :raises ConcurrentError: if there is no hope of that.
        """
        self._is_known.wait()
        if self._error is not None:
            raise self._error.with_traceback(None)

    def fail(self, error: ConcurrentError) -> None:
        """Have nobody wait any more. Any thread."""
        self._error = self._error or error
        self._is_known.set()

    def joined(self, handler: TCPHandler, answer: JobAnswer) -> ConcurrentError | None:
        """Ask what there is, unless that is known; returns the error if the job cannot outlive this program."""
        if answer.durability == "none":
            return NodeError(
                f"the master keeps no journal, so the job {self.name} would end with it",
                thing="job",
                value=self.name,
                remedy="Start it with 'concurrent master -o journal.durability=host', or leave job= out",
            )
        if answer.state == "held":
            log.warning("job %s is held: %s", self.name, answer.reason)
        if not self._is_known.is_set():
            if answer.is_new:
                self.keys.forget_known()
                self._is_known.set()
            else:
                self._ask(handler, answer.next_id, 1)
        return None

    def note_cancelled(self) -> None:
        """Say once why a call is cancelled that was not here. Any thread."""
        if not self._has_said_cancelled:
            self._has_said_cancelled = True
            log.warning(
                "calls of job %s were cancelled before, or by others; 'concurrent forget' has it begin anew",
                self.name,
            )

    def tell_keys(self, tasks: TaskClient, handler: TCPHandler, group: Group) -> None:
        """Tell the master the texts of tasks that come next.

        :raises TransportError: if they cannot be sent.
        """
        keys = [getattr(tasks.item_of(task_id), "key", "") for task_id in group.ids]
        handler.cast(to_master.name_tasks, group.first_id, keys)

    def _ask(self, handler: TCPHandler, next_id: int, first_id: int) -> None:
        answer = handler.call(to_master.job_keys.within(KEYS_TIMEOUT_S), first_id)
        answer.add_done_callback(partial(self._take, handler, next_id))

    def _take(self, handler: TCPHandler, next_id: int, future: Future[dict[str, Any]]) -> None:
        error = future.exception()
        if error is not None:  # the next session is asked
            log.warning("what there is of job %s is not known yet: %s", self.name, error)
            handler.close("it did not say what there is of a job")
            return
        named = future.result()
        self.keys.add_known(named["ids"], named["keys"], next_id)
        if named["next_id"]:
            self._ask(handler, next_id, named["next_id"])
        else:
            self._is_known.set()


def checked_name(job: Any) -> str:
    """Return the name of a job.

    :raises TypeError: if it is no text.
    :raises ValueError: if it is empty, too long, or cannot be printed.
    """
    if not isinstance(job, str):
        raise TypeError(f"job must be the name of a job, but is {job!r:.100}")
    if not 0 < len(job) <= JOB_TEXT_LENGTH_MAX or not job.isprintable():
        raise ValueError(
            f"job must have 1 to {JOB_TEXT_LENGTH_MAX} characters that can be printed, but is {job!r:.100}"
        )
    return job


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have a number only
        return ""
