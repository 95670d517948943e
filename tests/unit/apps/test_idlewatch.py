"""An application that has nothing to do and was not told to end says so, once, and not while it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concurrent.apps.idlewatch import IdleWatch


class Application:
    """What is watched; it is its own loop, whose time passes when a test says so."""

    def __init__(self) -> None:
        self.is_idle = True
        self.is_busy = False
        self.count = 3
        self.timers: list[Callable[[], object]] = []
        self.watch = IdleWatch(
            self,  # type: ignore[arg-type]
            lambda: self.is_idle,
            lambda: self.is_busy,
            lambda: self.count,
        )

    def call_later(self, delay_s: float, fn: Callable[..., object], *args: Any) -> None:
        self.timers.append(lambda: fn(*args))

    def wait(self) -> None:
        timers, self.timers = self.timers, []
        for timer in timers:
            timer()


@pytest.fixture
def application() -> Application:
    return Application()


def test_it_says_so_once(application: Application, caplog: pytest.LogCaptureFixture) -> None:
    application.watch.begin()
    application.watch.begin()
    application.wait()
    application.wait()
    assert caplog.text.count("shutdown_main_loop() was not called") == 1


def test_one_with_work_again_is_not_idle(application: Application, caplog: pytest.LogCaptureFixture) -> None:
    application.watch.begin()
    application.is_idle = False
    application.wait()
    assert (caplog.text, application.timers) == ("", [])


@pytest.mark.parametrize(("is_busy", "count"), [(True, 3), (False, 4)])
def test_one_that_does_something_is_looked_at_again(
    application: Application, caplog: pytest.LogCaptureFixture, *, is_busy: bool, count: int
) -> None:
    application.watch.begin()
    application.is_busy, application.count = is_busy, count
    application.wait()
    assert caplog.text == ""
    application.is_busy = False
    application.wait()
    assert "doing nothing" in caplog.text
