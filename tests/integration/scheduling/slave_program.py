"""A program like a slave: a zygote and a pool whose tasks start daemons. It runs until it is killed."""

from __future__ import annotations

import sys
import threading

import concurrent_framework  # noqa: F401  # joins the packages
from concurrent.scheduling.processes.zygote import Zygote
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.scheduling import workloads
from tests.integration.scheduling.pool_user import PoolUser

WORKERS = 2


def main(port: int, has_copy: bool) -> None:
    zygote = Zygote.start()
    if has_copy:  # a process that holds the slave's end of every socket for a while
        import os

        if os.fork() == 0:
            workloads.hold(port)
            os._exit(0)
    loop = NodeLoop("slave-loop")
    loop.start()
    zygote.attach(loop)
    user = PoolUser(loop, zygote, WORKERS, [])
    user.push(*[(workloads.daemonise, port)] * WORKERS)
    print(zygote.pid, flush=True)
    threading.Event().wait(60)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "copy")
