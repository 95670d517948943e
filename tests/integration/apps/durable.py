"""What tests of masters with a journal share: programs with jobs and slaves, as peers that the test plays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from concurrent.apps import MasterNode
from concurrent.apps.jobwish import JobAnswer, JobWish, answer_from
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.transport.web.jsonclient import JSONClient
from tests.integration.apps.peers import TIMEOUT_S, Peer

MakeMaster = Callable[..., MasterNode]
MakePeerAt = Callable[..., Peer]


def attach(peer: Peer, **wish: Any) -> JobAnswer:
    """Register a peer, and attach it to a job."""
    answer = peer.register("application")
    assert answer["jobs"] is True
    return answer_from(peer.call("attach_job", peer.node_id, JobWish(**wish).as_map()))


def crashed(tmp_path: Path, master: MasterNode, image: str = "image") -> str:
    """Return the name of a folder with the journal as a master leaves it that is killed now."""
    shutil.copytree(tmp_path / "journal", tmp_path / image)
    (tmp_path / image / "lock").unlink()
    master.stop()
    return image


def ask(master: MasterNode, method: str, *args: Any) -> Any:
    with closing(JSONClient("127.0.0.1", master.api_service_v1.port, protection=master.protection)) as api:
        return api.call(method, *args, timeout_s=TIMEOUT_S).result(TIMEOUT_S)


def work(slave: Peer, count: int) -> None:
    """Have a slave do so many tasks or a few more, each of which returns its payload."""
    while count > 0:
        _owner, _code_count, numbers, payloads = slave.next("run")
        slave.call("done", numbers, [FINISHED] * len(numbers), payloads, 0.1)
        count -= len(numbers)


def outcomes(program: Peer, count: int) -> dict[int, tuple[int, bytes]]:
    """Wait for so many outcomes of a program; return the status and the payload of each by its id."""
    found: dict[int, tuple[int, bytes]] = {}
    while len(found) < count:
        ids, statuses, payloads, _accepted_to = program.next("finished")
        for task_id, status, payload in zip(ids, statuses, payloads, strict=True):
            assert task_id not in found, "it came twice"
            found[task_id] = status, bytes(payload)
    return found


def push(program: Peer, first_id: int, *payloads: bytes) -> None:
    """Push tasks, and wait until they are accepted."""
    program.call("push_tasks", first_id, 0, [[0, {}]], list(payloads))
    assert program.next("accepted") == (first_id + len(payloads) - 1,)


def a_slave(make: MakePeerAt, master: MasterNode, node_id: str = "slave-1", **options: Any) -> Peer:
    """Return a slave that has joined."""
    slave = make(master, node_id, **options)
    slave.join("slave", workers=1, window=5)
    return slave
