"""Fixtures: a loop, a launcher of each kind, pools on it, and a gate that holds tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.processes.spawn import SpawnLauncher
from concurrent.scheduling.processes.zygote import Zygote
from concurrent.scheduling.slave.offer import NOTHING, Offer
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.scheduling import plugin_code
from tests.integration.scheduling.pool_user import Gate, PoolUser

MakePool = Callable[..., PoolUser]


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    """Started before the loop, as nodes do."""
    made = Zygote.start(["concurrent.scheduling.worker.worker"])
    yield made
    made.stop()


@pytest.fixture
def spawner() -> Iterator[SpawnLauncher]:
    made = SpawnLauncher()
    yield made
    made.stop()


@pytest.fixture(params=["zygote", "spawner"])
def launcher(request: pytest.FixtureRequest) -> Launcher:
    made: Launcher = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def make_pool_on(loop: NodeLoop) -> Iterator[MakePool]:
    made: list[PoolUser] = []

    def make(launcher: Launcher, size: int = 2, offer: Offer = NOTHING, **more: Any) -> PoolUser:
        launcher.attach(loop)
        made.append(PoolUser(loop, launcher, size, [plugin_code.__name__], offer=offer, **more))
        return made[-1]

    yield make
    for user in made:
        user.close()


@pytest.fixture
def make_pool(zygote: Zygote, make_pool_on: MakePool) -> MakePool:
    def make(size: int = 2, offer: Offer = NOTHING, **more: Any) -> PoolUser:
        return make_pool_on(zygote, size, offer=offer, **more)

    return make


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()
