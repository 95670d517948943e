"""The parts of a pool that deal tasks out, with the test in the place of the workers."""

from __future__ import annotations

from concurrent.scheduling.slave.bars import Bars
from concurrent.scheduling.slave.blame import Blame
from concurrent.scheduling.slave.crew import Application, Crew
from concurrent.scheduling.slave.dealing import Dealer
from concurrent.scheduling.slave.offer import NOTHING, Offer
from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.resources import Resources
from concurrent.scheduling.slave.roster import Roster
from concurrent.scheduling.slave.sayings import Sayings
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms
from tests.unit.scheduling.slave_parts import StillLauncher, StillLoop, nothing_shared


class Parts:
    """Roster and dealer of a pool, and the blame; tasks take ``task_s`` seconds each."""

    def __init__(self, size: int, task_s: float, tasks_per_worker: int = 1000, offer: Offer = NOTHING) -> None:
        self.loop = StillLoop()
        self.launcher = StillLauncher()
        self.charged: list[int] = []
        self.resources = Resources(offer, size)
        pace = Pace()
        pace.duration_s = task_s
        self.roster = Roster(self.loop, size, self._start, lambda: None)  # type: ignore[arg-type]
        self.dealer = Dealer(
            self.loop,  # type: ignore[arg-type]
            self.roster,
            pace,
            size=size,
            tasks_per_worker=tasks_per_worker,
            resources=self.resources,
        )
        self.blame = Blame(self.loop, self.dealer, lambda item, _: self.charged.append(item[0]), lambda: None)  # type: ignore[arg-type]
        self.roster.fill()

    def _start(self, _launcher: object = None) -> WorkerLink:
        if self.launcher.refuses:
            raise OSError("no descriptors")
        return WorkerLink(
            self.loop,  # type: ignore[arg-type]
            self.launcher,  # type: ignore[arg-type]
            lambda *_: None,
            self._died,
            sayings=Sayings(list),
            bars=Bars(1),
        )

    def _died(self, link: WorkerLink, signal: int | None, code: int | None, tail: str) -> None:
        death = self.blame.died(link, signal, code, tail)
        self.dealer.forget(link)
        is_quick = death.is_accident and not (link.done_count or death.started)
        self.roster.ended(link, is_quick=is_quick)

    def application(self, owner: int, weight: int = 1) -> Application:
        app = Application(owner, nothing_shared, self.loop.time)
        app.weight = weight
        return app

    def crew(self, app: Application, **resources: object) -> Crew:
        return app.crew(self.resources.within(Claim.of(resources)), self.resources)

    def push(self, crew: Crew, *numbers: int, terms: RunTerms = USUAL) -> None:
        if terms.priority:
            crew.app.rank()
        is_newcomer = not crew.app.open_count and self.dealer.held_count > 0
        crew.open_count += len(numbers)
        self.dealer.held_count += len(numbers)
        self.dealer.add([(number, b"", crew, terms) for number in numbers], is_newcomer=is_newcomer)

    def starts(self, link: WorkerLink) -> int | None:
        """Have a worker start its next task."""
        tokens = self.launcher.ends[self._number(link)][1]
        tokens.recv(1)
        return link.running_number()

    def finish(self, link: WorkerLink, count: int = 1) -> None:
        """Have a worker finish its oldest tasks, which it has started."""
        items = [link.outstanding.popleft() for _ in range(count)]
        link.done_count += count
        for item in items:
            item[2].open_count -= 1
        self.dealer.held_count -= count
        self.dealer.deal()

    def finish_running(self, crew: Crew, run_s: float = 0.0) -> list[int]:
        """Have each worker of a crew run one task for so long; return the tasks."""
        busy = [link for link in crew.links if link.outstanding]
        begun = [number for link in busy if (number := self.starts(link)) is not None]
        self.loop.go_on(run_s)
        for link in busy:
            crew.used_s += run_s * crew.rate
            link.busy_since = self.loop.now
            self.finish(link)
        return begun

    def end_leaving(self) -> None:
        """Have the workers end that are told to, as soon as they run nothing."""
        for link in list(self.roster.links):
            if link.is_leaving and not link.outstanding:
                self.end(link)
        self.dealer.deal()

    def end(self, link: WorkerLink, code: int = 0) -> None:
        self.launcher.children[self._number(link)].ended(code)

    def busy(self, crew: Crew) -> list[list[int]]:
        """Return what each worker of an application has."""
        return [numbers(link) for link in self.roster.links if link.crew is crew and link.outstanding]

    def _number(self, link: WorkerLink) -> int:
        return link.child.number - 1

    def close(self) -> None:
        self.roster.close()
        for link in list(self.roster.links):
            self.end(link)
        self.launcher.close()


def numbers(link: WorkerLink) -> list[int]:
    return [item[0] for item in link.outstanding]
