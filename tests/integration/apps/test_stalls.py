"""A callback or a result that takes for ever is named, whoever waits for what is behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from concurrent.apps import LocalCluster, stalls
from concurrent.apps.stalls import StallWatch
from concurrent.core.callthread import CallThread
from tests.system.cluster import wait_until


class Loop:
    """In place of a loop: looks when the test says so."""

    def __init__(self) -> None:
        self.look: Callable[[], None]

    def call_later(self, _delay_s: float, look: Callable[[], None]) -> None:
        self.look = look


def test_a_call_that_takes_long_is_told_later_each_time_and_others_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop: Any = Loop()
    thread, may_end, has_begun = CallThread("test-stalls"), threading.Event(), threading.Event()
    StallWatch(loop, thread, "a call").look()
    thread.start()
    for _ in range(2):
        for _ in range(9):  # nothing to do is no stall
            loop.look()
        assert not caplog.records
        thread.put(has_begun.set)
        thread.put(may_end.wait)
        assert has_begun.wait(10)
        wait_until(lambda: not thread.is_waiting and thread.made_count % 2 == 0, "it waits")
        for _ in range(9):
            loop.look()
        assert [record.getMessage().partition(", and")[0] for record in caplog.records] == [
            f"a call has taken more than {seconds} s" for seconds in (10, 20, 40)
        ]
        assert "threading.py:" in caplog.text
        may_end.set()
        wait_until(lambda: thread.is_waiting, "it has ended")
        caplog.clear()
        may_end.clear()
        has_begun.clear()
    thread.end()
    thread.join()


def test_an_executor_names_the_callback_that_holds_its_shutdown_up(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalls, "LOOK_S", 0.01)
    may_end = threading.Event()
    with LocalCluster(1) as cluster:
        cluster.submit(abs, -1).add_done_callback(lambda _: may_end.wait(30))
        cluster.shutdown(wait=False)
        wait_until(lambda: "a callback of a future has taken" in caplog.text, "it is told")
        may_end.set()
