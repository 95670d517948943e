"""The ledger under any order of events: every accepted task ends in exactly one outcome."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from concurrent.scheduling.ledger.events import (
    Accept,
    BytesConsumed,
    CancelRequested,
    CancelRun,
    Command,
    Deliver,
    OutcomesConsumed,
    OwnerJoined,
    Push,
    PushedLost,
    Recall,
    Record,
    Recordable,
    SessionAttached,
    SessionDetached,
    SlaveAway,
    SlaveBack,
    SlaveDrained,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    SlaveResumed,
    TasksAgain,
    TasksDone,
    TasksEnded,
    TasksFailed,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TasksTaken,
    TimePassed,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import OFFER_AGAIN_MAX_S
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.schedulers.admission import let_in
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.scheduling.tasks.terms import Terms
from tests.model.journal import Journal
from tests.model.recording import RecordedLedger

CLAIMS = [{}, {}, {"gpu": 1}, {"gpu": 2}, {"gpu": 0.4}, {"database": 1}, {"gpu": 1, "database": 1}, {"cpu": 2}]
TOKENS = {"database": 2000}
EPOCH = 1e9


class LedgerMachine(RuleBasedStateMachine):
    """Slaves come, work, lie and go; the world outside keeps only what it was told."""

    @initialize()
    def begin(self) -> None:
        self.ledger = RecordedLedger(batch_max=3, is_recorded=True, tokens=TOKENS)
        self.journal = Journal()
        self.recalls: list[Recall] = []
        self.perform(self.ledger.apply(OwnerJoined(1, "one", JobSpec(name="one", keep_s=1e9))))
        self.ledger.apply(OwnerJoined(2, "two"))  # it is not recorded, and names nothing
        self.next_slave = 1
        self.next_id = {1: 0, 2: 0}
        self.outcomes: dict[tuple[int, int], int] = {}
        self.recorded: set[tuple[int, int]] = set()
        self.recorded_ids = {1: 0, 2: 0}
        self.given: dict[int, list[int]] = {1: [], 2: []}
        self.given_to = {1: 0, 2: 0}
        self.consumed_to = {1: 0, 2: 0}
        self.copies: set[int] = set()
        self.now = 0.0

    def perform(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Deliver):
                for client_id, status in zip(command.ids, command.statuses, strict=True):
                    is_recorded = (command.owner, client_id) in self.recorded
                    assert is_recorded or command.owner == 2, "delivered before it was recorded"
                    known = self.outcomes.setdefault((command.owner, client_id), status)
                    assert known == status, "delivered with another outcome"
                    number = self.given_to[command.owner] = self.given_to[command.owner] + 1
                    self.given[command.owner].append(client_id)
                    assert number <= command.up_to
                assert self.given_to[command.owner] == command.up_to
            elif isinstance(command, Accept):
                is_recorded = command.last_id < self.recorded_ids[command.owner]
                assert is_recorded or command.owner == 2, "accepted before it was recorded"
            elif isinstance(command, Recall):
                self.recalls.append(command)
            elif isinstance(command, Record):
                self.keep(command.what)
            elif isinstance(command, Push):
                self.copies.update(command.numbers)

    def keep(self, what: Recordable) -> None:
        """Have the journal keep something."""
        self.journal.append(what)
        if isinstance(what, TasksSubmitted):
            self.recorded_ids[what.owner] = what.first_id + len(what.payloads)
        elif isinstance(what, TasksEnded):
            ended = [(what.owner, client_id) for client_id in what.ids]
            assert self.recorded.isdisjoint(ended), "ended twice"
            self.recorded.update(ended)

    def refusers(self) -> dict[int, frozenset[int]]:
        """Return who refused each task that waits for another slave."""
        known = self.ledger.refusals.refusers_by_number
        tasks = self.ledger.task_by_number
        return {number: who for number, who in known.items() if tasks[number].state is TaskState.REFUSED}

    def some_slave(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.ledger.slaves)))

    @rule(
        owner=st.sampled_from([1, 2]),
        count=st.integers(1, 5),
        name=st.sampled_from("abc"),
        resources=st.sampled_from(CLAIMS),
    )
    def submit(self, owner: int, count: int, name: str, resources: dict[str, float]) -> None:
        first = self.next_id[owner]
        self.next_id[owner] += count
        claim = Claim.of(resources)
        terms = Terms(attempts_max=2, name=name, priority=ord(name) % 2, resources=claim)
        self.perform(self.ledger.apply(TasksSubmitted(owner, first, [b"p"] * count, terms)))

    @rule(window=st.integers(1, 6), gpus=st.sampled_from([0, 1, 2]))
    def join(self, window: int, gpus: int) -> None:
        # Few names, so that slaves come back for what they had.
        data = {"resources": {"gpu": gpus}}
        self.ledger.apply(SlaveJoined(self.next_slave, f"s{self.next_slave % 3}", 2, window, data))
        self.next_slave += 1

    @precondition(lambda self: self.ledger.slaves)
    @rule(data=st.data(), count=st.integers(1, 6))
    def assign(self, data: st.DataObject, count: int) -> None:
        self.perform(self.ledger.assign(self.some_slave(data), count))

    @precondition(lambda self: self.ledger.slaves and self.ledger.lanes)
    @rule(data=st.data(), count=st.integers(1, 6))
    def assign_of_one_lane(self, data: st.DataObject, count: int) -> None:
        lane = data.draw(st.sampled_from(self.ledger.lanes))
        terms, waiting = lane.terms, lane.count
        commands = self.ledger.assign(self.some_slave(data), count, lane)
        numbers = [number for command in commands for number in command.numbers]
        assert len(numbers) == min(count, waiting)
        assert {self.ledger.task_by_number[number].terms for number in numbers} == {terms}
        self.perform(commands)

    @precondition(lambda self: self.ledger.slaves and self.ledger.claimed_lanes)
    @rule(data=st.data(), count=st.integers(1, 6))
    def assign_what_claims_something(self, data: st.DataObject, count: int) -> None:
        lane = data.draw(st.sampled_from(self.ledger.claimed_lanes))
        slave = self.ledger.slaves[self.some_slave(data)]
        claim, waiting = lane.claim, lane.count
        room = self.ledger.claims.room(slave, claim)
        assert room == 0 or self.ledger.claims.could(slave, claim)
        commands = self.ledger.assign(slave.slave, count, lane)
        given_count = sum(len(command.numbers) for command in commands)
        assert given_count == min(count, waiting, room)
        if given_count:
            ahead = max(1.0, slave.window / slave.workers)
            for name, units in slave.claimed.units_by_name.items():
                assert name not in claim.names() or units <= ahead * slave.offers[name]
        assert self.ledger.claims.tokens_given("database") <= TOKENS["database"] or not given_count
        self.perform(commands)

    @rule()
    def let_in(self) -> None:
        self.perform(let_in(self.ledger))

    @rule(count=st.integers(1, 6))
    def offer(self, count: int) -> None:
        self.perform(self.ledger.offer(count))

    @precondition(lambda self: self.ledger.slaves and self.copies)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        numbers = data.draw(st.lists(st.sampled_from(sorted(self.copies)), max_size=4))
        self.perform(self.ledger.apply(TasksTaken(self.some_slave(data), numbers)))

    @precondition(lambda self: self.ledger.slaves)
    @rule(data=st.data(), status=st.sampled_from([FINISHED, FAILED, DIED, CANCELLED]))
    def report(self, data: st.DataObject, status: int) -> None:
        newest = max(self.ledger.task_by_number, default=0)
        numbers = data.draw(st.lists(st.integers(1, 1 + newest), max_size=4))
        done = TasksDone(self.some_slave(data), numbers, [status] * len(numbers), [b""] * len(numbers))
        self.perform(self.ledger.apply(done))

    @precondition(lambda self: self.ledger.slaves)
    @rule(data=st.data())
    def tell_running(self, data: st.DataObject) -> None:
        newest = max(self.ledger.task_by_number, default=0)
        numbers = data.draw(st.lists(st.integers(1, 1 + newest), max_size=4, unique=True))
        count = len(numbers)
        slave = self.some_slave(data)
        event = TasksRunning(slave, numbers, [7] * count, [1.0] * count, [""] * count, self.now)
        self.perform(self.ledger.apply(event))

    @precondition(lambda self: self.ledger.slaves)
    @rule(data=st.data())
    def tell_what_is_held(self, data: st.DataObject) -> None:
        numbers = st.integers(1, 1 + max(self.ledger.task_by_number, default=0))
        running = data.draw(st.lists(numbers, max_size=4, unique=True))
        finished = data.draw(st.lists(numbers, max_size=2))
        slave = self.some_slave(data)
        commands = self.ledger.apply(SlaveHolding(slave, running, finished))
        self.perform(commands)
        refused = {number for one in commands if isinstance(one, CancelRun) for number in one.numbers}
        for number in set(running) - refused:
            assert self.ledger.task_by_number[number].state is TaskState.HELD

    @precondition(lambda self: self.ledger.slaves)
    @rule(data=st.data(), is_away=st.booleans())
    def hear_nothing_of_one(self, data: st.DataObject, is_away: bool) -> None:
        slave = self.some_slave(data)
        self.perform(self.ledger.apply((SlaveAway if is_away else SlaveBack)(slave)))
        assert self.ledger.slaves[slave].is_silent == is_away

    @rule(number=st.integers(0, 2), timeout_s=st.sampled_from([0, 5]))
    def drain(self, number: int, timeout_s: int) -> None:
        ends_at = EPOCH + self.now + timeout_s if timeout_s else 0.0
        event = SlaveDrained(f"s{number}", "admin:kim", EPOCH + self.now, ends_at=ends_at)
        self.perform(self.ledger.apply(event))

    @rule(number=st.integers(0, 2))
    def let_take_again(self, number: int) -> None:
        self.perform(self.ledger.apply(SlaveResumed(f"s{number}")))

    @rule(data=st.data())
    def begin_again(self, data: st.DataObject) -> None:
        newest = max(self.ledger.task_by_number, default=0)
        numbers = data.draw(st.lists(st.integers(1, 1 + newest), max_size=4))
        held = [one for one in numbers if any(one in slave.held for slave in self.ledger.slaves.values())]
        self.perform(self.ledger.apply(TasksAgain(numbers)))
        assert not any(one in self.ledger.task_by_number for one in held), "it has its old number"

    @rule(seconds=st.sampled_from([1, 11, 40]))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.perform(self.ledger.apply(TimePassed(self.now, EPOCH + self.now)))

    @precondition(lambda self: self.ledger.slaves)
    @rule(data=st.data(), is_asked=st.booleans())
    def hand_back(self, data: st.DataObject, is_asked: bool) -> None:
        slave = self.some_slave(data)
        if is_asked:
            self.ledger.ask_back(slave)
        held = list(self.ledger.slaves[slave].held)
        self.perform(self.ledger.apply(TasksReturned(slave, held[:2])))

    @rule(count=st.integers(0, 3))
    def consume(self, count: int) -> None:
        self.consumed_to[1] = min(self.consumed_to[1] + count, self.given_to[1])
        self.perform(self.ledger.apply(OutcomesConsumed(1, self.consumed_to[1])))
        self.perform(self.ledger.apply(BytesConsumed(2, count)))

    @rule()
    def lose_the_session(self) -> None:
        """What was given to a session and not consumed is given again to the next, in the same order."""
        before = self.given[1][self.consumed_to[1] : self.given_to[1]]
        self.ledger.apply(SessionDetached(1))
        del self.given[1][self.consumed_to[1] :]
        self.given_to[1] = self.consumed_to[1]
        self.perform(self.ledger.apply(SessionAttached(1)))
        self.bring_back()
        assert self.given[1][self.consumed_to[1] :][: len(before)] == before

    @rule()
    def bring_back(self) -> None:
        """The journal answers."""
        while self.recalls:
            self.perform(self.ledger.apply(self.journal.recalled(self.recalls.pop(0))))

    @rule()
    def pass_on(self) -> None:
        refusers = {number: set(slaves) for number, slaves in self.refusers().items()}
        for send in self.ledger.pass_on():
            slave = self.ledger.slaves[send.slave]
            assert not any(send.slave in refusers[number] for number in send.numbers)
            assert len(slave.held) <= slave.window or send.terms.resources
            assert self.ledger.claims.could(slave, send.terms.resources)

    @rule(
        owner=st.sampled_from([1, 2]),
        ids=st.lists(st.integers(0, 20), max_size=4),
        grace_s=st.sampled_from([0.0, 9.0]),
    )
    def cancel(self, owner: int, ids: list[int], grace_s: float) -> None:
        self.perform(self.ledger.apply(CancelRequested(owner, ids, grace_s)))

    @rule(numbers=st.lists(st.integers(1, 20), max_size=4, unique=True))
    def fail_at_the_master(self, numbers: list[int]) -> None:
        self.perform(self.ledger.apply(TasksFailed(numbers, [b"unreadable"] * len(numbers))))

    @precondition(lambda self: self.ledger.slaves)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.perform(self.ledger.apply(SlaveLost(self.some_slave(data), "gone")))

    @rule()
    def lose_what_is_pushed(self) -> None:
        self.perform(self.ledger.apply(PushedLost()))

    @invariant()
    def each_task_is_open_in_one_place_or_has_one_outcome(self) -> None:
        ledger = self.ledger
        by_state: dict[TaskState, set[int]] = {state: set() for state in TaskState}
        for number, task in ledger.task_by_number.items():
            by_state[task.state].add(number)
        held = [number for slave in ledger.slaves.values() for number in slave.held]
        queued = [
            task.number
            for owner in ledger.owners.values()
            for lane in owner.lanes
            for task in lane.tasks
            if task.terms == lane.terms
            if task.state is TaskState.QUEUED  # cancelled ones stay until their turn
        ]
        assert sorted(held) == sorted(by_state[TaskState.HELD])
        assert sorted(queued) == sorted(by_state[TaskState.QUEUED])
        plain = [number for number in queued if not ledger.task_by_number[number].terms.resources]
        assert len(plain) == ledger.queued_count == sum(lane.count for lane in ledger.lanes)
        assert len(queued) - len(plain) == sum(lane.count for lane in ledger.claimed_lanes)
        assert sum(owner.queued_count for owner in ledger.owners.values()) == len(queued)
        assert ledger.window_total == sum(slave.window for slave in ledger.slaves.values())
        assert set(ledger.pushed) == by_state[TaskState.PUSHED]
        assert set(self.refusers()) == by_state[TaskState.REFUSED]
        assert len(by_state[TaskState.REFUSED]) == ledger.refusals.waiting_count
        assert ledger.held_total == len(held)
        assert not by_state[TaskState.CLOSED]
        ended = self.recorded | set(self.outcomes)
        assert len(ledger.task_by_number) + len(ended) == ledger.jobs.submitted_count
        kept = ledger.budget.outcome_count
        assert kept == self.given_to[1] - self.consumed_to[1]

    @invariant()
    def who_is_drained_wants_nothing(self) -> None:
        for slave in self.ledger.slaves.values():
            assert (slave.drain is not None) == (slave.name in self.ledger.drains.by_name)
            assert not slave.window or slave.may_have_more

    @invariant()
    def what_slaves_hold_is_counted_by_its_claims(self) -> None:
        runs = self.ledger.places.ending.runs
        gone = [run.claim for (slave, _), run in runs.items() if slave not in self.ledger.slaves]
        tokens = sum(claim.units("database") for claim in gone)
        for slave in self.ledger.slaves.values():
            claims = [task.terms.resources for task in slave.held.values() if task.terms.resources]
            claims += [run.claim for (one, _), run in runs.items() if run.claim and one == slave.slave]
            assert slave.claimed.count_by_claim == Counter(map(self.ledger.claims.at_slave, claims))
            tokens += sum(claim.units("database") for claim in claims)
        assert self.ledger.claims.tokens_given("database") == tokens

    def teardown(self) -> None:
        """Whatever happened, one honest slave finishes all that is left."""
        if not hasattr(self, "ledger"):
            return
        for slave in list(self.ledger.slaves):
            self.ledger.apply(SlaveLost(slave, "end"))
        self.ledger.apply(SlaveJoined(9998, "taker", 1, 1))
        self.perform(self.ledger.apply(TasksTaken(9998, list(self.ledger.pushed))))
        self.ledger.apply(SlaveLost(9998, "end"))
        self.ledger.apply(SlaveJoined(9999, "last", 2, 10**6, {"resources": {"gpu": 2}}))
        self.ledger.pass_on()
        for _ in range(2):  # what as many slaves have refused as are remembered is offered again
            self.now += OFFER_AGAIN_MAX_S
            self.perform(self.ledger.apply(TimePassed(self.now)))
        self.perform(self.ledger.assign(9999, 10**6))
        while (lanes := self.ledger.claimed_lanes) or self.ledger.slaves[9999].held:
            for lane in lanes:
                self.perform(self.ledger.assign(9999, 10**6, lane))
            held = list(self.ledger.slaves[9999].held)
            assert held, "there is room for nothing, though nothing is there"
            count = len(held)
            self.perform(self.ledger.apply(TasksDone(9999, held, [FINISHED] * count, [b""] * count)))
            self.ledger.pass_on()
        self.bring_back()
        assert len(self.outcomes) == self.ledger.jobs.submitted_count
        assert self.ledger.replayed() == self.ledger.record


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLedger = LedgerMachine.TestCase
