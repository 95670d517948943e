"""Tasks that travel, run and come home as one: for tasks so small that each alone costs more than its work.

A batch is one unit to the master and the slave: one worker runs its tasks one after the other. Its owner
gets each task's outcome all the same. If a worker dies of a batch, its tasks are pushed again one by one,
so that only the one that does it is to blame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.wire.failure import dumps_failure, loads_failure, unpicklable
from concurrent.transport.frames.frames import Frame

__all__ = ["TaskBatch", "call", "load_results"]


def call(work: Any) -> Any:
    """Do what was pushed: a task, or a tuple of function, arguments and keyword arguments. On a worker."""
    if type(work) is tuple:
        function, args, kwargs = work
        return function(*args, **kwargs)
    result = work()
    work.clean_up()
    return (result, work) if work.returns_task else result


class TaskBatch:
    """See the module.

    :param members: what was pushed of each task.
    """

    __slots__ = ("members",)

    def __init__(self, members: list[Any]) -> None:
        self.members = members

    def __reduce__(self) -> tuple[Any, ...]:
        return TaskBatch, (self.members,)

    def run(self, code: AppCode, where: str) -> bytes | Frame:
        """Run the tasks and return the payload of their results. On a worker.

        It is a pickled pair: the results, None where there is none; and the failures by index.

        :param where: what failures say of the place, see ``dumps_failure`` in ``wire/failure.py``.
        """
        results: list[Any] = []
        failures: dict[int, bytes] = {}
        for index, work in enumerate(self.members):
            try:
                results.append(call(work))
            except BaseException as error:  # boundary: whatever a task raises is its outcome
                if not self.members:
                    raise  # see drop()
                failures[index] = dumps_failure(error, code, "", where)
                results.append(None)
        try:
            return code.dumps_payload((results, failures))
        except SchedulingError:
            self._sort_out(results, failures, code, where)
            return code.dumps_payload((results, failures))

    def drop(self) -> None:
        """Run no more tasks, and raise what the present one raises: this process is a fork of a task's."""
        self.members.clear()

    @staticmethod
    def _sort_out(results: list[Any], failures: dict[int, bytes], code: AppCode, where: str) -> None:
        """Make failures of the results that cannot be pickled."""
        for index, result in enumerate(results):
            try:
                code.dumps_payload(result)
            except SchedulingError as error:
                failures[index] = dumps_failure(unpicklable(result, error), code, "", where)
                results[index] = None


def load_results(payload: bytes | Frame, code: AppCode) -> tuple[list[Any], Sequence[BaseException | None]]:
    """Return the result and the error of each task of a batch. The consumer's thread.

    :raises Exception: whatever unpickling raises.
    """
    results, failures = code.loads_payload(payload)
    errors: list[BaseException | None] = [None] * len(results)
    for index, failure in failures.items():
        errors[index] = loads_failure(failure, code)
    return results, errors
