"""Which process hosts a task system, and what becomes of both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from concurrent.core.errors import MessageTooLarge, NodeError
from concurrent.scheduling.master.hosts import Reach
from concurrent.scheduling.master.systembook import System, SystemBook
from concurrent.scheduling.master.systems import SystemHosts
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.scheduling.wire.failure import loads_failure
from concurrent.transport.calls.declaration import Message

OWNER = 3
WEIGHT = 3
CODE = [b"first blob", b"second blob"]


class Session:
    """One end of a session: an application's, or a host's."""

    peer_bytes_max = 1000

    def __init__(self, node_id: str) -> None:
        self.node_id = node_id
        self.is_open = True
        self.casts: list[tuple[Any, ...]] = []
        self.calls: list[Future[None]] = []

    def cast(self, message: Message, *args: Any) -> None:
        if any(isinstance(arg, bytes) and len(arg) > self.peer_bytes_max for arg in args):
            raise MessageTooLarge(f"{message.name} is too large")
        self.casts.append((message.name, *args))

    def call(self, message: Message, *args: Any) -> Future[None]:
        """Cast, and keep the future until ``answer``."""
        self.calls.append(Future())
        try:
            self.cast(message, *args)
        except MessageTooLarge as error:
            self.calls.pop().set_exception(error)
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed
        return self.calls[-1]

    def answer(self) -> None:
        """Answer all calls."""
        while self.calls:
            self.calls.pop().set_result(None)

    def take(self) -> list[tuple[Any, ...]]:
        casts, self.casts = self.casts, []
        return casts


class Process:
    """A process that was asked for."""

    def __init__(self, pid: int, token: str, on_exit: Callable[..., object]) -> None:
        self.pid = pid
        self.token = token
        self.is_killed = False
        self.has_ended = False
        self._on_exit = on_exit

    def kill(self) -> None:
        self.is_killed = True

    def end(self, signal: int | None = None, code: int | None = 0, tail: str = "") -> None:
        self.has_ended = True
        self._on_exit(self.pid, signal, code, tail)


class Timer:
    """What is to be called later."""

    def __init__(self, fn: Callable[[], object]) -> None:
        self.fn = fn
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Desk:
    """That of a master without a journal."""

    def __init__(self) -> None:
        self.book = SystemBook()

    def begin(self, system: System) -> None:
        """Have the system end with its host."""

    def when_kept(self, call: Callable[[], object]) -> None:
        call()


class DurableDesk(Desk):
    """That of a master with a journal."""

    def __init__(self) -> None:
        super().__init__()
        self.reason = ""
        self.losses: Any = None

    def why_held(self, _system: System) -> str:
        return self.reason

    def release(self, _system: System) -> None:
        self.reason = ""

    def begin(self, system: System) -> None:
        system.job, system.number = "a job", 7
        self.book.add(system)

    def detach(self, system: System) -> None:
        """Have the system be without a host."""

    def lost(self, system: System) -> None:
        self.losses = system.losses

    def hand_over(self, system: System, session: Session, then: Callable[..., object]) -> None:
        then(CODE, system.payload)

    def ended(self, system: System, status: int, payload: Any) -> None:
        self.outcome = status, payload

    def outcome_of(self, system: System) -> tuple[int, Any]:
        return self.outcome


class Master:
    """What the hosts need of a master: its loop, its launcher and its dispatcher with the desk for jobs."""

    def __init__(self, desk: Desk) -> None:
        self.timers: list[Timer] = []
        self.processes: list[Process] = []
        self.can_launch = True
        self._numbers = itertools.count(100)
        self.systems = desk
        self.jobs = self.fits = self
        self.application_by_system: dict[int, int] = {}
        self.owners: dict[int, tuple[str, list[Any]]] = {}
        self.owner_by_session: dict[Any, int] = {}
        own = self.owner_by_session.__setitem__
        self.hosts = SystemHosts(self, self, self, Reach("tcp", "127.0.0.1", 1), own)  # type: ignore[arg-type]

    def time(self) -> float:
        return 0.0

    def launch(self, entry: str, sockets: Any, args: Any, *, output: Any, on_exit: Any) -> Process:
        if not self.can_launch:
            raise NodeError("nothing can be started")
        self.processes.append(Process(1000 + len(self.processes), args[1], on_exit))
        return self.processes[-1]

    def call_later(self, delay_s: float, fn: Callable[[], object]) -> Timer:
        timer = Timer(fn)
        self.timers.append(timer)
        return timer

    def wait(self) -> None:
        """Let time pass."""
        timers, self.timers = self.timers, []
        for timer in timers:
            if not timer.is_cancelled:
                timer.fn()

    def join_application(self, owner: int) -> None:
        """Have an application join that may push systems, and let time pass."""
        self.hosts.application_joined(owner, Session(f"application-{owner}"))  # type: ignore[arg-type]
        self.wait()

    def code_of(self, owner: int) -> list[Any]:
        return CODE

    def weight_of(self, owner: int) -> int:
        return WEIGHT

    def begin(self, session: Any, name: str, *, weight: int, application: int) -> int:
        assert (weight, application) == (WEIGHT, OWNER)
        number = next(self._numbers)
        self.owners[number] = (name, [])
        return number

    def define_code(self, number: int, index: int, blob: Any) -> None:
        assert index == len(self.owners[number][1])
        self.owners[number][1].append(blob)

    def system_joined(self, number: int, application: int) -> None:
        self.application_by_system[number] = application

    def leave(self, number: int) -> None:
        self.owners.pop(number, None)

    def join(self, process: Process) -> Session:
        """Have a process join; return its session."""
        session = Session(f"system-{process.pid}")
        self.hosts.join(session, process.token)  # type: ignore[arg-type]
        return session


@pytest.fixture
def desk_type() -> type[Desk]:
    return Desk


@pytest.fixture
def master(desk_type: type[Desk]) -> Iterator[Master]:
    made = Master(desk_type())
    yield made
    made.can_launch = False
    made.hosts.close()
    for process in made.processes:
        if not process.has_ended:
            process.end()


@pytest.fixture
def app() -> Session:
    return Session("application-1")


def push(master: Master, app: Session, system_id: int = 1, payload: bytes = b"system") -> None:
    master.hosts.start(app, OWNER, system_id, len(CODE), payload)  # type: ignore[arg-type]


def test_a_system_gets_a_process_of_its_own(master: Master, app: Session) -> None:
    push(master, app)
    assert app.take() == [("tasksystem_accepted", 1)]
    (process,) = master.processes
    host = master.join(process)
    host.answer()
    assert host.take() == [("host_system", 1, CODE, b"system")]
    number = master.owner_by_session[host]
    assert master.owners[number] == ("system 1 of application-1", CODE)
    master.hosts.finished(number, FINISHED, b"result")
    assert app.take() == [("tasksystem_finished", 1, FINISHED, b"result")]
    assert master.owners == {}
    assert master.application_by_system == {100: OWNER}


def test_a_process_that_is_ready_gets_the_system_at_once(master: Master, app: Session) -> None:
    master.join_application(OWNER)
    master.join_application(OWNER + 1)
    (process,) = master.processes
    host = master.join(process)
    assert (host.take(), master.owners, master.hosts.status()) == ([], {}, ())
    push(master, app)
    assert host.take() == [("host_system", 1, CODE, b"system")]
    assert len(master.processes) == 1
    assert [one.pid for one in master.hosts.status()] == [process.pid]
    push(master, app, 2)
    assert len(master.processes) == 2


def test_a_process_is_made_ready_when_the_first_system_had_its_time_to_start(
    master: Master, app: Session
) -> None:
    master.hosts.application_joined(OWNER, app)  # type: ignore[arg-type]
    master.hosts.application_joined(OWNER + 1, app)  # type: ignore[arg-type]
    assert (len(master.processes), len(master.timers)) == (0, 1)
    push(master, app)
    assert len(master.processes) == 1
    master.wait()
    assert len(master.processes) == 2
    master.hosts.close()
    assert [process.is_killed for process in master.processes] == [False, True]


def test_no_process_is_made_ready_by_a_master_that_has_closed(master: Master, app: Session) -> None:
    master.hosts.application_joined(OWNER, app)  # type: ignore[arg-type]
    master.hosts.close()
    master.wait()
    assert master.processes == []


def test_a_process_that_is_being_started_gets_the_system_when_it_joins(master: Master, app: Session) -> None:
    master.join_application(OWNER)
    push(master, app)
    (process,) = master.processes
    assert master.join(process).take() == [("host_system", 1, CODE, b"system")]


def test_the_next_one_is_made_ready_when_a_host_has_ended(master: Master, app: Session) -> None:
    master.join_application(OWNER)
    for system_id in range(1, 4):
        push(master, app, system_id)
    first, second, third = master.processes
    master.join(first).answer()
    first.end()
    assert len(master.processes) == 4
    second.end()
    third.end()
    assert len(master.processes) == 4
    ready = master.join(master.processes[3])
    push(master, app, 4)
    assert ready.take() == [("host_system", 4, CODE, b"system")]


@pytest.mark.parametrize("how", ["died", "lost", "cut"])
def test_a_system_does_not_suffer_from_the_end_of_a_process_that_waited(
    master: Master, app: Session, how: str
) -> None:
    master.join_application(OWNER)
    waiting = master.join(master.processes[0])
    if how == "died":
        master.processes[0].end(signal=9, code=None)
    elif how == "lost":
        master.hosts.lost(waiting)  # type: ignore[arg-type]
        assert master.processes[0].is_killed
        master.processes[0].end(signal=9, code=None)
    else:
        waiting.is_open = False
    push(master, app)
    assert len(master.processes) == 2
    assert master.processes[0].is_killed or how == "died"
    assert waiting.take() == []
    assert master.join(master.processes[1]).take() == [("host_system", 1, CODE, b"system")]
    assert app.take() == [("tasksystem_accepted", 1)]


@pytest.mark.parametrize("has_joined", [True, False])
def test_a_system_that_a_process_which_waited_never_got_goes_to_another(
    master: Master, app: Session, has_joined: bool
) -> None:
    master.join_application(OWNER)
    if has_joined:
        master.join(master.processes[0])
    push(master, app)
    master.processes[0].end(signal=9, code=None)
    assert master.owners == {}
    host = master.join(master.processes[1])
    assert host.take() == [("host_system", 1, CODE, b"system")]
    host.answer()
    assert app.take() == [("tasksystem_accepted", 1)]
    master.processes[1].end(signal=9, code=None)
    assert [one[:3] for one in app.take()] == [("tasksystem_finished", 1, DIED)]


def test_a_system_that_is_not_wanted_any_more_goes_to_no_other_process(master: Master, app: Session) -> None:
    master.join_application(OWNER)
    push(master, app)
    master.hosts.application_left(OWNER)
    assert master.processes[0].is_killed
    master.processes[0].end(signal=9, code=None)
    assert len(master.processes) == 1


def test_no_process_waits_for_an_application_that_has_left_its_job(master: Master, app: Session) -> None:
    push(master, app)
    master.join_application(OWNER)
    assert len(master.processes) == 2
    master.hosts.session_left(OWNER)
    assert master.processes[1].is_killed
    master.processes[1].end(signal=9, code=None)
    assert not master.processes[0].is_killed


def test_no_process_waits_when_no_application_is_there_that_has_systems(master: Master, app: Session) -> None:
    push(master, app)
    master.processes[0].end()
    assert len(master.processes) == 1
    master.join_application(OWNER)
    master.join_application(OWNER + 1)
    master.hosts.application_left(OWNER)
    assert not master.processes[1].is_killed
    master.hosts.application_left(OWNER + 1)
    assert master.processes[1].is_killed
    master.processes[1].end(signal=9, code=None)
    assert len(master.processes) == 2


def test_a_host_that_dies_is_the_end_of_its_system(master: Master, app: Session) -> None:
    master.join_application(OWNER)
    push(master, app)
    master.join(master.processes[0]).answer()
    app.take()
    master.processes[0].end(signal=9, code=None, tail="last words")
    ((_, system_id, status, evidence),) = app.take()
    assert (system_id, status) == (1, DIED)
    assert b"SIGKILL" in evidence
    assert b"last words" in evidence
    assert master.owners == {}


@pytest.mark.parametrize("desk_type", [DurableDesk])
@pytest.mark.parametrize(("had_it", "losses"), [(True, 3), (False, 10)])
def test_a_durable_system_loses_more_hosts_that_never_got_it(
    master: Master, app: Session, had_it: bool, losses: int
) -> None:
    push(master, app)
    app.take()
    for number in range(losses):
        assert app.take() == []
        if had_it:
            master.join(master.processes[number])
        master.processes[number].end(signal=9, code=None)
    assert [one[:3] for one in app.take()] == [("tasksystem_finished", 1, DIED)]
    assert len(master.processes) == losses
    assert isinstance(master.systems, DurableDesk)
    assert [was_given for *_, was_given in master.systems.losses.losses] == [had_it] * losses


def test_where_nothing_can_be_started_the_system_is_refused(master: Master, app: Session) -> None:
    master.can_launch = False
    master.join_application(OWNER)
    with pytest.raises(NodeError, match="nothing can be started"):
        push(master, app)
    assert app.take() == []
    master.can_launch = True
    push(master, app)
    assert app.take() == [("tasksystem_accepted", 1)]


def test_a_token_is_good_for_one_process_and_as_long_as_its_system_is_wanted(
    master: Master, app: Session
) -> None:
    push(master, app)
    with pytest.raises(NodeError, match="no host"):
        master.hosts.join(Session("nobody"), "guessed")  # type: ignore[arg-type]
    master.join(master.processes[0])
    with pytest.raises(NodeError, match="no host"):
        master.join(master.processes[0])
    push(master, app, 2)
    master.hosts.cancel(OWNER, [2])
    assert ("tasksystem_finished", 2, CANCELLED, b"") in app.take()
    assert master.processes[1].is_killed
    with pytest.raises(NodeError, match="no host"):
        master.join(master.processes[1])


def test_a_system_that_is_too_large_for_its_host_fails_alone(master: Master, app: Session) -> None:
    push(master, app, 1, bytes(1001))
    app.take()
    master.join(master.processes[0])
    ((_, system_id, status, failure),) = app.take()
    assert (system_id, status) == (1, FAILED)
    assert isinstance(loads_failure(failure, None), MessageTooLarge)
    assert master.processes[0].is_killed
    assert master.owners == {}


@pytest.mark.parametrize("desk_type", [DurableDesk])
def test_a_system_of_a_job_that_is_held_waits_and_has_lost_nothing(master: Master, app: Session) -> None:
    desk = master.systems
    assert isinstance(desk, DurableDesk)
    push(master, app)
    first = master.processes[0]
    master.join(first).answer()
    desk.reason = "its owner was revoked"
    master.hosts.hold(OWNER + 1)
    assert not first.is_killed
    master.hosts.hold(OWNER)
    assert first.is_killed
    first.end(signal=9, code=None)
    assert len(master.processes) == 1
    assert [one[0] for one in app.take()] == ["tasksystem_accepted"]
    assert desk.losses is None
    master.hosts.resume(OWNER)
    assert len(master.processes) == 1
    master.hosts.released(OWNER)
    assert master.join(master.processes[1]).take() == [("host_system", 1, CODE, b"system")]
