"""The master's hands, put together: each carries out a part of what the ledger and the scheduler decide.

It owns the ledger. Jobs, slaves and task systems have desks of their own; what owners say of their tasks comes
here. Loop thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from concurrent.core.component import ComponentManager
from concurrent.core.stats import Stats
from concurrent.scheduling.interfaces import ITaskScheduler, IWorkQueue
from concurrent.scheduling.ledger.events import (
    Accept,
    AskBack,
    BytesConsumed,
    CancelRequested,
    CancelRun,
    CheckQueue,
    CodeDefined,
    Deliver,
    FailInfeasible,
    ForgetJob,
    JobBegun,
    OutcomesConsumed,
    ProbeStore,
    Push,
    Recall,
    Record,
    RefusedByAll,
    Send,
    SlaveHeard,
    SlaveSilent,
    TasksAgain,
    TasksMoved,
    TasksNamed,
    TasksSubmitted,
    TellDrained,
    TellHeld,
    TellInfeasible,
    TellRunning,
    TellUnread,
    TellWaiting,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.status import WaitRow
from concurrent.scheduling.master.announcer import Announcer
from concurrent.scheduling.master.awaited import AwaitedSlaves
from concurrent.scheduling.master.codeshelf import check_blob
from concurrent.scheduling.master.delivery import Delivery
from concurrent.scheduling.master.endeddesk import EndedDesk
from concurrent.scheduling.master.failurewords import read_failure
from concurrent.scheduling.master.feeder import Feeder
from concurrent.scheduling.master.fitdesk import FitDesk
from concurrent.scheduling.master.gate import Gate
from concurrent.scheduling.master.jobdesk import JobDesk
from concurrent.scheduling.master.newsdesk import NewsDesk
from concurrent.scheduling.master.notices import Notices
from concurrent.scheduling.master.observatory import Observatory
from concurrent.scheduling.master.openjournal import OpenJournal
from concurrent.scheduling.master.receipts import Receipts
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.master.slavedesk import SlaveDesk
from concurrent.scheduling.master.status import TasksStatus
from concurrent.scheduling.master.storage import JournalStore, Storage
from concurrent.scheduling.master.systemdesk import SystemDesk
from concurrent.scheduling.master.ticker import Ticker
from concurrent.scheduling.master.turns import Turns
from concurrent.scheduling.schedulers.queueguard import guarded
from concurrent.scheduling.store.payloads import PayloadStore
from concurrent.scheduling.wire.courier import Courier
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.explaining import Explainer

__all__ = ["Dispatcher"]


class Dispatcher:
    """Runs one ledger and one scheduler over the sessions of a master.

    :param work_queue: where push/pull offers tasks.
    :param components: knows the scheduler's name, and where its failures are noted.
    :param memory_bytes_max: above this much payload and bookkeeping, payloads go to files; when the
        bookkeeping alone has half of it, or the files are full, nothing more is acknowledged, so that
        applications have to wait.
    :param disk_bytes_max: how many bytes of payloads may be in files.
    :param kept_bytes_max: how much memory tasks of jobs that are kept may take.
    :param folder: where the files are; None for the system's folder for temporary files.
    :param return_s: how long after its last word what a slave runs is given to nobody else, in seconds.
    :param tokens: what there is of it for all slaves together, in units by name.
    :param fails_infeasible: whether tasks fail after a while that claim what no slave could meet.
    :param lacking: ``avoid`` if slaves that lack a module which a program uses get none of its tasks while
        others have all.
    :param journal: what keeps the work that is accepted, and has payloads instead of files; None if nothing is
        kept.

    ``announcer`` tells owners what concerns them; ``jobs`` is where jobs begin and end, ``slaves`` where
    slaves join and say what they did, ``news`` passes on what tasks say, ``systems`` is where task systems
    outlive their processes, ``fits`` knows which slaves lack what programs use, ``ended`` remembers how tasks
    ended, and ``observatory`` all else that is only looked at.
    """

    def __init__(  # noqa: PLR0913  what it is told of its master, by name
        self,
        loop: NodeLoop,
        scheduler: ITaskScheduler,
        work_queue: IWorkQueue,
        *,
        stats: Stats,
        components: ComponentManager,
        memory_bytes_max: int = 128 << 20,
        disk_bytes_max: int = 16 << 30,
        kept_bytes_max: int = 1 << 30,
        folder: Path | None = None,
        return_s: float = 60.0,
        tokens: Mapping[str, int] | None = None,
        fails_infeasible: bool = False,
        lacking: str = "warn",
        journal: OpenJournal | None = None,
    ) -> None:
        first_number = journal.first_number if journal is not None else 1
        self.ledger = Ledger(
            memory_bytes_max=memory_bytes_max,
            disk_bytes_max=disk_bytes_max,
            kept_bytes_max=kept_bytes_max,
            first_number=first_number,
            is_recorded=journal is not None,
            return_s=return_s,
            tokens=tokens,
            fails_infeasible=fails_infeasible,
            read_failure=read_failure,
        )
        self._loop = loop
        self._journal = journal
        self._turns = Turns(loop, self.ledger, scheduler, components)
        self._apply = self._turns.apply
        self._work_queue = guarded(work_queue, components)
        self._sessions = Sessions(first_number)
        self._storage = self._make_storage(folder)
        self._courier = Courier(loop, stats)
        self._notices = Notices(components.troubles, self._courier, self._sessions)
        self.announcer = Announcer(self.ledger, self._sessions, self._courier, self._notices)
        self.news = NewsDesk(self.ledger, self._sessions, self._courier, printed_before=first_number - 1)
        self.fits = self._make_fit_desk(lacking)
        self.observatory = Observatory(self.ledger, lambda: self.ended.totals, time.time())
        self._delivery = Delivery(loop, self._sessions, self._courier, self._storage.loaded)
        self._feeder = self._make_feeder()
        self._code = self._feeder.code
        self._gate: Gate | None = None
        self._receipts: Receipts | None = None
        if journal is not None:
            self._make_gate(journal)
        self.slaves = self._make_slave_desk()
        self.jobs = self._make_job_desk()
        self.ended = EndedDesk(self.ledger, self.jobs.maker_of, time.time)
        self.ledger.jobs.watcher = self.ended
        self.systems = self._make_system_desk()
        self._ticker = Ticker(loop, self.ledger.alarms, self._apply, self._sample)
        self._awaited = AwaitedSlaves(loop, self.ledger.returning, self._apply)
        self._turns.begin(self._hands(), self._ends())

    def _make_feeder(self) -> Feeder:
        return Feeder(
            self.ledger,
            self._sessions,
            self._courier,
            work_queue=self._work_queue,
            storage=self._storage,
            apply=self._apply,
            slave_changed=self._turns.scheduler.slave_changed,
        )

    def _make_gate(self, journal: OpenJournal) -> None:
        self._gate = Gate(self._loop, journal.store, self._delivery.end_turn)
        self._receipts = Receipts(self._loop, self._sessions, self._courier, self._gate.when_kept)
        journal.on_committed = self._gate.committed

    def _make_fit_desk(self, lacking: str) -> FitDesk:
        return FitDesk(
            self._loop,
            self.ledger,
            self._sessions,
            self._courier,
            self._notices,
            apply=self._apply,
            lacking=lacking,
        )

    def _make_slave_desk(self) -> SlaveDesk:
        return SlaveDesk(
            self._sessions,
            self._feeder,
            self.announcer,
            self._storage,
            apply=self._apply,
            slave_changed=self._turns.scheduler.slave_changed,
            observatory=self.observatory,
            fits=self.fits,
            receipts=self._receipts,
            when_kept=self._gate.when_kept if self._gate is not None else None,
        )

    def _make_job_desk(self) -> JobDesk:
        return JobDesk(
            self.ledger,
            self._sessions,
            self._courier,
            apply=self._apply,
            want_end=self._turns.want,
            load=self._storage.loaded,
            code=self._code,
            delivery=self._delivery,
            notices=self._notices,
            journal=self._journal.store if self._journal is not None else None,
            gate=self._gate,
            observatory=self.observatory,
            fits=self.fits,
        )

    def _make_system_desk(self) -> SystemDesk:
        return SystemDesk(
            self._loop,
            self.ledger,
            self._sessions,
            self._courier,
            apply=self._apply,
            code=self._code,
            delivery=self._delivery,
            jobs=self.jobs,
            journal=self._journal.store if self._journal is not None else None,
        )

    def _make_storage(self, folder: Path | None) -> Storage:
        if self._journal is None:
            return Storage(self.ledger.budget, self._apply, PayloadStore(folder))
        store = JournalStore(self._journal.store, str(self._journal.place.folder))
        return Storage(self.ledger.budget, self._apply, store, is_vital=True)

    def _hands(self) -> dict[type, Callable[[Any], object]]:
        """Return what carries out each command."""
        hands: dict[type, Callable[[Any], object]] = {
            Send: self._feeder.send,
            Push: self._feeder.push,
            CancelRun: self._feeder.cancel_run,
            AskBack: self._feeder.ask_back,
            CheckQueue: self._feeder.check_queue,
            SlaveSilent: self.slaves.silent,
            SlaveHeard: self.slaves.heard,
            TasksMoved: self.slaves.moved,
            TellDrained: self.slaves.tell_drained,
            RefusedByAll: self.announcer.refused_by_all,
            ProbeStore: self._storage.probe,
            TellHeld: self.announcer.held,
            TellRunning: self.announcer.running,
            TellWaiting: self.announcer.waiting,
            TellInfeasible: self.announcer.infeasible,
            FailInfeasible: self._feeder.fail_infeasible,
            Accept: self._delivery.accept,
            Deliver: self._delivery.deliver,
            Recall: self.jobs.recall,
            ForgetJob: self.jobs.forgotten,
            TellUnread: self.jobs.tell_unread,
        }
        if self._gate is not None:
            hands[Record] = self._gate.record
            hands[Accept] = self._gate.behind(self._delivery.accept)
            hands[Deliver] = self._gate.behind(self._delivery.deliver)
        return hands

    def _ends(self) -> list[Callable[[], object]]:
        """Return what is done at the end of each turn, in its order."""
        ends: list[Callable[[], object]] = [self._storage.note]
        if self._gate is not None and self._receipts is not None:
            ends += [self._receipts.end_turn, self._gate.end_turn]
        return [*ends, self._delivery.end_turn, self._ticker.look]

    def slave_session(self, slave: int) -> TCPHandler | None:
        """Return the session of a slave by its number; None if it has none."""
        return self._sessions.slaves.get(slave)

    @property
    def workers(self) -> int:
        """How many worker processes the slaves have together."""
        return sum(slave.workers for slave in self.ledger.slaves.values())

    @property
    def scheduler_name(self) -> str:
        """The class of the scheduler that decides now."""
        return self._turns.scheduler.name

    @property
    def manager_name(self) -> str:
        """The class of the task manager that slaves have to use."""
        return self._turns.scheduler.manager_name()

    def _sample(self, now: float) -> None:
        """Have the figures of this second kept."""
        self.observatory.sample(now, self.ended.total())

    def status(self) -> TasksStatus:
        """Return the ledger's counts and what waits here."""
        return TasksStatus(
            **vars(self.ledger.status()),
            running=self.news.running(time.time()),
            running_count=self.ledger.running.count,
            waiting=tuple(map(WaitRow.of, self.explainer().long_waits())),
            workers=self.workers,
            undelivered=self.ledger.jobs.undelivered_count + self._delivery.waiting_count,
            unacknowledged=self.ledger.jobs.acceptance.task_count,
            chunks_waiting=self._work_queue.waiting_count(),
            stored_bytes=self._storage.stored_bytes,
            held_because=self.ledger.jobs.shortage.reason,
            delivered_bytes=self._delivery.delivered_bytes,
        )

    def explainer(self) -> Explainer:
        """Return what explains why tasks do not run at this moment."""
        from concurrent.scheduling.ledger.explaining import Explainer  # a master that nobody asks needs none

        scheduler = self._turns.scheduler
        return Explainer(self.ledger, time.time(), scheduler.trouble, scheduler.kept_free)

    def define_code(self, owner: int, index: int, blob: bytes | Frame) -> None:
        """Keep a blob of an owner's code for the slaves that will need it.

        :raises InvalidArguments: if it is not the next one, or what slaves read of it makes no sense.
        :raises LimitExceeded: if it is too much code.
        """
        check_blob(index, blob)
        self._code.define(owner, index, blob)
        if self._gate is not None:
            self._apply(CodeDefined(owner, index, blob))

    def project_part(self, slave: TCPHandler, owner: int, index: int) -> bytes | Frame:
        """Return a part of a project that a slave does not have.

        :raises InvalidArguments: if it was not sent the code of that owner, or there is no such part.
        """
        return self._code.part(slave, owner, index)

    def code_of(self, owner: int) -> list[bytes | Frame]:
        """Return the blobs of an owner's code."""
        return self._code.blobs_of(owner)

    def note(self, event: TasksNamed | JobBegun) -> None:
        """Have a journal keep what an owner says of its job."""
        self._apply(event)

    def submit(self, event: TasksSubmitted, code_count: int) -> None:
        """Take tasks, and accept them at once or when there is room.

        :param code_count: how many blobs of code they need.
        :raises InvalidArguments: if they need code that was not sent.
        :raises SchedulingError: if the owner is not registered.
        :raises LimitExceeded: if it goes on though too much of it is not accepted.
        """
        self._code.check(event.owner, code_count)
        kept = self._storage.kept(event.payloads)
        if kept is not event.payloads:
            event = replace(event, payloads=kept)
        self._apply(event)

    def cancel(self, owner: int, ids: list[int], grace_s: float = 0.0, by: str = "") -> None:
        """Cancel tasks of an owner; each is delivered as cancelled unless it was finished before.

        :param grace_s: how long one that runs has to end by itself, in seconds.
        :param by: who wants that, if it is not the owner.
        """
        self._apply(CancelRequested(owner, ids, grace_s, by))

    def try_again(self, numbers: list[int]) -> None:
        """Have tasks begin at once that wait for their next try, or that slaves have; it costs them nothing."""
        self._apply(TasksAgain(numbers))

    def consumed(self, owner: int, size_bytes: int) -> None:
        """Take note that an owner has dealt with outcomes of that size, and go on to deliver."""
        self._apply(BytesConsumed(owner, size_bytes))

    def consumed_to(self, owner: int, up_to: int) -> None:
        """Take note that an owner has dealt with its outcomes up to a number, and go on to deliver.

        :raises SchedulingError: if it was not given so many.
        """
        self._apply(OutcomesConsumed(owner, up_to))

    def owner_has_room(self, owner: int) -> None:
        """Go on to deliver to an owner whose session was full."""
        if self._delivery.has_room(owner):
            self._turns.want()

    def restore(self) -> None:
        """Tell the ledger again what the journal has, before anything else."""
        assert self._journal is not None, "without a journal there is nothing to restore"
        events = self.jobs.restored(self._journal.store.replay())
        self.ledger.restore(self.systems.book.restored(events))
        self.ended.restored()
        self._awaited.look()
        self._turns.want()

    def give_up(self) -> None:
        """Acknowledge and deliver nothing more: the journal can keep nothing."""
        if self._gate is not None:
            self._gate.close()

    def close(self) -> None:
        """Free the files."""
        self.give_up()
        if self._receipts is not None:
            self._receipts.close()
        self._ticker.close()
        self._awaited.close()
        self.fits.close()
        self._notices.close()
        self._delivery.close()
        self._storage.close()
