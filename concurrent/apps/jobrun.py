"""What an application does about its job, which another program may go on with at any time. Main thread.

The life of such an application has two parts. First it pushes what it begins with, or finds that a former
program has done so. No callback runs before that is accepted and said to the master (``job_begun``): so what is
pushed has the same ids each time, and a program that starts again after a first push was cut pushes the rest.
Then callbacks run on what came and what comes; one that is detached leaves instead. It leaves the job too when
a signal ends it or something is raised. Only when it ends by itself the job ends with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from concurrent.apps.jobstatus import ENDED, HELD
from concurrent.apps.jobwish import JobAnswer, JobWish
from concurrent.core.errors import NodeError
from concurrent.core.items import Host

__all__ = ["JobRun"]

DURABILITY_NONE: Final = "none"


class JobClient(Protocol):
    """What is asked of the connection to the master; see :class:`~concurrent.apps.client.ClusterClient`."""

    def attached(self) -> JobAnswer:
        """Wait until the master has answered for the first time."""
        ...


class JobRun:
    """See the module. ``answer`` is what the master said of the job, once it has.

    :param wish: what the program wants of the job.
    :param master: where its master is.
    :param is_detached: whether it leaves as soon as all is accepted.
    :param tell: says something to a person.
    """

    def __init__(
        self,
        wish: JobWish,
        master: Host,
        *,
        is_detached: bool = False,
        tell: Callable[[str], object] = lambda _text: None,
    ) -> None:
        self.wish = wish
        self.master = master
        self.is_detached = is_detached
        self.answer = JobAnswer()
        self.owed = 0
        """How many outcomes are to be dealt with of what former programs pushed."""
        self.recalled_count = 0
        """How many tasks of former programs had their callbacks here."""
        self.has_begun = False
        """Whether all was pushed that the program begins with."""
        self.goes_on = True
        """Whether the job goes on when this program ends."""
        self.is_leaving = False
        """Whether a signal has come: the present callback is the last."""
        self._tell = tell
        self._held: list[tuple[Callable[[Any], object], Any]] | None = []

    @property
    def name(self) -> str:
        """What a person calls the job."""
        return self.answer.name or self.answer.job

    def join(self, client: JobClient) -> None:
        """Wait until the master has answered, and see what there is of the job.

        :raises NodeError: if the master keeps nothing.
        """
        answer = self.answer = client.attached()
        if answer.durability == DURABILITY_NONE:
            self.goes_on = False
            raise NodeError(
                f"the master at {self.master} keeps no journal, so a job would end with it",
                thing="job",
                value=self.wish.name or self.wish.job,
                remedy="Start it with 'concurrent master -o journal.durability=host', or leave --job and "
                "--detach out",
            )
        self.has_begun = answer.has_begun
        self.owed = answer.pushed - answer.consumed_to if answer.has_begun else 0
        self._tell_what_there_is()

    def _tell_what_there_is(self) -> None:
        answer = self.answer
        if answer.is_new:
            return
        if answer.has_begun:
            results = f"{answer.consumed_to} of {answer.pushed} results were taken before"
            systems = "the result of its task system is to come" if answer.systems else ""
            what = ", ".join(filter(None, (results if answer.pushed or not systems else "", systems)))
            self._tell(f"job {self.name} {'has ended' if answer.state == ENDED else 'goes on'}: {what}")
        else:
            self._tell(
                f"the first push of job {self.name} was cut after {answer.pushed} tasks: it is made again, and "
                "what the master has is not sent a second time"
            )
        if answer.state == HELD:
            self._tell(f"job {self.name} is held: {answer.reason}")

    def begun(self, left_over: int) -> None:
        """All is pushed that the program begins with.

        :param left_over: how many tasks a former program has pushed and this one has not; their outcomes come.
        """
        self.has_begun = True
        if left_over:
            self.owed += left_over
            self._tell(
                f"a former program of job {self.name} had pushed {left_over} tasks more than this one: they "
                "run all the same, and their results come too; if that is wrong, begin anew under another name"
            )

    def took_former(self, count: int) -> None:
        """Take note of an outcome of a former program's, whose callbacks have run for so many tasks."""
        self.owed -= 1
        self.recalled_count += count

    def put(self, put: Callable[[Any], object], item: Any) -> None:
        """Have something run, but nothing before the job has begun; if detached, never. Loop thread."""
        if self._held is None:
            put(item)
        elif not self.is_detached:
            self._held.append((put, item))

    def release(self) -> None:
        """Have all run from now on. Loop thread."""
        held, self._held = self._held or [], None
        for put, item in held:
            put(item)
