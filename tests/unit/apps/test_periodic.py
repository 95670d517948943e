"""What nodes do from time to time, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from concurrent.apps.keywatch import KeyWatch
from concurrent.apps.openness import EVERY_S, say_open
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.roles import Role
from tests.clusterkeys import join

REVOKED_WITHIN_S = 2.0


class Timer:
    """A call that is due some time."""

    def __init__(self, due_at: float, call: Callable[[], object]) -> None:
        self.due_at = due_at
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Clock:
    """A loop that calls what is due when a test lets time pass."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[Timer] = []

    @property
    def loop(self) -> NodeLoop:
        return cast(NodeLoop, self)

    def call_later(self, delay_s: float, fn: Callable[..., object], *args: Any) -> Timer:
        timer = Timer(self.now + delay_s, lambda: fn(*args))
        self._timers.append(timer)
        return timer

    def let_pass(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            self._timers = [one for one in self._timers if not one.is_cancelled]
            due = [one for one in self._timers if one.due_at <= end]
            if not due:
                break
            timer = min(due, key=lambda one: one.due_at)
            self._timers.remove(timer)
            self.now = timer.due_at
            timer.call()
        self.now = end


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cluster(tmp_path: Path) -> KeyFolder:
    return make_cluster(tmp_path / "master" / "keys", "office-4kd2")


def test_a_master_knows_within_two_seconds_who_was_revoked(
    clock: Clock, cluster: KeyFolder, tmp_path: Path
) -> None:
    rack = join(cluster, tmp_path / "slave" / "keys", Role.SLAVE).tls(Role.SLAVE).identity
    told: list[tuple[float, frozenset[str]]] = []
    watch = KeyWatch(clock.loop, cluster, lambda serials, _gone: told.append((clock.now, serials)))
    watch.look()
    clock.let_pass(3600.1)
    assert told == [(0.0, frozenset())]
    revoked_at = clock.now
    Members(cluster).revoke("rack")
    clock.let_pass(REVOKED_WITHIN_S)
    ((seen_at, serials),) = told[1:]
    assert seen_at <= revoked_at + REVOKED_WITHIN_S
    assert serials == {rack.serial}
    clock.let_pass(3600.0)
    assert len(told) == 2
    watch.close()
    join(cluster, tmp_path / "other" / "keys", Role.SLAVE, "other")
    clock.let_pass(3600.0)
    assert len(told) == 2


def test_what_could_not_be_done_with_who_was_revoked_is_done_again(clock: Clock, cluster: KeyFolder) -> None:
    times: list[float] = []

    def fail_once(_serials: frozenset[str], _gone: frozenset[str]) -> None:
        times.append(clock.now)
        if len(times) == 1:
            raise RuntimeError

    watch = KeyWatch(clock.loop, cluster, fail_once)
    with pytest.raises(RuntimeError):
        watch.look()
    clock.let_pass(10.0)
    assert len(times) == 2
    assert times[1] <= REVOKED_WITHIN_S


def test_a_node_that_nothing_protects_says_so_at_once_and_every_hour(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    say_open(clock.loop, "slave-1")
    assert caplog.text.count("nothing protects slave-1") == 1
    clock.let_pass(EVERY_S - 1)
    assert caplog.text.count("nothing protects slave-1") == 1
    clock.let_pass(1)
    assert caplog.text.count("nothing protects slave-1") == 2
    clock.let_pass(10 * EVERY_S)
    assert caplog.text.count("nothing protects slave-1") == 12
    assert EVERY_S == 3600.0
