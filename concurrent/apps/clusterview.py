"""What an application asks the JSON APIs of its cluster, and waits for."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Any, Final

from concurrent.apps.access import OBSERVING, Access, Way
from concurrent.apps.api import NodeType
from concurrent.apps.status import ClusterStatus, MasterStatus, SlaveStatus
from concurrent.core.errors import ConcurrentError
from concurrent.core.items import Host
from concurrent.core.loggers import get_log

__all__ = ["cancel_job", "status_of_cluster"]

STATUS_TIMEOUT_S: Final = 5.0

log = get_log(__name__)


def status_of_cluster(address: Host, access: Access) -> ClusterStatus:
    """Return what a master and those of its slaves say that can be reached. Any thread but a loop's.

    :param address: that of the master's JSON API.
    :param access: has the keys that are needed.
    :raises ConcurrentError: if the master does not say.
    """
    master = MasterStatus.from_json(_get_status(access.way(address, OBSERVING)))
    addresses = [
        Host(node.ip, node.port)
        for node in master.nodes
        if node.type == NodeType.slave.value and node.state == "joined" and node.port
    ]
    slaves = []
    for one in addresses:
        with suppress(ConcurrentError):  # a slave may listen for its own machine only
            slaves.append(SlaveStatus.from_json(_get_status(access.way(one, OBSERVING), is_master=False)))
    return ClusterStatus(master, slaves)


def cancel_job(way: Way, job: str) -> None:
    """Have a master run nothing more of a job; a warning is logged if it does not answer.

    :param way: that to the master.
    :param job: its id.
    """
    with closing(way.client()) as client:
        try:
            client.proxy(STATUS_TIMEOUT_S).cancel_job(job).result()
        except ConcurrentError as error:
            log.warning("what is unfinished of job %s goes on: %s", job, error)


def _get_status(way: Way, *, is_master: bool = True) -> Any:
    with closing(way.client(is_master=is_master)) as client:
        return client.get("/status", timeout_s=STATUS_TIMEOUT_S).result()
