"""Whatever a scheduler does, every task is run, and what went wrong is named."""

import pytest

from concurrent.core.component import Component
from concurrent.core.environment import Environment
from concurrent.core.errors import ComponentError
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import ITaskScheduler
from concurrent.scheduling.ledger.events import (
    AskBack,
    CancelRun,
    Deliver,
    OwnerJoined,
    Push,
    Send,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksSubmitted,
    TasksTaken,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.defaults import FAILURES_MAX
from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
from concurrent.scheduling.schedulers.guard import GuardedScheduler
from concurrent.scheduling.schedulers.pushpull import ZMQTaskScheduler
from concurrent.scheduling.tasks.outcome import FINISHED

TASKS = 20


class Scripted(Component):
    """Does what the test says; in order it gives each slave what that has room for."""

    implements(ITaskScheduler)

    def __init__(self):
        self.act = give
        self.note = lambda slave: None

    def schedule(self, ledger):
        return self.act(ledger)

    def slave_changed(self, slave):
        self.note(slave)

    def manager_name(self):
        return "GenericTaskManager"


class Pushing(Scripted):
    """The same for slaves that pull."""

    def manager_name(self):
        return "ZMQTaskManager"


class Derived(GenericTaskScheduler):
    """The generic one with a mistake."""

    act = None

    def schedule(self, ledger):
        commands = super().schedule(ledger)
        return self.act(commands) if self.act else commands


def give(ledger):
    return [one for slave in list(ledger.slaves.values()) for one in ledger.assign(slave.slave, slave.room)]


def give_then(result):
    def act(ledger):
        give(ledger)
        if isinstance(result, BaseException):
            raise result
        return result

    return act


def raising(error):
    def act(_argument):
        raise error

    return act


def keeping_the_ledger(ledger, kept=[]):  # noqa: B006
    kept.append(ledger)
    return kept[0].assign(1, 1)


FAILING = {
    "raises": raising(KeyError("a bug")),
    "exits": raising(SystemExit(7)),
    "interrupts": raising(KeyboardInterrupt()),
    "gives away and then raises": give_then(ValueError("late")),
    "gives away and returns None": give_then(None),
    "gives away and returns nothing of it": give_then([]),
    "None": lambda _ledger: None,
    "a number": lambda _ledger: 3,
    "a text": lambda _ledger: "Send",
    "a generator": lambda ledger: (one for one in give(ledger)),
    "a class": lambda _ledger: [Send],
    "something else": lambda _ledger: [object(), 1, None],
    "a Send that was not made": lambda _ledger: [Send(1, 1, [1], [b""])],
    "a Send to nobody": lambda _ledger: [Send(99, 1, [1], [b""])],
    "a Send of an unknown task": lambda _ledger: [Send(1, 1, [10**6], [b""])],
    "a Push that was not made": lambda _ledger: [Push(1, [1], [b""])],
    "an outcome": lambda _ledger: [Deliver(1, [0], [FINISHED], [b""], up_to=1)],
    "a cancellation": lambda _ledger: [CancelRun(1, [1])],
    "a question that was not allowed": lambda _ledger: [AskBack(1, 2)],
    "a question to nobody": lambda _ledger: [AskBack(99, 2)],
    "the same twice": lambda ledger: ledger.assign(1, 1) * 2,
    "assign to nobody": lambda ledger: ledger.assign(99, 1),
    "assign to None": lambda ledger: ledger.assign(None, 1),
    "assign a part": lambda ledger: ledger.assign(1, 0.5),
    "assign of no lane": lambda ledger: ledger.assign(1, 1, "a"),
    "offer where nobody pulls": lambda ledger: ledger.offer(1),
    "ask nobody": lambda ledger: ledger.ask_back(99),
    "apply an event": lambda ledger: ledger.apply(SlaveLost(1, "no")),
    "change the slaves": lambda ledger: ledger.slaves.clear(),
    "a ledger of an earlier turn": keeping_the_ledger,
}


class Master:
    """The ledger with two slaves that finish at once what they are sent, and timers that the test sets off."""

    def __init__(self, cls=Scripted) -> None:
        env = Environment(variables={})
        env.register(cls)
        self.plugin = env[cls]
        self.troubles = env.troubles
        self.delays: list[float] = []
        self.now = 0.0
        self.guard = GuardedScheduler(self.plugin, env, self.delays.append, lambda: self.now)
        self.ledger = Ledger()
        self.ledger.apply(OwnerJoined(1, "app"))
        self.finished: list[int] = []
        self.sent: list[int] = []

    def join(self) -> None:
        for slave in (1, 2):
            self.ledger.apply(SlaveJoined(slave, f"s{slave}", 1, 4))
            self.guard.slave_changed(slave)

    def submit(self, count=TASKS) -> None:
        self.ledger.apply(TasksSubmitted(1, self.ledger.jobs.submitted_count, [b""] * count))

    def turn(self) -> None:
        for command in self.guard.schedule(self.ledger):
            if isinstance(command, Push):
                self.ledger.apply(TasksTaken(1, command.numbers))
                self.end(1, command.numbers)
            elif isinstance(command, Send):
                self.end(command.slave, command.numbers)

    def end(self, slave, numbers) -> None:
        self.sent += numbers
        done = TasksDone(slave, numbers, [FINISHED] * len(numbers), [b""] * len(numbers))
        for deliver in self.ledger.apply(done):
            self.finished += deliver.ids
        self.guard.slave_changed(slave)

    def run(self, turns=100) -> None:
        """Turn as the loop does: when something came, and when a delay has passed."""
        for _ in range(turns):
            self.turn()
            if self.delays:
                self.delays.clear()
                self.guard.resume()


@pytest.fixture
def master() -> Master:
    return Master()


@pytest.mark.parametrize("act", FAILING.values(), ids=FAILING)
def test_a_scheduler_that_fails_once_is_asked_again(master, act) -> None:
    master.join()
    master.submit()
    master.plugin.act = act
    master.turn()
    if act is keeping_the_ledger:
        master.guard.resume()
        master.turn()
    master.plugin.act = give
    master.run()
    assert sorted(master.finished) == list(range(TASKS))
    assert len(master.sent) == TASKS
    assert master.guard.name == "Scripted"
    troubles = master.troubles.status()
    assert {one.rule for one in troubles} == {"schedule"}
    assert all(one.component.endswith("test_guard.Scripted") for one in troubles)


@pytest.mark.parametrize("act", FAILING.values(), ids=FAILING)
def test_the_framework_s_own_takes_over_from_one_that_goes_on_failing(master, act) -> None:
    master.plugin.act = act
    master.join()
    for _ in range(3 * FAILURES_MAX):
        master.submit()
        master.run(turns=1)
    master.run()
    assert sorted(master.finished) == list(range(3 * FAILURES_MAX * TASKS))
    assert len(master.sent) == len(master.finished)
    assert master.guard.name == "GenericTaskScheduler"


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(), KeyboardInterrupt()])
@pytest.mark.parametrize("times", [1, 2, 1000])
def test_slaves_of_which_a_scheduler_could_not_be_told_get_tasks_all_the_same(master, error, times) -> None:
    left = [times]

    def note(_slave):
        left[0] -= 1
        if left[0] >= 0:
            raise error

    master.plugin.note = note
    master.join()
    master.submit()
    master.run()
    assert sorted(master.finished) == list(range(TASKS))
    (trouble,) = master.troubles.status()
    assert trouble.rule == "slave_changed"
    assert master.guard.name == ("GenericTaskScheduler" if times == 1000 else "Scripted")


def test_while_a_scheduler_gets_a_rest_it_is_not_called(master) -> None:
    calls = []
    master.plugin.act = lambda _ledger: calls.append(1)
    master.plugin.note = calls.append
    master.join()
    master.submit()
    calls.clear()
    for _ in range(50):
        master.turn()
        master.guard.slave_changed(1)
    assert calls == [1]
    assert len(master.delays) == 1


def test_a_scheduler_for_slaves_that_pull_is_replaced_by_push_pull() -> None:
    master = Master(Pushing)
    master.plugin.act = raising(ValueError("a bug"))
    master.join()
    master.submit()
    master.run()
    assert sorted(master.finished) == list(range(TASKS))
    assert master.guard.name == "ZMQTaskScheduler"


def test_slaves_that_pull_are_not_sent_anything() -> None:
    master = Master(Pushing)
    master.join()
    master.submit()
    master.turn()
    assert "work queue" in master.troubles.status()[0].problem


@pytest.mark.parametrize("change", [lambda commands: None, lambda commands: commands[:-1], raising(OSError())])
def test_a_scheduler_derived_from_the_framework_s_own_is_checked_too(change) -> None:
    master = Master(Derived)
    master.plugin.act = change
    master.join()
    master.submit()
    master.run()
    assert sorted(master.finished) == list(range(TASKS))


def test_a_derived_scheduler_without_a_mistake_is_left_alone() -> None:
    master = Master(Derived)
    master.join()
    master.submit(1000)
    master.run(turns=1000)
    assert len(master.finished) == 1000
    assert master.troubles.status() == ()


def test_a_scheduler_that_lets_tasks_wait_is_named_and_asked_again(master) -> None:
    master.plugin.act = lambda _ledger: []
    master.join()
    master.submit()
    master.run(turns=30)
    (trouble,) = master.troubles.status()
    assert "gives nothing to idle workers" in trouble.problem
    master.plugin.act = give
    master.run()
    assert len(master.finished) == TASKS


def test_a_scheduler_may_ask_for_tasks_back(master) -> None:
    master.join()
    master.plugin.act = lambda ledger: [AskBack(1, 1)] if ledger.ask_back(1) else []
    assert master.guard.schedule(master.ledger) == [AskBack(1, 1)]
    assert master.guard.schedule(master.ledger) == []
    assert master.troubles.status() == ()


def test_a_slave_that_was_not_asked_after_all_may_be_asked_later(master) -> None:
    master.join()
    master.plugin.act = lambda ledger: [] if ledger.ask_back(1) else None
    master.guard.schedule(master.ledger)
    assert not master.ledger.slaves[1].is_asked_back


@pytest.mark.parametrize("answer", [None, "", 3, raising(ValueError("a bug")), raising(SystemExit(1))])
def test_a_scheduler_that_names_no_task_manager_is_refused_by_name(answer) -> None:
    class Nameless(Scripted):
        def manager_name(self):
            return answer(self) if callable(answer) else answer

    with pytest.raises(ComponentError, match="Nameless: manager_name"):
        Master(Nameless)


@pytest.mark.parametrize("cls", [GenericTaskScheduler, ZMQTaskScheduler])
def test_the_framework_s_own_are_used_as_they_are(cls) -> None:
    master = Master(cls)
    master.join()
    master.submit(200)
    master.run()
    assert len(master.finished) == 200
    assert master.delays == []


def test_a_scheduler_that_waits_for_something_is_named(master) -> None:
    def slow(ledger):
        master.now += 2.5
        return give(ledger)

    master.plugin.act = slow
    master.join()
    master.submit(1)
    master.turn()
    (trouble,) = master.troubles.status()
    assert (trouble.rule, trouble.problem) == ("schedule", "took 2.5 s")
    assert len(master.finished) == 1
