"""A ledger with what watches it, as a master has them, for tests of what is told of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

from concurrent.scheduling.ledger.events import (
    Event,
    OwnerJoined,
    SlaveJoined,
    TasksDone,
    TasksSubmitted,
    TimePassed,
)
from concurrent.scheduling.ledger.explaining import Explainer
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.endeddesk import EndedDesk
from concurrent.scheduling.master.failurewords import read_failure
from concurrent.scheduling.master.observatory import Observatory
from concurrent.scheduling.tasks.terms import Terms

BEGUN_AT = 1000.0


class Watched:
    """See the module. ``at`` is the time of day; ``trouble`` is what the scheduler has."""

    def __init__(self, *, is_recorded: bool = False, tokens: Mapping[str, int] = MappingProxyType({})) -> None:
        self.at = BEGUN_AT
        self.trouble = ""
        self.said: dict[int, str] = {}
        self.ledger = Ledger(
            memory_bytes_max=1 << 20, is_recorded=is_recorded, tokens=tokens, read_failure=read_failure
        )
        self.ended = EndedDesk(self.ledger, lambda job: f"submit:{job.name}", lambda: self.at)
        self.ledger.jobs.watcher = self.ended
        self.observatory = Observatory(self.ledger, lambda: self.ended.totals)
        self.pass_time(0.0)

    @property
    def dispatcher(self) -> Dispatcher:
        """What stands for the hands of a master."""
        return cast(
            "Dispatcher",
            SimpleNamespace(
                ledger=self.ledger,
                ended=self.ended,
                observatory=self.observatory,
                jobs=SimpleNamespace(systems_of=lambda job: job.life.systems if job.life is not None else ()),
                workers=sum(slave.workers for slave in self.ledger.slaves.values()),
                news=SimpleNamespace(progress_of=lambda number: self.said.get(number, "")),
                explainer=lambda: Explainer(self.ledger, self.at, self.trouble),
            ),
        )

    def apply(self, event: Event) -> None:
        self.ledger.apply(event)

    def pass_time(self, seconds: float) -> None:
        self.at += seconds
        self.apply(TimePassed(self.at, self.at))

    def join(self, owner: int, name: str, job: JobSpec | None = None) -> None:
        self.apply(OwnerJoined(owner, name, job))

    def add_slave(self, number: int, workers: int = 2, window: int = 100, **data: Any) -> None:
        self.apply(SlaveJoined(number, f"slave-{number}", workers, window, data))

    def push(self, owner: int, count: int, terms: Terms) -> None:
        self.apply(TasksSubmitted(owner, self.ledger.owners[owner].next_id, [b"task"] * count, terms))

    def give(self, slave: int, count: int, owner: int, terms: Terms) -> list[int]:
        """Give a slave tasks of one kind; return the numbers of all that it has."""
        self.ledger.assign(slave, count, self.ledger.owners[owner].lanes.lane(terms))
        return list(self.ledger.slaves[slave].held)

    def report(self, slave: int, *outcomes: tuple[int, int, bytes]) -> None:
        """Have a slave report tasks: number, status and payload of each."""
        numbers, statuses, payloads = map(list, zip(*outcomes, strict=True))
        self.apply(TasksDone(slave, numbers, statuses, payloads, at=self.at))
