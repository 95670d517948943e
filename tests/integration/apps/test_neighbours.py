"""Processes of this machine that are seen to end."""

from __future__ import annotations

import os
import platform
import queue
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.apps.neighbours import Neighbours
from concurrent.transport.loop.loop import NodeLoop

TIMEOUT_S = 20.0

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system cannot watch processes")


@pytest.fixture
def neighbours(loop: NodeLoop) -> Iterator[Neighbours]:
    made = Neighbours(loop)
    yield made
    loop.call(made.close, timeout_s=TIMEOUT_S)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as made:
        yield made
        made.kill()


def test_the_end_of_a_process_is_told_once(
    loop: NodeLoop, neighbours: Neighbours, process: subprocess.Popen[bytes]
) -> None:
    ends: queue.SimpleQueue[str] = queue.SimpleQueue()
    data = {"pid": process.pid, "host": platform.node()}
    loop.call(neighbours.watch, 7, data, lambda: ends.put("ended"), timeout_s=TIMEOUT_S)
    assert not loop.call(neighbours.has_ended, 7, timeout_s=TIMEOUT_S)
    process.kill()
    assert ends.get(timeout=TIMEOUT_S) == "ended"
    assert loop.call(neighbours.has_ended, 7, timeout_s=TIMEOUT_S)
    loop.call(neighbours.forget, 7, timeout_s=TIMEOUT_S)
    assert not loop.call(neighbours.has_ended, 7, timeout_s=TIMEOUT_S)
    assert ends.empty()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"pid": 1},
        {"pid": "1", "host": "here"},
        {"pid": 1 << 80, "host": "here"},
        {"pid": 1, "host": "there"},
    ],
)
def test_what_is_elsewhere_or_nonsense_is_not_watched(
    loop: NodeLoop, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "here")
    before = len(os.listdir("/proc/self/fd"))
    loop.call(neighbours.watch, 7, data, pytest.fail, timeout_s=TIMEOUT_S)
    assert len(os.listdir("/proc/self/fd")) == before
