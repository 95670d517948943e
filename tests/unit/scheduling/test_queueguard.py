"""Whatever a work queue of a plug-in raises, its master goes on and names it."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.environment import Environment
from concurrent.scheduling.schedulers.queueguard import GuardedQueue, guarded
from concurrent.scheduling.schedulers.workqueues import SessionWorkQueue
from concurrent.scheduling.wire.workqueue import Chunk

CHUNK = Chunk(1, 0, [1], [b"task"])


class Failing(SessionWorkQueue):
    """Raises what the test says in each method."""

    error: BaseException | None = None

    def __getattribute__(self, name: str) -> Any:
        error = type(self).error
        if error is not None and name in ("put", "pull", "forget", "waiting_count", "close"):
            raise error
        return super().__getattribute__(name)


@pytest.fixture
def env() -> Environment:
    return Environment(variables={})


def test_the_queues_of_the_framework_are_used_as_they_are(env: Environment) -> None:
    queue = SessionWorkQueue()
    assert guarded(queue, env) is queue


def test_a_queue_of_a_plugin_does_what_it_did(env: Environment) -> None:
    queue = guarded(Failing(), env)
    taken: list[Chunk] = []
    queue.put(CHUNK)
    assert queue.waiting_count() == 1
    queue.pull(1, taken.append, 1)
    assert taken == [CHUNK]
    assert queue.description() == {"kind": "session"}
    queue.forget(1)
    queue.close()
    assert env.troubles.status() == ()


@pytest.mark.parametrize("error", [KeyError("a bug"), SystemExit(7), KeyboardInterrupt()])
def test_what_it_raises_is_noted_and_goes_no_further(
    env: Environment, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    queue = GuardedQueue(Failing(), env)
    monkeypatch.setattr(Failing, "error", error)
    queue.put(CHUNK)
    queue.pull(1, lambda chunk: None, 1)
    queue.forget(1)
    assert queue.waiting_count() == 0
    queue.close()
    troubles = env.troubles.status()
    assert [one.rule for one in troubles] == ["put", "pull", "forget", "waiting_count", "close"]
    assert {one.component for one in troubles} == {f"{__name__}.Failing"}
