"""Whatever a strategy does, each slave has a rating, and what went wrong is named."""

import math
from types import SimpleNamespace

import pytest

from concurrent.core.component import Component
from concurrent.core.environment import Environment
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import ITaskScheduleStrategy
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.schedulers.defaults import FAILURES_MAX
from concurrent.scheduling.schedulers.rating import Rating
from concurrent.scheduling.schedulers.strategies import GenericTaskScheduleStrategy
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms


class Scripted(Component):
    """Does what the test says."""

    implements(ITaskScheduleStrategy)

    def __init__(self):
        self.act = lambda slave: 1.0

    def rate(self, slave):
        return self.act(slave)


def raising(error):
    def act(_slave):
        raise error

    return act


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no")


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no")


FAILING = {
    "raises": raising(KeyError("a bug")),
    "exits": raising(SystemExit(7)),
    "interrupts": raising(KeyboardInterrupt()),
    "generator exit": raising(GeneratorExit()),
    "an error without a text": raising(Silent()),
    "None": lambda _slave: None,
    "NaN": lambda _slave: math.nan,
    "infinite": lambda _slave: math.inf,
    "minus infinite": lambda _slave: -math.inf,
    "text": lambda _slave: "3.5",
    "bytes": lambda _slave: b"3.5",
    "complex": lambda _slave: 1j,
    "list": lambda _slave: [1.0],
    "huge": lambda _slave: 10**400,
    "unshowable": lambda _slave: Unshowable(),
    "an attribute that is not there": lambda slave: slave.no_such,
}


@pytest.fixture
def made():
    env = Environment(variables={})
    env.register(Scripted)
    strategy = env[Scripted]
    return SimpleNamespace(strategy=strategy, rating=Rating(strategy, env), troubles=env.troubles)


@pytest.fixture
def slave() -> SlaveRecord:
    return SlaveRecord(1, "s1", 2, 10, task_s=1.5)


@pytest.mark.parametrize("act", FAILING.values(), ids=FAILING)
def test_a_slave_whose_rating_fails_comes_last_and_the_next_rating_counts_again(made, slave, act) -> None:
    made.strategy.act = act
    assert made.rating.rate(slave, DEFAULT_TERMS) == -math.inf
    made.strategy.act = lambda _slave: 2
    assert made.rating.rate(slave, DEFAULT_TERMS) == 2.0
    (trouble,) = made.troubles.status()
    assert trouble.component.endswith("test_rating.Scripted")
    assert (trouble.rule, trouble.count) == ("rate", 1)


@pytest.mark.parametrize("act", FAILING.values(), ids=FAILING)
def test_a_strategy_that_fails_in_a_row_is_replaced_by_the_framework_s_own(made, slave, act) -> None:
    made.strategy.act = act
    for _ in range(FAILURES_MAX - 1):
        made.rating.rate(slave, DEFAULT_TERMS)
    made.strategy.act = lambda _slave: 2.0
    made.rating.rate(slave, DEFAULT_TERMS)
    made.strategy.act = act
    expected = Environment(variables={})[GenericTaskScheduleStrategy].rate(slave)
    ratings = [made.rating.rate(slave, DEFAULT_TERMS) for _ in range(FAILURES_MAX + 3)]
    assert ratings == [-math.inf] * (FAILURES_MAX - 1) + [expected] * 4
    assert "takes over" in made.troubles.status()[0].action


@pytest.mark.parametrize("number", [3, 2.5, True, -0.0, 1e300])
def test_any_finite_number_will_do(made, slave, number) -> None:
    made.strategy.act = lambda _slave: number
    assert made.rating.rate(slave, DEFAULT_TERMS) == number
    assert made.troubles.status() == ()


class Asking(Component):
    """Rates by what the task asks for."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave, terms):
        return slave.slave * (-1 if terms.name == "low" else 1)


class Worded(Component):
    """Calls the terms something else."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave, asked):
        return len(asked.name)


class Weighted(Component):
    """Is written before there were terms, and has a parameter of its own."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave, weight=2.0):
        return slave.workers * weight


class Derived(GenericTaskScheduleStrategy):
    """Is written before there were terms, and asks the framework's own."""

    def rate(self, slave):
        return 2 * super().rate(slave)


def rating_of(cls: type[Component]) -> Rating:
    env = Environment(variables={})
    env.register(cls)
    return Rating(env[cls], env)


def test_a_strategy_sees_what_a_task_asks_for(slave) -> None:
    rating = rating_of(Asking)
    assert rating.sees_terms
    assert [rating.rate(slave, Terms(name=name)) for name in ("low", "high")] == [-1.0, 1.0]
    assert rating_of(Worded).rate(slave, Terms(name="four")) == 4.0


def test_a_strategy_that_is_older_than_terms_goes_on_working(slave) -> None:
    rating = rating_of(Weighted)
    assert not rating.sees_terms
    assert rating.rate(slave, Terms(name="any")) == 4.0
    own = Environment(variables={})[GenericTaskScheduleStrategy]
    assert rating_of(Derived).rate(slave, Terms(name="any")) == 2 * own.rate(slave)


def test_the_first_failure_of_a_kind_is_logged_with_its_traceback_and_the_others_are_counted(
    made, slave, caplog
) -> None:
    made.strategy.act = raising(KeyError("a bug"))
    for _ in range(3):
        made.rating.rate(slave, DEFAULT_TERMS)
    (record,) = caplog.records
    assert "Scripted" in record.getMessage()
    assert "rate raised KeyError" in record.getMessage()
    assert record.exc_info
    assert made.troubles.status()[0].count == 3
