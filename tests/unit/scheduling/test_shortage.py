"""When a machine is short of memory."""

from __future__ import annotations

import pytest

from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.shortage import LOOK_S, Shortage
from concurrent.scheduling.slave.window import Window
from tests.unit.scheduling.slave_parts import StillLoop

MIB = 1 << 20


class Machine:
    """A machine with free memory, and when it was found to be short of it."""

    def __init__(self, reserve_mib: int) -> None:
        self.loop = StillLoop()
        self.free_mib = 1000
        self.changes: list[bool] = []
        self.shortage = Shortage(self.loop, reserve_mib * MIB, self._free, self._changed)  # type: ignore[arg-type]
        self.looks = 0

    def _free(self) -> int:
        self.looks += 1
        return self.free_mib * MIB

    def _changed(self) -> None:
        self.changes.append(self.shortage.is_there)

    def look(self) -> None:
        """Start to look, or look again."""
        if self.looks:
            self.loop.go_on(LOOK_S)
        else:
            self.shortage.start()


def test_it_is_short_below_the_reserve_and_until_a_quarter_more_is_free() -> None:
    machine = Machine(100)
    for free_mib, is_there in [(101, False), (99, True), (101, True), (124, True), (126, False), (101, False)]:
        machine.free_mib = free_mib
        machine.look()
        assert machine.shortage.is_there == is_there, free_mib
        why = "less memory is free there than slave.memory_reserve=100MiB" if is_there else ""
        assert machine.shortage.reason == why
    assert machine.changes == [True, False]


def test_it_is_found_at_the_start_and_seen_though_nobody_has_tasks() -> None:
    machine = Machine(100)
    machine.free_mib = 50
    machine.shortage.start()
    assert machine.changes == [True]
    machine.free_mib = 500
    machine.loop.go_on(LOOK_S)
    assert machine.changes == [True, False]
    machine.free_mib = 50
    machine.loop.go_on(LOOK_S)
    assert machine.changes == [True, False, True]


@pytest.mark.parametrize(("reserve_mib", "free_mib"), [(0, 1), (100, 0)])
def test_without_a_reserve_or_where_nobody_knows_it_is_never_short(reserve_mib: int, free_mib: int) -> None:
    machine = Machine(reserve_mib)
    machine.free_mib = free_mib
    machine.look()
    assert not machine.changes


def test_after_the_stop_nobody_looks() -> None:
    machine = Machine(100)
    machine.free_mib = 50
    machine.shortage.start()
    machine.shortage.stop()
    machine.loop.go_on(10 * LOOK_S)
    assert machine.looks == 1


def test_a_window_is_nothing_until_it_is_open_again() -> None:
    told: list[int] = []
    window = Window(Pace(), 4, told.append)
    usual = window.count
    window.is_open = False
    window.look()
    window.look()
    window.is_open = True
    window.look()
    assert told == [0, usual]
