"""Which slaves are asked what they have, who is told of what they lack, and whose tasks they hand back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concurrent.core.troubles import Troubles
from concurrent.scheduling.ledger.events import OwnerJoined, SlaveDrained, SlaveJoined, SlaveLost
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.fitdesk import (
    ANSWER_S,
    ASKED_AT_ONCE,
    GATHER_S,
    TOLD_OF_ONE_MAX,
    USES_MAX,
    FitDesk,
)
from concurrent.scheduling.master.notices import Notices
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_owner, to_slave

OWNER = 1
GRID, NUMPY = ("grid_tools", "grid_tools", "1.0"), ("numpy", "numpy", "2.1.0")
OLD_NUMPY = ["numpy", "1.26.0", "2.1.0"]


class Timer:
    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self.call = None


class Session:
    """Stands in for the session of a node."""

    def __init__(self, *features: str) -> None:
        self.features = features
        self.told: list[tuple[Any, ...]] = []

    def peer_has(self, feature: str) -> bool:
        return feature in self.features

    def cast(self, message: Any, *args: Any) -> None:
        self.told.append((message.name, *args))

    def take(self, name: str) -> list[tuple[Any, ...]]:
        taken = [told[1:] for told in self.told if told[0] == name]
        self.told.clear()
        return taken


class Master:
    """A ledger with one program, slaves, and the desk; it is the loop too."""

    def __init__(self, lacking: str) -> None:
        self.ledger = Ledger()
        self.sessions = Sessions()
        self.timers: list[tuple[float, Timer]] = []
        self.owner = Session(to_owner.NOTICE)
        self.ledger.apply(OwnerJoined(OWNER, "program"))
        self.sessions.owners[OWNER] = self.owner  # type: ignore[assignment]
        courier = Courier(self)  # type: ignore[arg-type]
        notices = Notices(Troubles(), courier, self.sessions)
        self.desk = FitDesk(
            self,  # type: ignore[arg-type]
            self.ledger,
            self.sessions,
            courier,
            notices,
            apply=self.ledger.apply,
            lacking=lacking,
        )

    def call_later(self, delay_s: float, fn: Callable[..., object], *args: Any) -> Timer:
        timer = Timer(lambda: fn(*args))
        self.timers.append((delay_s, timer))
        return timer

    def wait(self, seconds: float) -> None:
        due = [timer for delay_s, timer in self.timers if delay_s <= seconds]
        self.timers = [one for one in self.timers if one[0] > seconds]
        for timer in due:
            if timer.call is not None:
                timer.call()

    def join(self, slave: int, *features: str, name: str = "") -> Session:
        session = Session(*(features or (to_slave.USES,)))
        self.sessions.slaves[slave] = session  # type: ignore[assignment]
        self.ledger.apply(SlaveJoined(slave, f"slave-{slave}", 1, 4, {"name": name}))
        self.desk.slave_joined(slave)
        return session

    def lose(self, slave: int) -> None:
        del self.sessions.slaves[slave]
        self.ledger.apply(SlaveLost(slave, "it was"))
        self.desk.slave_left(slave)

    def notices(self) -> list[str]:
        return [text for (text,) in self.owner.take("notice")]

    def unfit(self, slave: int) -> tuple[str, ...]:
        return self.ledger.slaves[slave].status().unfit


@pytest.fixture
def master() -> Master:
    return Master("warn")


@pytest.fixture
def avoiding() -> Master:
    return Master("avoid")


def test_each_slave_is_asked_once_for_each_module_whenever_it_joins(master: Master) -> None:
    early = master.join(10)
    master.desk.uses(OWNER, [GRID])
    late = master.join(11)
    older = master.join(12, "older")
    master.desk.uses(OWNER, [GRID, NUMPY])
    grid, numpy = (OWNER, [list(GRID)], "warn"), (OWNER, [list(NUMPY)], "warn")
    assert early.told == late.told == [("uses", *grid), ("uses", *numpy)]
    assert not older.told


def test_what_a_program_tells_bit_by_bit_is_gathered(master: Master) -> None:
    """Each telling is a message to each slave."""
    early = master.join(10)
    for number in range(1000):
        master.desk.uses(OWNER, [(f"module{number}", "", "")])
    late = master.join(11)
    assert [len(told[1]) for told in early.take("uses")] == [1] * ASKED_AT_ONCE
    assert [len(told[1]) for told in late.take("uses")] == [ASKED_AT_ONCE]
    master.wait(GATHER_S)
    for slave in (early, late):
        assert [len(told[1]) for told in slave.take("uses")] == [1000 - ASKED_AT_ONCE]
    master.desk.close()


def test_what_a_slave_lacks_is_told_to_the_program_and_shown_until_that_leaves(master: Master) -> None:
    master.join(10, name="garage")
    master.desk.uses(OWNER, [GRID, NUMPY])
    master.desk.fits(10, OWNER, ["grid_tools"], [OLD_NUMPY])
    words = "lacks grid_tools; has numpy 1.26.0 where the program has 2.1.0"
    assert master.notices() == [f"slave garage {words}; there is no other slave"]
    assert master.unfit(10) == (f"{words}, for program",)
    master.desk.fits(10, OWNER, ["grid_tools"], [OLD_NUMPY])
    assert not master.notices()
    master.desk.owner_left(OWNER)
    assert not master.unfit(10)


def test_a_slave_that_has_all_is_not_worth_a_word(master: Master) -> None:
    master.join(10)
    master.join(11)
    master.desk.uses(OWNER, [GRID])
    master.desk.fits(11, OWNER, [], [])
    master.desk.fits(10, OWNER, ["grid_tools"], [])
    assert master.notices() == ["slave slave-10 lacks grid_tools"]
    master.desk.fits(10, OWNER, [], [])  # it was installed there, and it has joined anew
    assert not master.notices()
    assert not master.unfit(10)


def test_many_slaves_are_told_of_together(master: Master) -> None:
    for slave in range(10, 20):
        master.join(slave)
    master.desk.uses(OWNER, [GRID])
    for slave in range(10, 20):
        master.desk.fits(slave, OWNER, ["grid_tools"], [])
    assert len(master.notices()) == 3
    master.wait(GATHER_S)
    assert master.notices() == ["7 more slaves: slave-13, slave-14, slave-15, ... lacks grid_tools"]


def test_a_slave_whose_words_change_without_end_is_told_of_a_few_times(master: Master) -> None:
    master.join(10)
    master.desk.uses(OWNER, [GRID])
    for number in range(1000):
        master.desk.fits(10, OWNER, [f"module{number}"], [])
        master.desk.preparing(10, OWNER, f"cannot have it: {number}", has_failed=True)
    master.wait(GATHER_S)
    assert len(master.notices()) == TOLD_OF_ONE_MAX
    assert master.unfit(10) == ("cannot have it: 999; lacks module999, for program",)


def test_what_is_said_of_owners_and_slaves_that_are_not_there_is_nothing(master: Master) -> None:
    master.desk.uses(99, [GRID])
    slave = master.join(10)
    assert not slave.told
    master.desk.fits(10, 99, ["grid_tools"], [])
    master.desk.uses(OWNER, [GRID])
    master.lose(10)
    master.desk.fits(10, OWNER, ["grid_tools"], [])
    assert not master.notices()


def test_no_more_than_so_many_modules_are_looked_for(master: Master) -> None:
    slave = master.join(10)
    master.desk.uses(OWNER, [(f"module{number}", "", "") for number in range(USES_MAX + 5)])
    master.desk.uses(OWNER, [GRID])
    assert [len(told[1]) for told in slave.take("uses")] == [USES_MAX]


def test_what_a_slave_says_of_an_environment_is_shown_and_its_failure_is_told_once(master: Master) -> None:
    master.join(10, name="garage")
    for _ in range(2):  # it is tried again
        master.desk.preparing(10, OWNER, "makes environment 60f7 of its requirements", has_failed=False)
        assert master.unfit(10) == ("makes environment 60f7 of its requirements, for program",)
        master.desk.preparing(10, OWNER, "cannot make it: no such thing", has_failed=True)
        assert master.unfit(10) == ("cannot make it: no such thing, for program",)
    assert master.notices() == ["slave garage cannot make it: no such thing; there is no other slave"]
    master.desk.preparing(10, OWNER, "", has_failed=False)
    assert not master.unfit(10)
    master.desk.preparing(10, 99, "cannot", has_failed=True)
    master.desk.preparing(11, OWNER, "cannot", has_failed=True)
    assert not master.notices()


def test_no_slave_is_asked_for_a_program_that_uses_nothing_known(master: Master) -> None:
    master.join(10)
    master.desk.preparing(10, OWNER, "fetches its project of 2 MiB", has_failed=False)
    assert not master.join(11).told


def test_what_a_slave_lacks_is_shown_beside_the_project_that_it_has_not(master: Master) -> None:
    master.join(10)
    master.desk.uses(OWNER, [GRID])
    master.desk.preparing(10, OWNER, "fetches its project of 2 MiB", has_failed=False)
    master.desk.fits(10, OWNER, ["grid_tools"], [])
    assert master.unfit(10) == ("fetches its project of 2 MiB; lacks grid_tools, for program",)
    master.desk.preparing(10, OWNER, "", has_failed=False)
    assert master.unfit(10) == ("lacks grid_tools, for program",)
    master.lose(10)
    master.join(10)
    master.desk.fits(10, OWNER, ["grid_tools"], [])
    assert master.unfit(10) == ("lacks grid_tools, for program",)


def test_slaves_are_asked_for_a_task_system_too_and_its_program_is_told_once(master: Master) -> None:
    slave = master.join(10)
    master.desk.system_joined(2, OWNER)  # a program that uses nothing
    assert not slave.told
    master.desk.uses(OWNER, [GRID])
    master.desk.fits(10, OWNER, ["grid_tools"], [])
    assert len(master.notices()) == 1
    slave.told.clear()
    host = Session(to_owner.NOTICE)
    master.ledger.apply(OwnerJoined(2, "system"))
    master.sessions.owners[2] = host  # type: ignore[assignment]
    master.desk.system_joined(2, OWNER)
    assert slave.told == [("uses", 2, [list(GRID)], "warn")]
    master.desk.fits(10, 2, ["grid_tools"], [])
    assert not host.told
    assert master.unfit(10) == ("lacks grid_tools, for program", "lacks grid_tools, for system")
    master.join(11)
    master.desk.fits(11, 2, ["grid_tools"], [])
    assert len(host.take("notice")) == 1  # of this one its program has not heard
    master.desk.owner_left(2)
    assert master.unfit(10) == ("lacks grid_tools, for program",)


def test_a_slave_is_spared_as_soon_as_another_one_has_all(avoiding: Master) -> None:
    short, full = avoiding.join(10), avoiding.join(11)
    avoiding.desk.uses(OWNER, [GRID])
    assert short.take("uses")[0][-1] == "avoid"
    avoiding.desk.fits(10, OWNER, ["grid_tools"], [])
    assert not short.told  # the other one has not answered
    avoiding.desk.fits(11, OWNER, [], [OLD_NUMPY])
    assert short.take("spared") == [(OWNER, "slave-11")]
    assert not full.take("spared")


def test_slaves_that_all_lack_something_run_the_tasks(avoiding: Master) -> None:
    first, second = avoiding.join(10), avoiding.join(11)
    avoiding.desk.uses(OWNER, [GRID])
    avoiding.desk.fits(10, OWNER, ["grid_tools"], [])
    avoiding.desk.fits(11, OWNER, ["grid_tools"], [])
    assert first.take("spared") == second.take("spared") == [(OWNER, "")]


def test_tasks_do_not_wait_for_a_slave_that_does_not_answer(avoiding: Master) -> None:
    short, _paused = avoiding.join(10), avoiding.join(11)
    avoiding.desk.uses(OWNER, [GRID])
    avoiding.desk.fits(10, OWNER, ["grid_tools"], [])
    avoiding.wait(ANSWER_S)
    assert short.take("spared") == [(OWNER, "")]
    avoiding.desk.fits(11, OWNER, [], [])
    assert short.take("spared") == [(OWNER, "slave-11")]


def test_a_slave_that_cannot_have_the_project_spares_no_other_one(avoiding: Master) -> None:
    short, _broken = avoiding.join(10), avoiding.join(11)
    avoiding.desk.uses(OWNER, [GRID])
    avoiding.desk.fits(11, OWNER, [], [])
    avoiding.desk.fits(10, OWNER, ["grid_tools"], [])
    assert short.take("spared") == [(OWNER, "slave-11")]
    avoiding.desk.preparing(11, OWNER, "cannot have its project: disk full", has_failed=True)
    assert short.take("spared") == [(OWNER, "")]
    avoiding.desk.preparing(11, OWNER, "fetches its project of 2 MiB", has_failed=False)  # it tries again
    assert not short.take("spared")
    avoiding.desk.preparing(11, OWNER, "", has_failed=False)
    assert short.take("spared") == [(OWNER, "slave-11")]


def test_slaves_that_come_and_go_and_do_not_answer_hold_no_tasks(avoiding: Master) -> None:
    short = avoiding.join(10)
    avoiding.desk.uses(OWNER, [GRID])
    avoiding.join(11)
    avoiding.desk.fits(10, OWNER, ["grid_tools"], [])
    ((_, waiting),) = avoiding.timers
    for slave in range(12, 20):
        avoiding.join(slave)
        avoiding.lose(slave - 1)
    assert waiting.call is not None
    waiting.call()
    assert short.take("spared") == [(OWNER, "")]


def test_a_slave_gets_tasks_again_when_nobody_else_may_have_them(avoiding: Master) -> None:
    short, _full = avoiding.join(10), avoiding.join(11)
    avoiding.desk.uses(OWNER, [GRID])
    avoiding.desk.fits(11, OWNER, [], [])
    avoiding.desk.fits(10, OWNER, ["grid_tools"], [])
    assert short.take("spared") == [(OWNER, "slave-11")]
    avoiding.ledger.apply(SlaveDrained("slave-11", "kim", 1.0))
    avoiding.desk.slaves_changed()
    assert short.take("spared") == [(OWNER, "")]
    avoiding.join(12)
    avoiding.desk.fits(12, OWNER, [], [])
    assert short.take("spared") == [(OWNER, "slave-12")]
    avoiding.lose(12)
    assert short.take("spared") == [(OWNER, "")]
