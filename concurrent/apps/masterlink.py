"""Keeps a slave or application registered with its master, whatever happens to either.

The node calls ``register_...`` of the master's JSON API, which answers where the compute channel is, and
then binds a session on that channel to the registration. A session that is cut is resumed by the
transport. When one has ended for good, everything begins again. Loop thread only, but for ``start`` and
``stop``.
"""

from __future__ import annotations

import threading
from asyncio import TimerHandle
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, NamedTuple

from concurrent.apps.api import NodeType
from concurrent.apps.messages import JOIN_BY_TYPE
from concurrent.apps.search import Search
from concurrent.core.backoff import Backoff
from concurrent.core.errors import ConcurrentError, LoopClosed, UnknownMethod, VersionMismatch, WrongServer
from concurrent.core.foreign import shown
from concurrent.core.items import PORT_MAX, Host
from concurrent.core.loggers import get_log
from concurrent.core.stats import Stats
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.carriers.channels import CHANNELS, make_client
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits
from concurrent.transport.web.jsonclient import JSONClient

__all__ = ["Joined", "MasterLink"]

CALL_TIMEOUT_S: Final = 10.0
JOINING_S: Final = 5.0
"""How long it may take to join when the node has registered before that is said."""

RETIRE_TIMEOUT_S: Final = 2.0
LASTING_S: Final = 5.0
"""A session that ends sooner is no success: the next attempt comes later than the one before."""

ANSWER_SHOWN_MAX: Final = 200
"""How many characters of a wrong answer are in the log."""

log = get_log("concurrent.apps.masterlink")


class Joined(NamedTuple):
    """What a node learns when it has joined.

    :param number: its number at the master.
    :param answer: what the JSON API answered.
    """

    handler: TCPHandler
    number: int
    host: str
    answer: dict[str, Any]


class _Reach(NamedTuple):
    """What a client is made for: another one is needed as soon as one of these is another."""

    channel: str
    port: int
    manager: str


class MasterLink:
    """See the module.

    :param master: the address of the master's JSON API.
    :param http_port: the port of this node's own JSON API, 0 if it has none.
    :param describe: returns what the node says of itself, asked at each registration.
    :param register_methods: registers what the master calls, with each new client.
    :param prepare: called with the master's answer before the session is opened.
    :param on_joined: called when the node has joined a master that knows nothing of it.
    :param on_left: called with the reason when such a registration has ended.
    :param on_refused: called with the error when the master will never take this node in, because that runs
        another Python, or because there is none at this address; it is not tried again.
    """

    def __init__(  # noqa: PLR0913  what it is told of its node, by name
        self,
        loop: NodeLoop,
        master: Host,
        *,
        node_id: str,
        node_type: NodeType,
        http_port: int,
        describe: Callable[[], dict[str, Any]],
        register_methods: Callable[[SessionClient], object],
        prepare: Callable[[dict[str, Any]], object],
        on_joined: Callable[[Joined], object],
        on_left: Callable[[str], object],
        on_refused: Callable[[ConcurrentError], object],
        stats: Stats,
        limits: Limits,
    ) -> None:
        self.state = "not registered"
        self._loop = loop
        self._master = master
        self._node_id = node_id
        self._join_message = JOIN_BY_TYPE[node_type].within(CALL_TIMEOUT_S)
        self._http_port = http_port
        self._describe = describe
        self._register_methods = register_methods
        self._prepare = prepare
        self._on_joined = on_joined
        self._on_left = on_left
        self._on_refused = on_refused
        self._stats = stats
        self._limits = limits
        self._json = JSONClient(master.name, master.port)
        self._backoff = Backoff(initial_s=0.05, maximum_s=5.0)
        self._client: SessionClient | None = None
        self._reach: _Reach | None = None
        self._answer: dict[str, Any] | None = None
        self._retired: list[threading.Thread] = []
        self._timer: TimerHandle | None = None
        self._is_asking = False
        self._is_joining = False
        self._is_joined = False
        self._joined_at = 0.0
        self._is_stopping = False
        self._search = Search(str(master))

    @property
    def waits_for(self) -> str:
        """What the node waits for in order to join; nothing if it has. Any thread."""
        return self._search.problem

    def start(self) -> None:
        """Begin to register. Any thread; returns at once."""
        self._loop.post(self._register)

    def stop(self, timeout_s: float = 5.0, *, why: str = "") -> None:
        """Send what is queued, say goodbye and free everything. Not the loop's thread.

        :param why: what the master is told.
        """
        with suppress(LoopClosed):
            self._loop.call(self._begin_stop, timeout_s=timeout_s)
        self._json.close()
        if self._client is not None:
            self._client.farewell = why
            self._client.stop(timeout_s)
        for thread in self._retired:
            thread.join(RETIRE_TIMEOUT_S)

    def _begin_stop(self) -> None:
        self._is_stopping = True
        if self._timer is not None:
            self._timer.cancel()

    def _register(self) -> None:
        """Ask the JSON API of the master where to go."""
        self._timer = None
        if self._is_stopping or self._is_asking or self._is_joined:
            return
        try:
            data = self._describe()
        except BaseException as error:  # boundary: what a node says of itself may come from a plug-in
            self._try_later(_problem("this node cannot describe itself", error))
            return
        self._is_asking = True
        future = self._json.call(
            self._join_message.name,
            node_id=self._node_id,
            port=self._http_port,
            data=data,
            timeout_s=CALL_TIMEOUT_S,
        )
        future.add_done_callback(self._post_answer)

    def _post_answer(self, future: Future[Any]) -> None:
        with suppress(LoopClosed):
            self._loop.post(self._answered, future)

    def _answered(self, future: Future[Any]) -> None:
        self._is_asking = False
        if self._is_stopping or self._is_joined or future.cancelled():
            return
        error = future.exception()
        if isinstance(error, VersionMismatch):
            log.error("the master at %s refuses this node: %s", self._master, error)
            self._give_up(error)
            return
        if isinstance(error, UnknownMethod):
            self._try_later(f"what listens at {self._master} is no master, or one of another version", error)
            return
        if error is not None:
            self._try_later(f"cannot register with the master at {self._master}: {error}", error)
            return
        try:
            answer = future.result()
            reach = _reach_of(answer)
            self._prepare(answer)
            if reach != self._reach:
                self._connect(reach)
        except BaseException as problem:  # boundary: a peer's answer, and what plug-ins make of it
            self._try_later(_problem(f"cannot work for the master at {self._master}", problem), problem)
            return
        self._answer = answer
        self.state = "registered"
        if self._client is not None and self._client.handler.is_open:
            self._join(self._client)

    def _give_up(self, error: ConcurrentError) -> None:
        """Look for the master no more: it would not help."""
        self.state = "refused"
        self._is_stopping = True
        self._on_refused(error)

    def _connect(self, reach: _Reach) -> None:
        self._retire()
        client = make_client(
            reach.channel,
            self._loop,
            self._master.name,
            reach.port,
            node_id=self._node_id,
            stats=self._stats,
            limits=self._limits,
        )
        self._register_methods(client)
        client.on_open = lambda _handler, _is_new: self._join(client)
        client.on_lost = self._lost
        self._client = client
        self._reach = reach
        client.start()
        self._loop.call_later(JOINING_S, self._watch_joining, client)

    def _retire(self) -> None:
        """Stop a client whose master is at another place now; that waits, so in a thread."""
        client, self._client = self._client, None
        self._reach = None
        self._is_joining = False
        if client is None:
            return
        client.on_open = client.on_lost = None
        thread = threading.Thread(
            target=client.stop, args=(RETIRE_TIMEOUT_S,), name=f"{self._node_id} stops {client}"
        )
        thread.start()
        self._retired = [one for one in self._retired if one.is_alive()]
        self._retired.append(thread)

    def _join(self, client: SessionClient) -> None:
        """Bind the session to the registration, unless that is done or under way."""
        if self._answer is None or self._is_joined or self._is_joining or self._is_stopping:
            return
        self._is_joining = True
        call = client.handler.call(self._join_message, self._node_id)
        call.add_done_callback(lambda future: self._join_answered(client, future))

    def _join_answered(self, client: SessionClient, future: Future[Any]) -> None:
        if client is not self._client or self._is_stopping:
            return
        self._is_joining = False
        answer, error = self._answer, future.exception()
        if answer is None or error is not None:
            self._answer = None
            self._try_later(f"cannot join the master at {self._master}: {error}")
            client.handler.close("could not join")  # the master may have bound it: another one is needed
            return
        self._is_joined = True
        self.state = "joined"
        try:
            self._on_joined(Joined(client.handler, future.result(), self._master.name, answer))
        except BaseException as problem:  # boundary: what a node does then may come from a plug-in
            self._try_later(_problem(f"cannot begin to work for the master at {self._master}", problem))
            client.handler.close("the node could not begin to work")
            return
        self._joined_at = self._loop.time()
        self._search.joined()
        log.info("joined the master %s at %s", answer["master"], self._master)

    def _lost(self, _handler: TCPHandler, reason: str) -> None:
        """The session has ended for good."""
        was_joined, self._is_joined = self._is_joined, False
        if was_joined and self._loop.time() - self._joined_at >= LASTING_S:
            self._backoff.reset()  # else both may disagree, and would do so again at once
        self._answer = None
        self._try_later()  # before anything else: whatever goes wrong, the node comes back
        if was_joined:
            self.state = "not registered"
            if not self._is_stopping:
                log.warning("lost the master at %s: %s", self._master, reason)
            self._on_left(reason)

    def _note(self, problem: str, error: BaseException | None = None) -> None:
        """Say what goes wrong, now and then, or give up."""
        line, end = self._search.failed(problem, error, self._loop.time())
        if end is not None:
            self._give_up(end)
        elif line is not None:
            log.warning("%s", line)

    def _watch_joining(self, client: SessionClient) -> None:
        """Say so while the node has registered, but does not get through on the compute channel."""
        if client is self._client and not self._is_joined and not self._is_stopping:
            self._note(
                f"registered with the master at {self._master}, but cannot get through to its compute "
                f"channel at port {client.port}"
            )
            self._loop.call_later(JOINING_S, self._watch_joining, client)

    def _try_later(self, problem: str = "", error: BaseException | None = None) -> None:
        if problem:
            self._note(problem, error)
        if self._timer is None and not self._is_stopping:
            self._timer = self._loop.call_later(self._backoff.next_delay(), self._register)


def _reach_of(answer: Any) -> _Reach:
    """Return where the compute channel is, and for which task manager.

    :raises WrongServer: if the answer of the master has not all that a node needs.
    """
    fields = answer if isinstance(answer, dict) else {}
    channel, port, manager = fields.get("channel"), fields.get("port"), fields.get("manager")
    work = fields.get("work")
    is_of_master = isinstance(fields.get("master"), str) and isinstance(manager, str)
    is_reachable = channel in CHANNELS and type(port) is int and 0 < port <= PORT_MAX
    has_work = isinstance(work, dict) and isinstance(work.get("kind"), str)
    if not (is_of_master and is_reachable and has_work):
        raise WrongServer(
            f"its answer is not that of a master: {repr(answer)[:ANSWER_SHOWN_MAX]}",
            thing="register",
            value=answer,
            remedy="See that a master of the same version runs at this address",
        )
    return _Reach(str(channel), int(fields["port"]), str(manager))


def _problem(what: str, error: BaseException) -> str:
    return f"{what}: {error if isinstance(error, ConcurrentError) else shown(error)}"
