"""Tasks and results that do not fit into a message: ordinary errors of those tasks."""

import os

import pytest

from concurrent.apps import LocalCluster
from concurrent.core.errors import PayloadTooLarge
from tests.ways import both_ways

LIMIT = 8 << 20
OPTIONS = {"transport.message_bytes_max": str(LIMIT), "logging.level": "error"}


def make(size: int) -> bytes:
    return bytes(size)


@both_ways
def test_a_task_or_result_that_is_too_large_fails_alone(channel: str, scheduler: str) -> None:
    options = {**OPTIONS, "transport.channel": channel, "scheduling.scheduler": scheduler}
    with LocalCluster(2, own_modules=[__name__], options=options) as cluster:
        before = [cluster.submit(abs, -n) for n in range(10)]
        too_large_task = cluster.submit(len, bytes(LIMIT))
        too_large_result = cluster.submit(make, LIMIT)
        after = [cluster.submit(abs, -n) for n in range(10)]
        large = cluster.submit(make, LIMIT - 4096)
        for future in (too_large_task, too_large_result):
            with pytest.raises(PayloadTooLarge, match="message_bytes_max"):
                future.result(30)
        assert [future.result(30) for future in (*before, *after)] == [*range(10)] * 2
        assert len(large.result(30)) == LIMIT - 4096


def test_pushing_goes_on_after_tasks_that_were_too_large() -> None:
    with LocalCluster(1, options=OPTIONS) as cluster:
        for _ in range(5):
            futures = [cluster.submit(len, bytes(LIMIT)) for _ in range(2)]
            assert all(isinstance(future.exception(30), PayloadTooLarge) for future in futures)
        assert cluster.submit(os.getpid).result(30) > 0
