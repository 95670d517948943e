"""What can happen to a process that hosts a task system, and when one is kept ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concurrent.core.errors import NodeError
from concurrent.core.machine import Machine
from concurrent.scheduling.master.hosts import TRANSITIONS, End, Host, HostEvent, HostState, Reach
from concurrent.scheduling.master.sparehost import SpareHost

JOIN, CLAIM, BEGIN, REPORT, DROP, END = HostEvent


class Session:
    """A session that is open until a test says otherwise."""

    is_open = True


class Launcher:
    """Starts nothing; keeps what was asked for. It is the process that it starts, and the loop."""

    pid = 4711

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.exits: list[Callable[..., object]] = []
        self.kill_count = 0
        self.timers: list[Callable[[], object]] = []
        self.can_launch = True

    def launch(self, entry: str, sockets: Any, args: Any, *, output: Any, on_exit: Any) -> Any:
        if not self.can_launch:
            output.close()
            raise NodeError("nothing can be started")
        self.tokens.append(args[1])
        self.exits.append(on_exit)
        return self

    def kill(self) -> None:
        self.kill_count += 1

    def end_all(self) -> None:
        exits, self.exits = self.exits, []
        for on_exit in exits:
            on_exit(self.pid, 9, None, "last words")

    def call_later(self, delay_s: float, fn: Callable[[], object]) -> Launcher:
        self.timers.append(fn)
        return self

    def cancel(self) -> None:
        self.timers.clear()

    def wait(self) -> None:
        timers, self.timers = self.timers, []
        for fn in timers:
            fn()


@pytest.fixture
def launcher() -> Any:
    made = Launcher()
    yield made
    made.end_all()


@pytest.fixture
def ends() -> list[End]:
    return []


@pytest.fixture
def host(launcher: Any, ends: list[End]) -> Host:
    return Host(launcher, Reach("tcp", "127.0.0.1", 1), lambda _host, end: ends.append(end), is_ahead=True)


def after(*events: HostEvent) -> HostState:
    machine = Machine("a host", TRANSITIONS, HostState.STARTING)
    for event in events:
        machine.undergo(event)
    return machine.state


@pytest.mark.parametrize("first", [[JOIN, CLAIM], [CLAIM, JOIN]])
def test_a_host_is_sent_its_system_when_it_has_joined_and_there_is_one(first: list[HostEvent]) -> None:
    assert after(*first) is HostState.LOADING
    assert after(*first, BEGIN) is HostState.HOSTING
    assert after(*first, BEGIN, REPORT) is HostState.OVER


@pytest.mark.parametrize("state", [state for state in HostState if state is not HostState.ENDED])
def test_a_process_may_end_whatever_it_does_and_then_nothing_happens(state: HostState) -> None:
    assert TRANSITIONS[state, END] is HostState.ENDED
    assert not any((HostState.ENDED, event) in TRANSITIONS for event in HostEvent)


@pytest.mark.parametrize(
    "events", [[JOIN, JOIN], [CLAIM, CLAIM], [BEGIN], [CLAIM, DROP], [JOIN, REPORT], [DROP, JOIN]]
)
def test_nothing_is_done_twice_or_too_early(events: list[HostEvent]) -> None:
    with pytest.raises(AssertionError, match="cannot happen"):
        after(*events)


def test_a_host_is_known_by_its_token_until_it_has_joined(host: Host, launcher: Any) -> None:
    (token,) = launcher.tokens
    assert not host.expects("guessed")
    assert host.expects(token)
    host.join(Session())  # type: ignore[arg-type]
    assert not host.expects(token)


def test_a_host_has_a_system_until_that_is_reported(host: Host) -> None:
    assert not host.has_system
    host.claim()
    assert host.has_system
    host.report()
    assert not host.has_system
    host.begin()  # an answer that comes late
    assert not host.has_system


def test_its_end_tells_how_far_it_was_and_what_it_printed(host: Host, launcher: Any, ends: list[End]) -> None:
    host.claim()
    launcher.end_all()
    (end,) = ends
    assert (end.before, end.tail) == (HostState.CLAIMED, "last words")
    assert "SIGKILL" in end.how


def test_a_host_that_cannot_be_started_is_none(launcher: Any) -> None:
    launcher.can_launch = False
    with pytest.raises(NodeError):
        Host(launcher, Reach("tcp", "127.0.0.1", 1), lambda _host, _end: None, is_ahead=False)


@pytest.fixture
def hosts() -> list[Host]:
    return []


@pytest.fixture
def spare(launcher: Any, hosts: list[Host]) -> SpareHost:
    def launch() -> Host:
        hosts.append(Host(launcher, Reach("tcp", "127.0.0.1", 1), lambda _host, _end: None, is_ahead=True))
        return hosts[-1]

    return SpareHost(launcher, launch)


def test_one_is_kept_ready_while_applications_are_there(spare: SpareHost, launcher: Any) -> None:
    assert spare.take() is None
    spare.application_joined(1)
    spare.application_joined(2)
    launcher.wait()
    assert len(launcher.tokens) == 1
    spare.application_left(1)
    assert launcher.kill_count == 0
    spare.application_left(2)
    assert launcher.kill_count == 1
    spare.refill()
    assert spare.take() is None


def test_one_that_was_taken_is_made_up_for_when_asked(spare: SpareHost, launcher: Any) -> None:
    spare.application_joined(1)
    launcher.wait()
    first = spare.take()
    assert first is not None
    assert spare.take() is None
    spare.refill()
    assert spare.take() not in (None, first)


def test_one_that_cannot_be_reached_is_given_to_nobody(
    spare: SpareHost, launcher: Any, hosts: list[Host]
) -> None:
    spare.application_joined(1)
    launcher.wait()
    session = Session()
    hosts[0].join(session)  # type: ignore[arg-type]
    session.is_open = False
    assert spare.take() is None
    assert launcher.kill_count == 1


def test_its_end_is_told_from_one_that_was_wanted(spare: SpareHost, launcher: Any, hosts: list[Host]) -> None:
    spare.application_joined(1)
    launcher.wait()
    spare.take()
    spare.refill()
    taken, waiting = hosts
    assert not spare.ended(taken)
    assert spare.ended(waiting)
    assert spare.take() is None


def test_where_nothing_can_be_started_none_waits(spare: SpareHost, launcher: Any) -> None:
    launcher.can_launch = False
    spare.application_joined(1)
    launcher.wait()
    assert spare.take() is None


def test_a_master_that_closes_keeps_none(spare: SpareHost, launcher: Any) -> None:
    spare.application_joined(1)
    spare.close()
    launcher.wait()
    assert launcher.tokens == []
