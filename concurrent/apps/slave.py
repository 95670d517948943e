"""The slave: owns worker processes and has them run the tasks of its master."""

from __future__ import annotations

import os
import re
import socket
import sys
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from concurrent.apps.access import ROLES_BY_TYPE, Way
from concurrent.apps.api import PORT_DEFAULT, IApp, NodeType, reachable_port
from concurrent.apps.childrun import run_child
from concurrent.apps.masteraddress import MasterAddress, MasterItem, address_file_of, find_master, source_of
from concurrent.apps.masterlink import Joined, MasterLink
from concurrent.apps.node import Node, raise_error
from concurrent.apps.nodeclass import node_class, task_manager_class
from concurrent.apps.registry import check_data
from concurrent.apps.runtime import describe_runtime
from concurrent.apps.slavefiles import check_files
from concurrent.apps.slavelog import keep_log, tell_log
from concurrent.apps.status import SlaveStatus
from concurrent.core.environment import Environment
from concurrent.core.errors import CallTimeout, ConcurrentError, InvalidArguments, NodeError
from concurrent.core.interface import implements, is_older
from concurrent.core.items import ConfigItem, FloatItem, Host, IntItem, PathItem
from concurrent.core.loggers import get_log
from concurrent.core.logring import LogRing
from concurrent.core.process.cores import core_count
from concurrent.core.process.identity import this_process
from concurrent.core.process.machine import Machine
from concurrent.scheduling.interfaces import ITaskManager
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.processes.otherpython import look_at
from concurrent.scheduling.processes.spawn import start_launcher
from concurrent.scheduling.slave.cluster import Cluster
from concurrent.scheduling.slave.gpus import find_gpus
from concurrent.scheduling.slave.offer import NOTHING, ResourcesItem, doubt_of, offer_of
from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.shortage import is_short
from concurrent.scheduling.slave.status import WorkersStatus
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.security.hosts import is_loopback

__all__ = ["SlaveNode", "serve_child"]

CALL_TIMEOUT_S: Final = 10.0
NAME_LENGTH_MAX: Final = 40
FAREWELL_S: Final = 2.0

log = get_log(__name__)


class _NameItem(ConfigItem[str]):
    """A name for people, which is a part of the node's id."""

    @property
    def allowed(self) -> str:
        """What may be in a name."""
        return f"at most {NAME_LENGTH_MAX} ASCII letters, digits, dots, dashes and underscores, or nothing"

    def parse(self, text: str, folder: Path) -> str:
        """Return the name."""
        if not re.fullmatch(rf"[A-Za-z0-9_.-]{{0,{NAME_LENGTH_MAX}}}", text):
            raise ValueError(text)
        return text


class SlaveNode(Node):
    """Owns worker processes and has them run the tasks of its master, which says by which task manager."""

    implements(IApp)

    node_type = NodeType.slave
    preload = ("concurrent.scheduling.worker.worker",)

    master = MasterItem(
        "slave", "master", "",
        "Address HOST:PORT of the master's JSON API; joined: that of the cluster that this user has joined; "
        "@FILE: the address is in that file. The environment variable CONCURRENT_MASTER sets it too. "
        f"Empty: that of the cluster that was joined, else 127.0.0.1:{PORT_DEFAULT}.",
    )  # fmt: skip
    name = _NameItem(
        "slave", "name", "",
        "Name of this slave in logs, in the status and on pages; strategies see it too. "
        "Empty: the name of its machine.",
    )  # fmt: skip
    workers = IntItem(
        "slave", "workers", 0, "How many tasks run at once, each in a worker process. 0: one per core.",
        minimum=0, maximum=4096,
    )  # fmt: skip
    resources = ResourcesItem(
        "slave", "resources", {},
        "What tasks can ask for here, besides a place: gpu=2, licence=1. Memory and GPUs are found if they are "
        "not said: what the machine or a limit of this slave's control group allows, and the devices that "
        "CUDA_VISIBLE_DEVICES or the like names, or else the driver of NVIDIA knows. 0: none of that.",
    )  # fmt: skip
    host = ConfigItem("slave", "host", "127.0.0.1", "Address of the slave's own JSON API.")
    port = IntItem(
        "slave", "port", 0, "Port of the slave's own JSON API and pages. 0: any free port.",
        minimum=0, maximum=65535,
    )  # fmt: skip
    python = PathItem(
        "slave", "python", "",
        "The interpreter of the workers: the python in the bin folder of an environment, of the same minor "
        "version as the slave's own. Concurrent need not be installed there. Empty: the slave's own.",
    )  # fmt: skip
    stop_timeout_s = FloatItem(
        "slave", "stop_timeout_s", 30.0,
        "How long running tasks may go on when the slave is told to stop. Then they are killed and run "
        "at another slave.",
        minimum=0.0, unit="seconds",
    )  # fmt: skip

    is_own = False
    """Whether its master has started it for itself."""

    def __init__(self) -> None:
        """Nothing runs before ``start``."""
        super().__init__()
        self._manager: ITaskManager | None = None
        self._cluster: Cluster | None = None
        self._told_window: object = None
        self._offer = NOTHING
        self._log_ring = LogRing()

    def given_name(self) -> str:
        """Return the configured name."""
        return self.name

    @cached_property
    def master_address(self) -> MasterAddress:
        """Where its master is: as configured, else that of the cluster that was joined, else here.

        :raises ConfigurationError: if that is not clear, or is in a file that is not there.
        """
        return find_master(self.master, source_of(self.config, "slave"), self.settings.access())

    @property
    def worker_count(self) -> int:
        """How many worker processes this slave has."""
        return self.workers or core_count()

    def make_launcher(self) -> Launcher:
        """See the base; the workers are of the interpreter that is configured.

        :raises ConfigurationError: if that cannot be used.
        """
        python = look_at(os.path.abspath(self.python)) if self.python is not None else None
        return start_launcher(self.preload, self.hash_seed, python)

    def open(self) -> None:
        """Open the JSON API and begin to look for the master.

        :raises ConfigurationError: if its address cannot be listened on, too few files can be open, or it shall
            offer more GPUs than it has.
        """
        self._open.callback(keep_log(self._log_ring))
        check_files(self.worker_count)
        memory_bytes = Machine().memory_bytes()
        self._offer = offer_of(self.resources, find_gpus(os.environ), memory_bytes)
        if doubt := doubt_of(self.resources, memory_bytes):
            log.warning("%s", doubt)
        master, source = self.master_address
        access = self.settings.access()
        roles = ROLES_BY_TYPE[self.node_type]
        is_alone = self.is_own and is_loopback(self.host)  # its place is all that it needs
        way = access.way_to_own(master) if is_alone else access.way(master, roles, source)
        tokens = None if is_alone else access.tokens(master)
        self.make_json_service("Concurrent slave", self.host, self.port, way.protection, tokens=tokens)
        self.register_own_methods()
        self.start_json_service()
        self.link = MasterLink(
            self.loop,
            way,
            node_id=self.node_id,
            node_type=self.node_type,
            http_port=reachable_port(self.host, self.api_service_v1.port, master),
            describe=self._describe,
            register_methods=self._register_task_methods,
            prepare=self._prepare,
            on_joined=self._joined,
            on_left=self._left,
            on_refused=self._refused,
            stats=self.stats,
            limits=self.settings.limits(),
            components=self.env,
            find_way=self._way_elsewhere,
        )
        self._open.callback(self._close_manager)
        self._open.callback(self.link.stop)
        self._open.callback(self._drain)
        self.link.start()
        where = "" if is_alone else f" (from {source})"
        log.info("the slave has %d workers; its master is at %s%s", self.worker_count, master, where)
        log.info("it offers %s", self._offer)
        if self.launcher.python is not None:
            log.info("its workers run on %s", self.launcher.python.executable)

    def _way_elsewhere(self, address: Host) -> Way | None:
        """Return the way to the master if its address file names another address by now. Loop thread.

        :raises ConcurrentError: if it names none, or there is no key for that.
        """
        if address_file_of(self.master) is None:
            return None
        access = self.settings.access()
        master, source = find_master(self.master, source_of(self.config, "slave"), access)
        return access.way(master, ROLES_BY_TYPE[self.node_type], source) if master != address else None

    def register_methods(self) -> None:
        """Register more methods with ``api_service_v1``; for derived nodes."""

    def describe(self) -> dict[str, Any]:
        """Return what the slave says of itself when it registers. Loop thread only."""
        return {
            "workers": self.worker_count,
            "window": self._first_window() if self._manager is None else self._manager.window(),
            "resources": self._offer.as_map(),
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "name": self.name,
            "process": this_process(),
            **describe_runtime(),
        }

    def _first_window(self) -> int:
        """Return how many tasks the slave wants to hold, before the master has said what runs them."""
        from concurrent.scheduling.slave.workersettings import WorkerSettings  # no master needs its modules

        reserve_bytes = self.env[WorkerSettings].memory_reserve
        return 0 if is_short(Machine().free_bytes(), reserve_bytes) else Pace().window(self.worker_count)

    def _describe(self) -> dict[str, Any]:
        """Return what the slave says of itself, also if a plug-in has something to add.

        :raises NodeError: if that fails, or is nothing that a master takes.
        """
        with self.calling(self, "describe"):
            data = self.describe()
        try:
            check_data(data)
        except InvalidArguments as error:
            name = self.env.name_of(type(self))
            raise NodeError(f"{name}.describe: {error.message}", thing=name, remedy=error.remedy) from error
        self._told_window = data.get("window")
        return data

    def own_status(self) -> SlaveStatus:
        """Return what the slave is doing. Loop thread only."""
        manager = self._manager
        return SlaveStatus(
            **vars(super().own_status()),
            master=str(self.link.address),
            state=self.link.state,
            waits_for=self.link.waits_for,
            manager=type(manager).__name__ if manager is not None else None,
            workers=WorkersStatus.from_json(manager.snapshot()) if manager is not None else None,
        )

    def _prepare(self, answer: dict[str, Any]) -> None:
        """Have the task manager that the master asks for, with its workers started.

        :raises NodeError: if it is an older state of the cluster that this slave has worked for.
        """
        if self._cluster is not None:
            self._cluster.check_successor(Cluster.of(answer))
        name = answer["manager"]
        seed = answer.get("hash_seed")
        has_its_hashes = not isinstance(seed, int) or seed == self.launcher.hash_seed
        if type(self._manager).__name__ == name and has_its_hashes:
            return
        manager_class = task_manager_class(self.env, name)
        if self._manager is not None:
            self._manager.drain(0)
            self._manager.close()
            self._manager = None
        if isinstance(seed, int) and not has_its_hashes:
            if sys.flags.ignore_environment:
                log.warning(
                    "text has other hashes here than elsewhere in the cluster: Python runs with -E or -I"
                )
            self.launcher.take_hash_seed(seed)
        manager: ITaskManager = self.env[manager_class]  # type: ignore[assignment]
        with self.calling(manager, "open"):
            if is_older(type(manager), ITaskManager, "open"):
                manager.open(self.loop, self.launcher, self.worker_count)  # type: ignore[call-arg]
            else:
                manager.open(self.loop, self.launcher, self.worker_count, self._offer)
        self._manager = manager

    @property
    def _the_manager(self) -> ITaskManager:
        assert self._manager is not None, "prepared before the session is opened"
        return self._manager

    def _register_task_methods(self, client: SessionClient) -> None:
        tell_log(client, self._log_ring)
        with self.calling(self._the_manager, "register_methods"):
            self._the_manager.register_methods(client)

    def _joined(self, joined: Joined) -> None:
        manager, work = self._the_manager, joined.answer["work"]
        cluster = self._cluster = Cluster.of(joined.answer)
        with self.calling(manager, "joined"):
            if is_older(type(manager), ITaskManager, "joined"):
                manager.joined(joined.handler, joined.host, work)  # type: ignore[call-arg]
            else:
                manager.joined(joined.handler, joined.host, work, cluster)
            window = manager.window()
        if window != self._told_window:
            Courier(self.loop).cast(joined.handler, to_master.set_window, window)

    def _left(self, reason: str) -> None:
        with self.calling(self._the_manager, "left"):
            self._the_manager.left()

    def _refused(self, error: ConcurrentError) -> None:
        """End: no master of this kind will ever take this slave in. Loop thread."""
        self._inbox.put(partial(raise_error, error))

    def _drain(self) -> None:
        """Finish or hand back what is here."""
        if self._manager is None:
            return
        timeout_s = self.stop_timeout_s
        try:
            drained = self.loop.call(self._begin_drain, self._manager, timeout_s=CALL_TIMEOUT_S)
            drained.result(timeout_s + FAREWELL_S)
        except (CallTimeout, FutureTimeoutError):
            pass  # the master finds out by itself
        except NodeError as error:
            log.error("what is here goes to others when the connection ends: %s", error)

    def _begin_drain(self, manager: ITaskManager) -> Future[None]:
        """Take nothing more, and say for what the slave waits. Loop thread only."""
        running = WorkersStatus.from_json(manager.snapshot()).running
        count = sum(number is not None for number in running.values())
        if count:
            log.info("waits for %d running tasks, at most %s s", count, self.stop_timeout_s)
        with self.calling(manager, "drain"):
            return manager.drain(self.stop_timeout_s)

    def _close_manager(self) -> None:
        if self._manager is not None:
            self.loop.call(self._manager.close, timeout_s=CALL_TIMEOUT_S)


def serve_child(control: socket.socket, recipe: dict[str, Any], master: str, workers: int) -> None:
    """Run a slave that another node starts for itself; see ``childnode.py``.

    :param master: the address of the master's JSON API.
    """
    own = {"slave.master": master, "slave.workers": str(workers), "slave.port": "0"}

    def make() -> SlaveNode:
        env = Environment.from_recipe(recipe, own)
        slave: SlaveNode = env[node_class(env, "slave", SlaveNode)]
        slave.is_own = True
        return slave

    run_child(make, control, lambda _node: ["slave"])
