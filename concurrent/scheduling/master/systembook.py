"""What a master knows of each task system: who pushed it, how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from concurrent.scheduling.ledger.events import (
    OwnerJoined,
    OwnerLeft,
    Recordable,
    SystemEnded,
    SystemLosses,
    SystemPushed,
    SystemStepped,
)

if TYPE_CHECKING:
    from concurrent.transport.calls.handler import TCPHandler

__all__ = ["System", "SystemBook"]

STARTS_MAX: Final = 3
STARTS_S: Final = 60.0
"""A system that has lost so many processes in this time, and got no further, is given up."""

FUTILE_STARTS_MAX: Final = 10
"""So many may be lost in that time, if most of them ended before they were given the system."""


class _Loss(NamedTuple):
    """A process that a system has lost, when, and whether it was given the system before."""

    at: float
    evidence: str
    was_given: bool


@dataclass(slots=True, eq=False)
class System:
    """A task system as its application pushed it.

    ``number`` is that of the system as an owner of tasks, 0 until it has one. ``job`` is the id of its job;
    empty if it ends with its process, which then gets ``code``. ``handler`` is the session of its application,
    which may have ended. ``step`` is how far it is, and ``outcome`` how it ended.
    """

    application: int
    node_id: str
    system_id: int
    payload: Any
    code: list[Any] = field(default_factory=list)
    handler: TCPHandler | None = None
    number: int = 0
    job: str = ""
    step: SystemStepped | None = None
    outcome: SystemEnded | None = None
    _losses: list[_Loss] = field(default_factory=list)
    _read_to: int = 0

    @property
    def name(self) -> str:
        """What people call it."""
        return f"system {self.system_id} of {self.node_id}"

    def stepped(self, step: SystemStepped) -> None:
        """Take note of how far it is."""
        self.step = step
        self._got_further()

    def has_read(self, up_to: int) -> bool:
        """Take note of the last outcome that it has dealt with, though it cannot go on from there.

        Tells whether losses do not count any more that did.
        """
        is_news = up_to > self._read_to and bool(self._losses)
        if up_to > self._read_to:
            self._read_to = up_to
            self._got_further()
        return is_news

    @property
    def losses(self) -> SystemLosses:
        """The processes that it has lost since it got further."""
        return SystemLosses(self.number, list(map(tuple, self._losses)))  # type: ignore[arg-type]

    def has_lost(self, event: SystemLosses) -> None:
        """Take note of processes that it lost before the master started."""
        self._losses = [_Loss(*row) for row in event.losses]

    def may_go_on(self, evidence: str, now: float, *, was_given: bool) -> bool:
        """Take note that its process is lost; tells whether it may have another one.

        :param evidence: what is known of that.
        :param now: in seconds since the epoch.
        :param was_given: whether the process had been given the system, which may be to blame then.
        """
        kept = [one for one in self._losses if 0 <= now - one.at < STARTS_S]
        self._losses = [*kept, _Loss(now, evidence, was_given)]
        suspicious = sum(one.was_given for one in self._losses)
        return suspicious < STARTS_MAX and len(self._losses) < FUTILE_STARTS_MAX

    @property
    def evidence(self) -> str:
        """What is known of the processes that it has lost since it got further."""
        all_of_it = [one.evidence for one in self._losses]
        if len(all_of_it) == 1:
            return all_of_it[0]
        count, last = len(all_of_it), all_of_it[-1].partition("; its last output")[0]
        what = f"the task system lost {count} processes within a minute and got no further; {last}"
        return "; its last output:\n".join((what, "\n".join(all_of_it)))

    def _got_further(self) -> None:
        self._losses.clear()


class SystemBook:
    """The systems that outlive their processes. Loop thread only."""

    def __init__(self) -> None:
        self._by_number: dict[int, System] = {}
        self._jobs: dict[int, tuple[str, str]] = {}

    def __iter__(self) -> Iterator[System]:
        return iter(list(self._by_number.values()))

    def add(self, system: System) -> None:
        """Add a system that has its number."""
        self._by_number[system.number] = system

    def remove(self, number: int) -> None:
        """Forget a system; nothing happens if it is not known."""
        self._by_number.pop(number, None)

    def of(self, application: int, system_id: int | None = None) -> list[System]:
        """Return the systems of an application, or the one that it gave a number."""
        return [
            system
            for system in self._by_number.values()
            if system.application == application and system_id in (None, system.system_id)
        ]

    def restored(self, events: Iterable[Recordable]) -> Iterator[Recordable]:
        """Iterate over what a journal has kept, and take what it says of systems."""
        for event in events:
            if isinstance(event, OwnerJoined):
                if event.job is not None and event.job.kind == "system":
                    self._jobs[event.owner] = event.job.job_id, event.name
            elif isinstance(event, OwnerLeft):
                self.remove(event.owner)
            elif isinstance(event, SystemPushed):
                job, name = self._jobs.pop(event.owner)
                node_id = name.partition(" of ")[2]
                self.add(
                    System(
                        event.application, node_id, event.system_id, event.payload, number=event.owner, job=job
                    )
                )
            elif isinstance(event, SystemStepped) and event.owner in self._by_number:
                self._by_number[event.owner].stepped(event)
            elif isinstance(event, SystemLosses) and event.owner in self._by_number:
                self._by_number[event.owner].has_lost(event)
            elif isinstance(event, SystemEnded) and event.owner in self._by_number:
                self._by_number[event.owner].outcome = event
            yield event
