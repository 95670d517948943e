"""What a program remembers of its job, so that it comes back to that one and no other. A pure module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from concurrent.apps.jobwish import JobAnswer, JobWish
from concurrent.core.errors import JobUnknown, NodeError

__all__ = ["JobSeat"]


class JobSeat:
    """See the module. Loop thread only, but for ``answer``.

    ``answer`` is what the master said the last time that it took this program in; None before.

    :param wish: what the program wants of its job at first.
    """

    def __init__(self, wish: JobWish) -> None:
        self.answer: JobAnswer | None = None
        self._wish = wish
        self._cluster: Any = None  # where it has registered
        self._consumed_before = 0  # by former programs
        self._is_from_start = False

    @property
    def is_executor(self) -> bool:
        """Whether the program asks for what it pushed by the ids of that."""
        return self._wish.keeps_results

    @property
    def consumed_to(self) -> int:
        """The number of the last outcome that does not come again."""
        return 0 if self.answer is None or self._is_from_start else self.answer.consumed_to

    def wish(self, arrived_to: int) -> JobWish:
        """Return what the program wants now. No other job begins for a kept one that its cluster has no more.

        :param arrived_to: the number of the last outcome that has come.
        """
        answer = self.answer
        if answer is None or not answer.job:
            self._is_from_start = self._wish.from_start
            return self._wish
        self._is_from_start = self._wish.from_start and arrived_to < self._consumed_before
        return replace(
            self._wish,
            job=answer.job,
            must_exist=bool(answer.cluster) and self._wish.keep_s != 0 and self._cluster == answer.cluster,
            attachment=answer.attachment,
            from_start=self._is_from_start,
        )

    def check_registration(self, fields: dict[str, Any]) -> None:
        """See that the master can have the job, and is not an older state of the cluster, such as a copy of it.

        :param fields: the answer of the JSON API.
        :raises JobUnknown: if it has no jobs, and the program wants a certain one.
        :raises NodeError: if it is an older state.
        """
        wanted = self._wish.name or self._wish.job
        if wanted and fields.get("jobs") is not True:
            raise JobUnknown(
                "the master keeps no journal, so a job would end with it",
                thing="job",
                value=wanted,
                remedy="Start it with 'concurrent master -o journal.durability=host', or ask for no job",
            )
        self._check(fields.get("cluster"), fields.get("epoch"))
        self._cluster = fields.get("cluster")

    def take(self, answer: JobAnswer) -> None:
        """Take the program's place in a job.

        :raises NodeError: if an older state of the cluster answers.
        """
        self._check(answer.cluster, answer.epoch)
        if self.answer is None or answer.is_new:
            self._consumed_before = answer.consumed_to
        self.answer = answer

    def _check(self, cluster: Any, epoch: Any) -> None:
        before = self.answer
        if before is None or not before.cluster or cluster != before.cluster or type(epoch) is not int:
            return
        if epoch < before.epoch:
            raise NodeError(
                f"the cluster {cluster} answers as it was in its run {epoch}, and had come to {before.epoch}",
                thing="epoch",
                value=epoch,
                remedy="See whether a copy of the folder of its master is in use",
            )
