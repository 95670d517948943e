"""Keeps a slave or application registered with its master, whatever happens to either.

The node calls ``register_...`` of the master's JSON API, which answers where the compute channel is, and
then binds a session on that channel to the registration; that of a program to its job, at a master that has
jobs. A session that is cut is resumed by the transport. When one has ended for good, everything begins again.
Loop thread only, but for ``start`` and ``stop``.
"""

from __future__ import annotations

import logging
import math
from asyncio import TimerHandle
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from concurrent.apps.access import Way
from concurrent.apps.api import NodeType
from concurrent.apps.jobseat import JobSeat
from concurrent.apps.jobwish import JobAnswer, answer_from
from concurrent.apps.linkstates import SHOWN, TRANSITIONS, LinkEvent, LinkState
from concurrent.apps.masterclient import MasterClient, reach_of
from concurrent.apps.masterwatch import MasterWatch
from concurrent.apps.messages import JOIN_BY_TYPE, attach_job
from concurrent.apps.revoked import follow_revoked
from concurrent.apps.search import Search
from concurrent.core.backoff import Backoff
from concurrent.core.component import ComponentManager
from concurrent.core.errors import (
    ConcurrentError,
    JobMismatch,
    JobTaken,
    JobUnknown,
    LoopClosed,
    NodeError,
    UnknownMethod,
    VersionMismatch,
)
from concurrent.core.foreign import shown
from concurrent.core.items import Host
from concurrent.core.loggers import get_log
from concurrent.core.machine import Machine
from concurrent.core.stats import Stats
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits

__all__ = ["Joined", "MasterLink"]

CALL_TIMEOUT_S: Final = 10.0
JOINING_S: Final = 5.0
"""How long it may take to join when the node has registered before that is said."""

LASTING_S: Final = 5.0
"""A session that ends sooner is no success: the next attempt comes later than the one before."""

JOB_GONE: Final = (to_owner.JOB_FORGOTTEN, to_owner.JOB_TAKEN)
"""Why a session ends that is no trouble with the master: what the program is told next says it all."""

SOON_S: Final = 0.25
"""A node that has lost its master looks for it at least so often, until it is too late to go on."""

AT_REST: Final = (LinkState.JOINED, LinkState.LEAVING, LinkState.REFUSED, LinkState.STOPPED)
"""States of a node that does not look for its master."""

HAS_REGISTERED: Final = (LinkState.REGISTERED, LinkState.JOINING)
"""States of a node that waits for a session, or for what binds that to it."""

log = get_log(__name__)


class Joined(NamedTuple):
    """What a node learns when it has joined.

    :param number: its number at the master.
    :param answer: what the JSON API answered.
    :param job: what the master has of the node's job; nothing if it has no jobs, or the node none.
    """

    handler: TCPHandler
    number: int
    host: str
    answer: dict[str, Any]
    job: JobAnswer


class MasterLink:
    """See the module.

    :param way: that to the master's JSON API.
    :param http_port: the port of this node's own JSON API, 0 if it has none.
    :param describe: returns what the node says of itself, asked at each registration.
    :param register_methods: registers what the master calls, with each new client.
    :param prepare: called with the master's answer before the session is opened.
    :param on_joined: called when the node has joined a master that knows nothing of it.
    :param on_left: called with the reason when such a registration has ended.
    :param on_refused: called with the error when the master will never take this node in, because that runs
        another Python, or because there is none at this address; it is not tried again.
    :param components: has the carriers of the compute channel that the master names.
    :param seat: what a program remembers of its job; None for a node that has none.
    :param arrived_to: returns the number of the last outcome that has come.
    :param find_way: returns the way to the master if it is said to be elsewhere than at an address, asked while
        the node looks for it. If it raises ConcurrentError, the node looks where it was.
    """

    def __init__(  # noqa: PLR0913  what it is told of its node, by name
        self,
        loop: NodeLoop,
        way: Way,
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
        components: ComponentManager,
        seat: JobSeat | None = None,
        arrived_to: Callable[[], int] = int,
        find_way: Callable[[Host], Way | None] = lambda _address: None,
    ) -> None:
        self._master = master = way.address
        self._machine = Machine(f"the link to the master at {master}", TRANSITIONS, LinkState.AWAY)
        self._loop = loop
        self._node_id = node_id
        self._join_message = JOIN_BY_TYPE[node_type].within(CALL_TIMEOUT_S)
        self._attach_message = attach_job.within(CALL_TIMEOUT_S)
        self._http_port = http_port
        self._seat = seat
        self._arrived_to = arrived_to
        self._describe = describe
        self._prepare = prepare
        self._on_joined = on_joined
        self._on_left = on_left
        self._on_refused = on_refused
        self._register_methods = register_methods
        self._find_way = find_way
        self._trust = way.protection.trust
        self._json = way.client()
        self._client = MasterClient(
            loop,
            master.name,
            node_id,
            register_methods=self._register,
            on_open=self._opened,
            on_cut=self._cut,
            on_lost=self._lost,
            stats=stats,
            limits=limits,
            components=components,
            protection=way.protection,
        )
        self._watch = MasterWatch(loop, self._json, self._replaced)
        self._search = Search(str(master))
        self._backoff = Backoff(initial_s=0.05, maximum_s=5.0)
        self._timer: TimerHandle | None = None
        self._answer: dict[str, Any] = {}
        self._joined_at = 0.0
        self._look_soon_s = limits.return_s
        self._left_at = -math.inf

    @property
    def state(self) -> str:
        """How far the node is, for people: not registered, registered, joined or refused. Any thread."""
        return SHOWN[self._machine.state]

    @property
    def address(self) -> Host:
        """Where the master is, or is looked for. Any thread."""
        return self._master

    @property
    def waits_for(self) -> str:
        """What the node waits for in order to join; nothing if it has. Any thread."""
        return self._search.problem

    def start(self) -> None:
        """Begin to register. Any thread; returns at once."""
        self._loop.post(self._ask)

    def stop(self, timeout_s: float = 5.0, *, why: str = "") -> None:
        """Send what is queued, say goodbye and free everything. Not the loop's thread.

        :param why: what the master is told.
        """
        with suppress(LoopClosed):
            self._loop.call(self._begin_stop, timeout_s=timeout_s)
        self._json.close()
        self._client.stop(timeout_s, why)

    def _register(self, client: SessionClient) -> None:
        follow_revoked(client, self._trust)
        self._register_methods(client)

    def _begin_stop(self) -> None:
        self._machine.undergo(LinkEvent.STOP)
        self._watch.end()
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self) -> None:
        """Ask the JSON API of the master where to go."""
        self._timer = None
        if self._machine.state is not LinkState.AWAY:  # it was told to stop
            return
        self._go_where_it_is()
        try:
            data = {**self._describe(), **self._client.keys}
        except BaseException as error:  # boundary: what a node says of itself may come from a plug-in
            self._failed(_problem("this node cannot describe itself", error))
            return
        self._machine.undergo(LinkEvent.ASK)
        future = self._json.call(
            self._join_message.name,
            node_id=self._node_id,
            port=self._http_port,
            data=data,
            timeout_s=CALL_TIMEOUT_S,
        )
        future.add_done_callback(self._post_answer)

    def _go_where_it_is(self) -> None:
        """Look at another address from now on, if the master is said to be there."""
        way = self._way_elsewhere()
        if way is None:
            return
        log.warning("the master is at %s by now, and no more at %s", way.address, self._master)
        self._client.move(way.address.name, way.protection)
        self._client.retire(self._json.close, f"{self._node_id} leaves {self._master}")
        self._json = way.client()
        self._master = way.address
        self._trust = way.protection.trust
        self._watch = MasterWatch(self._loop, self._json, self._replaced)
        self._search.moved(str(way.address))

    def _way_elsewhere(self) -> Way | None:
        """Return the way to the master if it is said to be at another address by now."""
        try:
            return self._find_way(self._master)
        except ConcurrentError as error:  # its file is gone, for the master has ended
            log.debug("nobody says where the master is now: %s", error)
            return None

    def _post_answer(self, future: Future[Any]) -> None:
        with suppress(LoopClosed):
            self._loop.post(self._answered, future)

    def _answered(self, future: Future[Any]) -> None:
        if self._machine.state is not LinkState.ASKING or future.cancelled():  # it was told to stop
            return
        error = future.exception()
        if isinstance(error, VersionMismatch):
            log.error("the master at %s refuses this node: %s", self._master, error)
            self._refuse(error)
        elif isinstance(error, UnknownMethod):
            self._failed(f"what listens at {self._master} is no master, or one of another version", error)
        elif error is not None:
            self._failed(f"cannot register with the master at {self._master}: {error}", error)
        else:
            self._take(future.result())

    def _take(self, answer: Any) -> None:
        """Go where the master's answer says."""
        try:
            reach = reach_of(answer, self._json.server)
            if self._client.makes_keys(reach):
                self._machine.undergo(LinkEvent.AGAIN)
                self._ask()
                return
            if self._seat is not None:
                self._seat.check_registration(answer)
            self._prepare(answer)
            is_new = self._client.connect(reach)
        except JobUnknown as error:
            self._refuse(error)
            return
        except BaseException as problem:  # boundary: a peer's answer, and what plug-ins make of it
            self._failed(_problem(f"cannot work for the master at {self._master}", problem), problem)
            return
        self._answer = answer
        self._machine.undergo(LinkEvent.ANSWER)
        self._watch.begin(str(answer["master"]))
        client = self._client.current
        if is_new:
            self._loop.call_later(JOINING_S, self._watch_joining, client)
        elif client is not None and client.handler.is_open:
            self._bind()

    def _opened(self) -> None:
        """A session is open, or goes on."""
        self._watch.end()
        self._bind()

    def _cut(self) -> None:
        """The connection is lost; the session waits for the next one, unless the master is another by now."""
        if self._machine.state is LinkState.JOINED:
            self._watch.begin(str(self._answer["master"]))

    def _replaced(self) -> None:
        """Another master listens at the address: the session is waited for in vain."""
        client = self._client.current
        if self._machine.state is LinkState.REGISTERED:
            self._failed(f"the master at {self._master} has ended, and another one has taken its place")
        elif client is not None and self._machine.state is LinkState.JOINED:
            client.handler.close("another master has taken its place")

    def _bind(self) -> None:
        """A session is open: bind it to the registration, unless that is done, under way or too early."""
        client = self._client.current
        if self._machine.state is not LinkState.REGISTERED or client is None:
            return
        self._watch.end()
        self._machine.undergo(LinkEvent.BIND)
        call: Future[Any]
        if self._seat is not None and self._answer.get("jobs") is True:
            wish = self._seat.wish(self._arrived_to()).as_map()
            call = client.handler.call(self._attach_message, self._node_id, wish)
        else:
            call = client.handler.call(self._join_message, self._node_id)
        call.add_done_callback(partial(self._bound, client.handler))

    def _bound(self, handler: TCPHandler, future: Future[Any]) -> None:
        if self._machine.state is not LinkState.JOINING:  # the session has ended, or the node stops
            return
        job = JobAnswer()
        error = future.exception()
        try:
            if error is None:
                job = self._take_seat(future.result())
        except NodeError as problem:
            error = problem
        if isinstance(error, JobMismatch | JobTaken | JobUnknown):
            self._refuse(error)
            handler.close("refused")
            return
        if error is not None:
            self._failed(f"cannot join the master at {self._master}: {error}")
            handler.close("could not join")  # the master may have bound it: another one is needed
            return
        self._machine.undergo(LinkEvent.BOUND)
        self._joined_at = self._loop.time()
        try:
            self._on_joined(Joined(handler, job.number, self._master.name, self._answer, job))
        except BaseException as problem:  # boundary: what a node does then may come from a plug-in
            self._note(_problem(f"cannot begin to work for the master at {self._master}", problem))
            handler.close("the node could not begin to work")
            return
        self._search.joined()
        log.info("joined the master %s at %s", self._answer["master"], self._master)

    def _take_seat(self, answer: Any) -> JobAnswer:
        """Return what the master has of the node's job.

        :raises NodeError: if it is no master, or an older state of it.
        """
        if type(answer) is int:  # it has no jobs
            return JobAnswer(number=answer)
        job = answer_from(answer)
        assert self._seat is not None, "else it was not asked for"
        self._seat.take(job)
        return job

    def _lost(self, reason: str) -> None:
        """The session has ended for good."""
        before = self._machine.undergo(LinkEvent.LOST)
        self._watch.end()
        was_joined = before in (LinkState.JOINED, LinkState.LEAVING)
        now = self._loop.time()
        if was_joined:
            self._left_at = now
        if was_joined and now - self._joined_at >= LASTING_S:
            self._backoff.reset()  # else both may disagree, and would do so again at once
        self._try_later()  # before anything else: whatever goes wrong, the node comes back
        if before is LinkState.JOINED:
            level = logging.INFO if reason in JOB_GONE else logging.WARNING
            log.log(level, "lost the master at %s: %s", self._master, reason)
        if was_joined:
            self._on_left(reason)

    def _failed(self, problem: str, error: BaseException | None = None) -> None:
        """Begin again, later, or give up."""
        self._machine.undergo(LinkEvent.FAIL)
        self._note(problem, error)
        self._try_later()

    def _try_later(self) -> None:
        if self._timer is None and self._machine.state is LinkState.AWAY:
            delay_s = self._backoff.next_delay()
            if self._loop.time() - self._left_at < self._look_soon_s:
                delay_s = min(delay_s, SOON_S)
            self._timer = self._loop.call_later(delay_s, self._ask)

    def _note(self, problem: str, error: BaseException | None = None) -> None:
        """Say what goes wrong, now and then, or give up."""
        line, end = self._search.failed(problem, error, self._loop.time())
        if end is not None:
            self._refuse(end)
        elif line is not None:
            log.warning("%s", line)

    def _refuse(self, error: ConcurrentError) -> None:
        """Look for the master no more: it would not help."""
        self._machine.undergo(LinkEvent.REFUSE)
        self._on_refused(error)

    def _watch_joining(self, client: SessionClient) -> None:
        """Say so while the node has registered, but does not get through on the compute channel."""
        if client is not self._client.current or self._machine.state in AT_REST:
            return
        if self._machine.state in HAS_REGISTERED:  # else that would hide why it has not
            self._note(
                f"registered with the master at {self._master}, but cannot get through to its compute "
                f"channel at port {client.port}"
            )
            if self._machine.state is LinkState.REGISTERED and self._way_elsewhere() is not None:
                self._failed(f"the master is not at {self._master} any more")
        self._loop.call_later(JOINING_S, self._watch_joining, client)


def _problem(what: str, error: BaseException) -> str:
    return f"{what}: {error if isinstance(error, ConcurrentError) else shown(error)}"
