"""Fixtures of all integration tests: a loop that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concurrent.transport.loop.loop import NodeLoop


@pytest.fixture
def loop() -> Iterator[NodeLoop]:
    made = NodeLoop("test-loop")
    made.start()
    yield made
    made.stop()
