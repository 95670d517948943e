"""The push socket of a master: what a slave that is lost, or only frozen, had in its pipe."""

from __future__ import annotations

import queue

from concurrent.scheduling.wire.workqueue import Chunk, PullSocket, PushSocket
from concurrent.transport.loop.loop import NodeLoop

TIMEOUT_S = 20.0


def test_a_frozen_slave_swallows_nothing_once_it_is_forgotten(loop: NodeLoop) -> None:
    def call(fn, *args):
        return loop.call(fn, *args, timeout_s=TIMEOUT_S)

    taken: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
    push = call(PushSocket, loop, "127.0.0.1")
    frozen = call(PullSocket, loop, "127.0.0.1", push.port, taken.put, lambda: False)
    port = push.port
    call(push.forget, 1)
    call(frozen.close)  # it comes back to its senses only after it was forgotten
    assert push.port == port
    honest = call(PullSocket, loop, "127.0.0.1", port, taken.put, lambda: True)
    for number in range(20):
        call(push.put, Chunk(1, 0, [number], [b"task"]))
    assert [taken.get(timeout=TIMEOUT_S).numbers for _ in range(20)] == [[number] for number in range(20)]
    call(honest.close)
    call(push.close)
