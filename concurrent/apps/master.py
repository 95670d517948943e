"""The master: accepts tasks and task systems, has slaves run them, and brings the outcomes home."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.addressfile import keep_address
from concurrent.apps.api import EXIT_JOURNAL, PORT_DEFAULT, IApp, NodeType
from concurrent.apps.attaching import Attaching, JobSettings
from concurrent.apps.forpeople import register_for_people
from concurrent.apps.hosting import HostingSettings
from concurrent.apps.jobsapi import JobsAPI
from concurrent.apps.jobwish import JobWish
from concurrent.apps.joining import register_joining
from concurrent.apps.masterapi import WINDOW_MAX, MasterAPI
from concurrent.apps.masterjournal import NO_DURABILITY, open_journal, what_is_kept
from concurrent.apps.neighbours import Neighbours
from concurrent.apps.node import Node, raise_error
from concurrent.apps.ownslave import PRELOAD, OwnSlave
from concurrent.apps.registry import NodeRecord, NodeRegistry, check_number, new_record
from concurrent.apps.resourcesettings import ResourceSettings
from concurrent.apps.revocation import Revocation
from concurrent.apps.runtime import check_runtime, why_not_of_this
from concurrent.apps.status import MasterStatus
from concurrent.core.errors import JournalError, NodeError, NotAllowed, VersionMismatch
from concurrent.core.extensionitems import ExtensionPointItem
from concurrent.core.interface import implements
from concurrent.core.items import ConfigItem, Host, IntItem, PathItem
from concurrent.core.loggers import get_log
from concurrent.core.process.cores import core_count
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling.interfaces import ITaskScheduler
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.hosts import Reach
from concurrent.scheduling.master.systems import SystemHosts
from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
from concurrent.scheduling.schedulers.workqueues import WorkPlace, work_queue_of
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.carriers.channels import CHANNELS, SocketPlace, with_keys
from concurrent.transport.carriers.server import SessionServer
from concurrent.transport.security.auditing import NO_AUDIT, REFUSED, IAudit
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.ownaddress import near_address
from concurrent.transport.security.protection import Protection

if TYPE_CHECKING:
    from concurrent.apps.masterkeys import MasterKeys

__all__ = ["MasterNode"]

CALL_TIMEOUT_S: Final = 10.0
RESTORE_TIMEOUT_S: Final = 600.0
"""How long it may take to take up again what a journal has."""

JOIN_TIMEOUT_S: Final = 30.0
"""How long a session may last whose node does not join."""

WORKERS_MAX: Final = 4096

log = get_log(__name__)


class MasterNode(Node):
    """Accepts tasks and task systems, has slaves run them, and brings the outcomes home.

    Its loop owns the dispatcher, the registry and the task systems. ``api_service_v1`` is its JSON API and
    ``compute_server`` the server of its compute channel. A derived node registers more methods on both in
    ``register_methods``.
    """

    implements(IApp)

    node_type = NodeType.master
    preload: tuple[str, ...] = ("concurrent.scheduling.owner.systemhost",)

    host = ConfigItem("master", "host", "127.0.0.1", "Address that the master listens on.")
    port = IntItem(
        "master", "port", PORT_DEFAULT, "Port of the master's JSON API and pages. 0: any free port.",
        minimum=0, maximum=65535,
    )  # fmt: skip
    address_file = PathItem(
        "master", "address_file", "",
        "A file that has the address of the JSON API while the master runs, for --master @FILE. Empty: none.",
    )  # fmt: skip
    compute_port = IntItem(
        "master", "compute_port", 0,
        "Port of the compute channel. 0: any free port, which nodes learn from the JSON API. -1: none, so that "
        "only processes of this user on this machine can reach it.",
        minimum=-1, maximum=65535,
    )  # fmt: skip
    work_port = IntItem(
        "master", "work_port", 0,
        "Port of the ZeroMQ work queue of push/pull. 0: any free port. Without a compute port it has none.",
        minimum=0, maximum=65535,
    )  # fmt: skip
    workers = IntItem(
        "master", "workers", 0,
        "Above 0, the master is its own slave too, with this many worker processes. -1: one per core.",
        minimum=-1, maximum=WORKERS_MAX,
    )  # fmt: skip
    memory_bytes_max = IntItem(
        "master", "memory_bytes_max", 128 << 20,
        "Above this much data of unfinished tasks and undelivered results, the rest goes to files.",
        minimum=1 << 20, unit="bytes",
    )  # fmt: skip
    disk_bytes_max = IntItem(
        "master", "disk_bytes_max", 16 << 30,
        "Above this much data in files, applications have to wait.", minimum=0, unit="bytes",
    )  # fmt: skip
    folder = PathItem(
        "master", "folder", "", "Where these files are. Empty: the system's folder for temporary files."
    )
    scheduler = ExtensionPointItem(
        "scheduling", "scheduler", ITaskScheduler, GenericTaskScheduler.__name__,
        "Which slave gets which task: GenericTaskScheduler (the master chooses; for machines that differ) "
        "or ZMQTaskScheduler (slaves pull; for machines that are alike).",
    )  # fmt: skip

    def __init__(self) -> None:
        """Nothing runs before ``start``."""
        super().__init__()
        self.registry = NodeRegistry()
        self.audit: IAudit = NO_AUDIT
        self._keys: MasterKeys | None = None
        self._first_slave: Future[None] = Future()

    def start(self) -> None:
        """Open everything; what an own slave needs is imported meanwhile. Main thread."""
        if self.worker_count:
            self.preload += PRELOAD
        super().start()

    def open(self) -> None:
        """Open the compute channel, then the JSON API, then start the own slave if there is one.

        :raises ConfigurationError: if an address cannot be listened on, or too few files can be open.
        """
        settings = self.settings
        self._open_journal()
        self._open_json_service()
        self._carriers = settings.channel
        self.protection = replace(with_keys(self._carriers, self.protection), allowed=self.registry.allowed)
        self.compute_server = self._carriers.make_server(
            self.loop,
            self.host,
            self._compute_port,
            node_id=self.node_id,
            stats=self.stats,
            limits=settings.limits(),
            protection=self.protection,
            bind_timeout_s=JOIN_TIMEOUT_S,
        )
        if self._journal is not None:
            self.compute_server.farewell = "it keeps what it has accepted for its next start"
        self.compute_server.start()
        self._open.callback(self.compute_server.stop)
        self.loop.call(self._open_scheduling, timeout_s=CALL_TIMEOUT_S)
        self.loop.call(self._restore, timeout_s=RESTORE_TIMEOUT_S)
        self.register_own_methods()
        register_joining(self)
        for owner in (self.api_service_v1, self.compute_server):
            owner.methods.on_refused = self._note_refusal
        self._jobs_api.register_methods(self.api_service_v1)
        register_for_people(self.api_service_v1, self.loop, self.dispatcher, self.registry, self.audit)
        if self._keys is not None:
            self._keys.begin()
        self.start_json_service()
        self._open.callback(self.loop.call, self._api.stop, timeout_s=CALL_TIMEOUT_S)
        self._open.callback(keep_address(self.address_file, self.host, self.api_service_v1.port))
        service, keys = self.api_service_v1, self._keys
        log.info("the master listens on %s", service.url if keys is None else keys.where(service))
        log.info("%s", what_is_kept(self.env, self._journal))
        if self.worker_count:
            self._start_own_slave()

    def _open_json_service(self) -> None:
        """Take the port of the JSON API, and the place, with the keys of the cluster."""
        title, access = "Concurrent master", self.settings.access()
        keys = None
        if self._compute_port >= 0:
            from concurrent.apps.masterkeys import keys_of_master  # no embedded cluster needs them

            keys = keys_of_master(self.loop, access, self.apply_revoked, self._is_connected)
        if keys is None:
            self.make_json_service(title, self.host, self.port, Protection(is_open=access.is_open))
            return
        self._keys = keys
        self.audit = keys.audit
        self._open.callback(keys.close)
        self.make_json_service(
            title,
            self.host,
            self.port,
            keys.protection,
            tokens=keys.tokens,
            registrar=keys.registrar,
            audit=keys.audit_of_threads,
        )

    def _is_connected(self, member: Identity) -> bool:
        """Whether a member has a session. Any thread."""
        return any(one.is_open and one.identity.key == member.key for one in self.compute_server.handlers)

    @property
    def _compute_port(self) -> int:
        """The port to take for computing; one that is open has one in any case."""
        return max(0, self.compute_port) if self.settings.allow_insecure else self.compute_port

    @property
    def zmq_server(self) -> SessionServer:
        """The server of the compute channel, under the name of old; it may be one of TCP."""
        return self.compute_server

    @property
    def worker_count(self) -> int:
        """How many worker processes the master has as its own slave."""
        return core_count() if self.workers < 0 else self.workers

    def register_methods(self) -> None:
        """Register more methods on ``api_service_v1`` and ``compute_server``; for derived nodes.

        A method by which nodes join, ``register_slave`` or ``register_application`` on either, takes the
        place of the framework's own.
        """

    def _note_refusal(self, request: Request, error: NotAllowed) -> None:
        """Have both logs say that somebody may not call a method. Any thread."""
        if self._keys is not None:
            self._keys.note_refused_call(request, error)

    def register_node(
        self,
        node_id: str,
        ip: str,
        port: int,
        data: dict[str, Any],
        node_type: NodeType,
        *,
        identity: Identity | None = None,
    ) -> dict[str, Any]:
        """Take note of a node that will open a session. Any thread.

        :param ip: where it called from.
        :param port: the port of its own JSON API, 0 if it has none.
        :param data: what it says of itself; a slave says ``workers`` and ``window``.
        :param identity: who asks for it, and then has to open its session; None: who has sent the request that
            this thread answers.
        :returns: where the compute channel is, and which task manager a slave has to use.
        :raises InvalidArguments: if something of that makes no sense.
        :raises VersionMismatch: if it runs another Python than this master.
        :raises NotAllowed: if somebody else has registered a node of that id, or with its key of CURVE.
        """
        identity = identity or self.api_service_v1.client_identity
        record = new_record(node_id, node_type, ip, port, data, identity=identity)
        try:
            check_runtime(node_id, data)
        except VersionMismatch as error:
            self.loop.call(self.registry.refuse, record, error.message, timeout_s=CALL_TIMEOUT_S)
            raise
        if node_type is NodeType.slave:
            check_number("workers", data, range(1, WORKERS_MAX + 1))
            check_number("window", data, range(WINDOW_MAX + 1))
        self.loop.call(self.registry.register, record, timeout_s=CALL_TIMEOUT_S)
        return {
            "master": self.node_id,
            "channel": self.settings.channel_name,
            "port": self.compute_server.port,
            "manager": self.dispatcher.manager_name,
            "work": self._work,
            "hash_seed": self.launcher.hash_seed,
            **self.protection.told,
            **self._durability(),
        }

    def _durability(self) -> dict[str, Any]:
        """Return what nodes are told that register: what they may count on if this master starts again."""
        journal = self._journal
        if journal is None:
            return {"cluster": "", "epoch": 0, "durability": NO_DURABILITY, "jobs": False, "return_s": 0.0}
        return {
            "cluster": journal.start.cluster_id,
            "epoch": journal.start.epoch,
            "durability": journal.place.durability,
            "jobs": True,
            "return_s": self.settings.return_s,
        }

    def register_node_tcp(self, handler: TCPHandler, request: Any, node_id: str, node_type: NodeType) -> int:
        """Bind a session to the node that registered before. Loop thread only.

        :returns: the number of the registration.
        :raises NodeError: if it did not register, or the session belongs to another node.
        :raises NotAllowed: if somebody else has registered it.
        """
        number = self._api.bind(handler, self._expect(handler, node_id, node_type))
        if node_type is NodeType.slave:
            if not self._first_slave.done():
                self._first_slave.set_result(None)
        return number

    def attach_job(self, handler: TCPHandler, node_id: str, wish: JobWish) -> Future[dict[str, Any]]:
        """Bind a session to a job of an application that registered before. Loop thread only.

        :returns: what it is answered.
        :raises NodeError: if it did not register, or cannot have the job.
        :raises NotAllowed: if somebody else has registered it.
        """
        return self._api.attach(handler, self._expect(handler, node_id, NodeType.application), wish)

    def _expect(self, handler: TCPHandler, node_id: str, node_type: NodeType) -> NodeRecord:
        return self.registry.expect(node_id, node_type, handler.identity, handler.peer_ip)

    def apply_revoked(self, serials: Iterable[str], gone: Collection[str] = ()) -> None:
        """Trust nobody with these certificates and tokens any more, and have all nodes do so. Loop thread only.

        Their sessions end, others get what a slave of theirs has, and jobs of who is gone are held.

        :param serials: all that were ever revoked.
        :param gone: the keys of identities, as ``role:name``, of which none is trusted.
        """
        self._revocation.apply(serials, gone)
        self.registry.release(gone)

    def wait_slave(self, timeout_s: float) -> bool:
        """Wait until a slave has joined, and return whether one has. Not the loop's thread.

        :raises NodeError: if the master's own slave cannot start.
        """
        is_settled = bool(wait([self._first_slave], timeout_s).done)
        if is_settled:
            self._first_slave.result()
        return is_settled

    def own_status(self) -> MasterStatus:
        """Return what the master is doing. Loop thread only."""
        tasks = self.dispatcher.status()
        numbers = {*(one.number for one in tasks.slaves), *(one.number for one in tasks.owners)}
        return MasterStatus(
            **vars(super().own_status()),
            channel=self.settings.channel_name,
            compute_port=self.compute_server.port,
            scheduler=self.dispatcher.scheduler_name,
            tasks=tasks,
            systems=self._systems.status(),
            system_count=self._systems.count,
            nodes=self.registry.status(numbers),
            node_count=len(self.registry),
            durability=self._durability_level,
            journal=self._journal.status() if self._journal is not None else None,
            jobs=tuple(self._jobs_api.rows(ROWS_MAX)),
            job_count=self._jobs_api.count,
        )

    @property
    def _durability_level(self) -> str:
        """What accepted work survives."""
        return self._journal.place.durability if self._journal is not None else NO_DURABILITY

    def _start_own_slave(self) -> None:
        """Start the slave that belongs to the master."""
        slave = OwnSlave(self.loop, self.launcher, self._first_slave, self._own_slave_failed)
        self._open.callback(slave.stop)
        address = Host(near_address(self.host), self.api_service_v1.port)
        slave.start(self.child_recipe(), str(address), self.worker_count)

    def _own_slave_failed(self, error: NodeError) -> None:
        self._inbox.put(partial(raise_error, error))

    def _open_journal(self) -> None:
        """Open the journal: after all that forks was forked, and to be closed after all that writes it."""
        self._journal = self.loop.call(
            open_journal, self.env, self.loop, self.port, timeout_s=RESTORE_TIMEOUT_S
        )
        if self._journal is not None:
            self._journal.on_failed = self._journal_failed
            self._open.callback(self.loop.call, self._journal.close, timeout_s=CALL_TIMEOUT_S)

    def _restore(self) -> None:
        """Take up again what the journal has; jobs whose code does not run here are held."""
        if self._journal is None:
            return
        self.dispatcher.restore()
        for job in list(self.dispatcher.ledger.owners.values()):
            if job.life is not None:
                self.dispatcher.jobs.fit(job, why_not_of_this(job.life.spec.fingerprint))
        self._systems.resume()

    def _journal_failed(self, error: JournalError) -> None:
        """Nothing that comes now could be kept: acknowledge nothing more, say so and end."""
        log.critical("%s; nothing is acknowledged any more, and this master ends", error)
        self.dispatcher.give_up()
        self.dispatcher.announcer.tell_all(f"the master ends, for {error.message}")
        self.request_stop(EXIT_JOURNAL)

    def _open_scheduling(self) -> None:
        """Make what the loop owns."""
        scheduler = self.scheduler
        limits = self.settings.limits()
        channel = self.settings.channel_name
        who_pulls = replace(self.protection, allowed=self.registry.pulling)
        socket_place = SocketPlace(self.loop, self.host, self.work_port, limits, who_pulls)
        with self.calling(scheduler, "work_queue"):
            self._work_queue = work_queue_of(scheduler, WorkPlace(channel, self._carriers, socket_place))
        self._open.callback(self.loop.call, self._work_queue.close, timeout_s=CALL_TIMEOUT_S)
        with self.calling(self._work_queue, "description"):
            self._work = self._work_queue.description()
        self.dispatcher = Dispatcher(
            self.loop,
            scheduler,
            self._work_queue,
            stats=self.stats,
            components=self.env,
            memory_bytes_max=self.memory_bytes_max,
            disk_bytes_max=self.disk_bytes_max,
            kept_bytes_max=self.env[JobSettings].memory_bytes_max,
            folder=self.folder,
            return_s=limits.return_s,
            tokens=self.env[ResourceSettings].tokens(),
            fails_infeasible=self.env[ResourceSettings].infeasible == "fail",
            lacking=self.env[ResourceSettings].lacking,
            journal=self._journal,
        )
        self._open.callback(self.loop.call, self.dispatcher.close, timeout_s=CALL_TIMEOUT_S)
        self._systems = SystemHosts(
            self.loop,
            self.launcher,
            self.dispatcher,
            self._reach(),
            on_owner=lambda session, number: self._api.own_system(session, number),
        )
        self._open.callback(self.loop.call, self._systems.close, timeout_s=CALL_TIMEOUT_S)
        self.dispatcher.announcer.on_held = self._systems.held
        self.dispatcher.jobs.on_forgotten = self._systems.application_left
        self._open_api(alike_max=max(1, limits.sessions_per_address_max * 3 // 4))

    def _open_api(self, *, alike_max: int) -> None:
        """Make what peers may call."""
        self.registry.audit = self.audit
        self._jobs_api = JobsAPI(
            self.loop, self.dispatcher, self._systems, self._durability_level, audit=self.audit
        )
        self._revocation = Revocation(
            self.trust, lambda: self.compute_server.handlers, self.dispatcher, self._systems, self.audit
        )
        attaching = None
        if self._journal is not None:
            attaching = Attaching(
                self.dispatcher,
                self._journal,
                self.env[JobSettings].keep_s,
                revocation=self._revocation,
                audit=self.audit,
            )
        neighbours = Neighbours(self.loop)
        self._open.callback(self.loop.call, neighbours.close, timeout_s=CALL_TIMEOUT_S)
        self._api = MasterAPI(
            self.registry,
            self.dispatcher,
            self._systems,
            alike_max=alike_max,
            neighbours=neighbours,
            may_host=self.env[HostingSettings].check,
            attaching=attaching,
            trust=self.trust,
        )
        self._api.register_methods(self.compute_server)
        self._watch_sessions(self._api)

    def _reach(self) -> Reach:
        """Return where the hosts of task systems find this master."""
        channel = self.settings.channel_name
        recipe = None if channel in CHANNELS else self.child_recipe()  # plug-ins take their time to load
        place = self.protection.place
        folder = str(place.folder) if place is not None else ""
        where = near_address(self.host), self.compute_server.port
        return Reach(channel, *where, folder, recipe, self.log_format)

    def _watch_sessions(self, api: MasterAPI) -> None:
        """Have the sessions of nodes followed from now on. Loop thread only."""

        def opened(handler: TCPHandler, is_new: bool) -> None:  # noqa: FBT001  as servers call it
            if not is_new:
                api.session_resumed(handler)

        def cut(handler: TCPHandler, is_silent: bool) -> None:  # noqa: FBT001  as servers call it
            api.session_cut(handler, is_silent=is_silent)

        def refused(who: str, error: NotAllowed) -> None:
            self.audit.write("connect", None, who, "compute channel", f"{REFUSED}: {error.message}")

        self.compute_server.on_open = opened
        self.compute_server.on_cut = cut
        self.compute_server.on_lost = api.session_lost
        self.compute_server.on_refused = refused
        self.compute_server.check_node = self.registry.check
