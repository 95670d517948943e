"""A slave that is told to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from concurrent.apps import SlaveNode, slave
from concurrent.core import Component, Environment, implements
from concurrent.scheduling import ITaskManager
from tests.integration.apps.fakemaster import TIMEOUT_S, Master
from tests.system.cluster import wait_until


class StuckManager(Component):
    """A task manager whose tasks never end."""

    implements(ITaskManager)
    on_close: Callable[[], object]

    def open(self, loop: Any, launcher: Any, workers: int) -> None:
        """There is nothing to open."""

    def register_methods(self, endpoint: Any) -> None:
        """There are none."""

    def window(self) -> int:
        return 0

    def joined(self, handler: Any, host: str, work: dict[str, Any]) -> None:
        """Nothing to do."""

    def left(self) -> None:
        """Nothing to do."""

    def drain(self, timeout_s: float) -> Future[None]:
        return Future()

    def close(self) -> None:
        self.on_close()

    def snapshot(self) -> dict[str, Any]:
        return {"running": {17: 1, 18: None}}


def test_a_slave_says_goodbye_though_its_tasks_do_not_end(
    fake_master: Master, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(slave, "FAREWELL_S", 0.1)
    caplog.set_level(logging.INFO, "concurrent")
    fake_master.manager = "StuckManager"
    env = Environment(
        overrides={"slave.master": f"127.0.0.1:{fake_master.api.port}", "slave.stop_timeout_s": "0"},
        variables={},
    )
    env.register(StuckManager)
    events: list[str] = []
    env[StuckManager].on_close = lambda: events.append("closed")
    fake_master.server.on_lost = lambda _handler, reason: events.append(reason)
    node = env[SlaveNode]
    node.start()
    fake_master.sessions.get(timeout=TIMEOUT_S)
    node.stop()
    wait_until(lambda: len(events) == 2, "the manager is closed and the master knows")
    assert "closed" in events
    assert "waits for 1 running tasks, at most 0.0 s" in caplog.text
