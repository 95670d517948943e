"""What all nodes share: an id, a loop, statistics, a launcher, a way to be stopped, an orderly end."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.api import EXIT_INTERRUPTED, EXIT_OK, NodeType
from concurrent.apps.nodeviews import NodeViews
from concurrent.apps.openness import say_open
from concurrent.apps.status import ITS_USER, UNPROTECTED, NodeStatus, Ping
from concurrent.apps.stopsignals import StopSignals
from concurrent.apps.transportsettings import TransportSettings
from concurrent.apps.version import VERSION
from concurrent.core.component import Component
from concurrent.core.errors import ComponentError, ConcurrentError, NodeError
from concurrent.core.foreign import calling_foreign_code, place_raised, shown
from concurrent.core.ids import new_node_id
from concurrent.core.leaving import end_copy, exit_code_of
from concurrent.core.logs import LogSettings
from concurrent.core.process.garbage import collecting_rarely
from concurrent.core.stats import Stats
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.processes.spawn import start_launcher
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import jsonremote
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.auditing import NO_AUDIT, IAudit
from concurrent.transport.security.hosts import check_host
from concurrent.transport.security.place import place_of
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import OBSERVERS
from concurrent.transport.security.trust import Trust
from concurrent.transport.session.limits import raise_files_max
from concurrent.transport.web.admission import ITokens
from concurrent.transport.web.joindesk import IRegistrar
from concurrent.transport.web.service import JSONService

if TYPE_CHECKING:
    from socket import socket

if sys.platform != "win32":
    import resource

__all__ = ["INTERRUPTED", "Node", "check_made", "peak_memory_bytes", "raise_error"]

CALL_TIMEOUT_S: Final = 5.0

INTERRUPTED: Final = "interrupted"
"""How a node has ended that a signal has ended."""


class Node(Component):
    """The base of master, slave and application.

    The life of a node: :meth:`run` calls :meth:`start`, ``app_main`` and :meth:`stop`, all in the main
    thread. What ``start`` opens is put on ``self._open`` and closed in reverse order.

    ``node_id``, ``loop``, ``stats``, ``trust`` and ``launcher`` belong to the node; other threads use
    ``loop.call`` and ``loop.post`` to reach what is owned by the loop.
    """

    abstract = True
    node_type: NodeType
    preload: tuple[str, ...] = ()
    """Modules that the children of this node shall have imported from the start."""

    hash_seed: int | None = None
    """What hashes of text depend on in the children of this node; None: as in this process, if that can be."""

    def __init__(self) -> None:
        """Nothing runs before ``start``."""
        self.node_id = new_node_id(self.node_type.value, self.given_name())
        self.stats = Stats()
        self.loop = NodeLoop(self.node_id, on_failed=self.loop_failed)
        self.launcher: Launcher
        self.protection = Protection()
        """What its connections pass through."""
        self.started_at = 0.0
        self.ending = INTERRUPTED
        """How the node has ended, once it has."""
        self._open = ExitStack()
        self._pid = os.getpid()
        self._inbox = Inbox()
        self._exit_code: int | None = None
        self._views: NodeViews

    def given_name(self) -> str:
        """Return what the configuration calls this node; empty if it has no name."""
        return ""

    @property
    def trust(self) -> Trust:
        """Whom this node trusts no more."""
        return self.protection.trust

    @property
    def settings(self) -> TransportSettings:
        """The options of the node's connections."""
        return self.env[TransportSettings]

    def run(self, ready: Callable[[], object] | None = None) -> int:
        """Start the node, do its work until that is done or a signal comes, and free everything.

        Main thread. The first SIGINT or SIGTERM ends the node in good order, the second one at once. So does
        ``sys.exit`` in whatever runs in the main thread; another exception ends the node and passes through.

        :param ready: called when the node has started.
        :returns: the exit code.
        """
        check_made(self)
        with StopSignals(self.interrupt):
            try:
                code = self._run_main(ready)
            except KeyboardInterrupt:
                code = EXIT_INTERRUPTED
            except SystemExit as ending:
                if self._inbox.failure is not None:  # of a callback within a push
                    self.ending = f"it raised {type(self._inbox.failure).__name__}"
                    raise self._inbox.failure from None
                code = exit_code_of(ending)
                self.ending = f"exit code {self._exit_code or code}"
            except BaseException as error:  # boundary: it passes through, and the master is told
                self.ending = f"it raised {type(error).__name__}"
                raise
            else:
                code = self._exit_code or code or EXIT_OK
                self.ending = f"exit code {code}"
            finally:
                self.stop()
        return self._exit_code or code

    def _run_main(self, ready: Callable[[], object] | None) -> int | None:
        try:
            self.start()
            self._open.enter_context(collecting_rarely())  # this process is the node's
            if ready is not None:
                ready()
            code = self.app_main()
        except BaseException as error:  # boundary: an error of a forked copy is not the node's
            end_copy(self._pid, error)
            raise
        end_copy(self._pid)
        return code

    def start(self) -> None:
        """Open everything. Main thread; before any other thread of the program where that can be."""
        self.started_at = time.time()
        self._inbox.begin()
        self._open.callback(self.env.close)
        try:
            self.launcher = self.make_launcher()
            self._open.callback(self.launcher.stop)
            raise_files_max()  # of this process: tasks have what it was started with
            self.loop.start()
            self._open.callback(self.loop.stop)
            self.launcher.attach(self.loop)
            self.open()
            self.prepare()
        except BaseException:  # boundary: whatever it is, what was opened is closed
            self.stop()
            raise

    def make_launcher(self) -> Launcher:
        """Start what starts the children of this node. Main thread, before any thread and socket."""
        return start_launcher(self.preload, self.hash_seed)

    def prepare(self) -> None:
        """Have a derived node prepare. Main thread.

        :raises NodeError: if that raises anything but an error of the framework, an exit included.
        """
        with self.calling(self, "app_init"):
            self.app_init()

    def open(self) -> None:
        """Open what this kind of node has. Main thread."""

    def register_methods(self) -> None:
        """Register more methods before the servers start; for derived nodes."""

    def register_own_methods(self) -> None:
        """Have a derived node register its methods.

        :raises NodeError: if that raises anything but an error of the framework.
        """
        with self.calling(self, "register_methods"):
            self.register_methods()

    def calling(self, component: object, method: str) -> AbstractContextManager[None]:
        """Return the context in which a method is called that a plug-in may have written.

        :raises NodeError: in the context, if something else than an error of the framework is raised; it names
            the component, the method and the place.
        """
        name = self.env.name_of(type(component))

        def failure(error: BaseException) -> NodeError:
            return NodeError(
                f"{name}.{method} raised {shown(error)} ({place_raised(error)})",
                thing=name,
                remedy="Correct the plug-in; --debug shows the traceback",
            )

        return calling_foreign_code(failure, passing=(ConcurrentError,))

    def make_json_service(
        self,
        title: str,
        host: str,
        port: int,
        keys: Protection,
        *,
        tokens: ITokens | None = None,
        registrar: IRegistrar | None = None,
        audit: IAudit = NO_AUDIT,
    ) -> None:
        """Make the node's JSON API, ``api_service_v1``, and take its port and its place.

        Methods can be registered until it starts. ``protection`` is what protects the node from then on.

        :param keys: has the keys of this node, if it has any.
        :param tokens: knows the tokens of the cluster.
        :param registrar: lets new members join.
        :param audit: told who has logged in, and who was refused.
        :raises ConfigurationError: if the address cannot be listened on, or is not safe without keys.
        """
        check_host(host, allow_insecure=keys.is_open or keys.tls is not None)
        service = JSONService(
            self.node_id,
            host=host,
            port=port,
            title=title,
            stats=self.stats,
            protection=keys,
            names=self.settings.names,
        )
        self.api_service_v1 = service
        self._open.callback(service.stop)
        place = place_of(service.bind())
        place.make()
        self.protection = replace(keys, place=place)
        service.protect(self.protection, tokens=tokens, registrar=registrar, audit=audit)
        if self.protection.is_open:
            self.loop.post(say_open, self.loop, self.node_id)
        jsonremote(service, "login_code", roles=OBSERVERS)(self._login_code)
        self._views = NodeViews(
            self.api_service_v1,
            self.loop,
            title,
            ping=self.ping(),
            snapshot=self.snapshot,
            stats=self.stats,
        )

    def _login_code(self, request: Request) -> str:
        """Return a code by which a browser becomes whoever asks for it, once and soon."""
        return self.api_service_v1.logins.code_for(request.identity)

    def start_json_service(self) -> None:
        """Open the JSON API.

        :raises ConfigurationError: if its address cannot be listened on.
        """
        self.api_service_v1.start()
        self._open.callback(self.api_service_v1.stop)
        if self.protection.place is not None:
            self._open.callback(self.protection.place.remove)  # while no other node can have the port

    def child_recipe(self) -> dict[str, Any]:
        """Return the environment for a node that this one starts for itself: as this one, and as talkative."""
        level = logging.getLevelName(logging.getLogger("concurrent").getEffectiveLevel())
        return self.env.recipe({"logging.level": level.lower()})

    @property
    def log_format(self) -> str:
        """How it and the processes of its own write their logs."""
        return self.env[LogSettings].format

    def ping(self) -> Ping:
        """Return who this is. Any thread."""
        return Ping(self.node_id, self.node_type.value, VERSION, os.getpid())

    def status(self) -> dict[str, Any]:
        """Return what the node is doing, or did a moment ago. Any thread but the loop's.

        :raises CallTimeout: if the loop is held up.
        """
        return self._views.status()

    def snapshot(self) -> dict[str, Any]:
        """Return what the node is doing, as plain values; derived nodes may add some. Loop thread only."""
        return self.own_status().to_json()

    def own_status(self) -> NodeStatus:
        """Return what the framework knows of what the node is doing. Loop thread only."""
        return NodeStatus(
            **vars(self.ping()),
            started_at=self.started_at,
            memory_bytes_max=peak_memory_bytes(),
            plugin_troubles=self.env.troubles.status(),
            protected_by=self._protected_by,
        )

    @property
    def _protected_by(self) -> str:
        """What lets nobody in but whom it should, for people."""
        protection = self.protection
        if protection.is_open:
            return UNPROTECTED
        return f"the keys of cluster {protection.tls.cluster}" if protection.tls else ITS_USER

    def app_init(self) -> None:
        """Prepare; see :class:`~concurrent.apps.api.IApp`."""

    def app_main(self) -> int | None:
        """Serve until the node is told to stop. Main thread."""
        self._work_inbox()
        return None

    def stop(self) -> None:
        """Close everything that was opened, the newest first; may be repeated. Not the loop's thread.

        It does nothing in a forked copy, which would end what the node itself goes on with.
        """
        if os.getpid() == self._pid:
            self._open.pop_all().close()

    def loop_failed(self, error: BaseException) -> None:
        """The loop ended by itself: end the node, for nothing would come any more. Loop thread."""
        problem = NodeError(f"the node cannot go on, its loop has failed: {shown(error)}", thing=self.node_id)
        self._inbox.put(partial(raise_error, problem))

    def request_stop(self, exit_code: int = EXIT_OK) -> None:
        """Have ``app_main`` end as soon as it looks. Any thread, signal handlers too."""
        self._inbox.put(partial(self._set_exit_code, exit_code))

    def stop_when_closed(self, control: socket) -> None:
        """Have the node stop when the other end of a socket is closed. Any thread."""

        def closed() -> None:
            self.loop.remove_reader(control)
            self.request_stop()

        self.loop.call(self.loop.add_reader, control, closed, timeout_s=CALL_TIMEOUT_S)

    def _set_exit_code(self, exit_code: int) -> None:
        if self._exit_code is None:
            self._exit_code = exit_code
        self._inbox.end()

    def _work_inbox(self) -> None:
        """Run what is put into the inbox, one after the other, until the node is told to stop."""
        while self._exit_code is None:
            self._inbox.run_next()

    def interrupt(self) -> None:
        """A first signal came. Main thread, between any two instructions; servers just stop serving."""
        self.request_stop()


def check_made(node: Node) -> None:
    """Raise ComponentError unless the node's own ``__init__`` has called that of its base."""
    if "_open" not in vars(node):
        name = type(node).__name__
        raise ComponentError(
            f"{name}.__init__ does not call super().__init__()",
            thing=name,
            remedy="Add that as its first line, or prepare in app_init instead",
        )


def raise_error(error: Exception) -> None:
    """Raise ``error``; put into an inbox, it ends the node with it."""
    raise error


def peak_memory_bytes() -> int | None:
    """Return the most resident memory that this process has had; None where that is not known.

    From getrusage(2), whose unit is 1 KiB, but 1 byte on macOS.
    """
    if sys.platform == "win32":
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
