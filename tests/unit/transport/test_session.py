"""A session loses nothing and does nothing twice, whatever its carriers lose."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from concurrent.core.errors import MessageTooLarge, ProtocolError, QueueFull
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.session.envelope import control_message, decode, encode_body
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Kind
from concurrent.transport.session.session import ACK_COUNT, REFUSED_CALLS_MAX, Session
from concurrent.transport.session.states import SessionEvent, SessionState

EVERYTHING = 10**9


def new_session(limits: Limits | None = None) -> Session:
    session = Session(limits or Limits(), 0.0)
    session.change(SessionEvent.OPENED, 0.0)
    return session


def push(session: Session, value: Any) -> None:
    session.push(Kind.CAST, encode_body(["put", [value], {}], "put"))


def deliver(buffers: list[Buffer], to: Session) -> list[Any]:
    message = decode(buffers)
    if to.receive(message) and message.kind == Kind.CAST:
        return [message.fields[1][0]]
    return []


def test_messages_wait_until_they_are_acknowledged() -> None:
    here, there = new_session(), new_session()
    push(here, "one")
    for buffers in here.take(EVERYTHING, 0.0):
        assert deliver(buffers, there) == ["one"]
    assert here.queued_bytes > 0
    deliver(there.control(Kind.PING, [False], 0.0), here)
    assert here.queued_bytes == 0


def test_a_resumed_session_sends_again_what_was_not_received() -> None:
    here, there = new_session(), new_session()
    for value in range(5):
        push(here, value)
    sent = here.take(EVERYTHING, 0.0)
    assert deliver(sent[0], there) + deliver(sent[1], there) == [0, 1]
    here.resume(there.received)
    again = [value for buffers in here.take(EVERYTHING, 0.0) for value in deliver(buffers, there)]
    assert again == [2, 3, 4]


def test_a_message_received_twice_counts_once() -> None:
    here, there = new_session(), new_session()
    push(here, "one")
    (buffers,) = here.take(EVERYTHING, 0.0)
    assert deliver(buffers, there) == ["one"]
    assert deliver(buffers, there) == []


def test_a_gap_is_asked_for_once_and_filled() -> None:
    here, there = new_session(), new_session()
    for value in range(4):
        push(here, value)
    first, _lost, third, fourth = here.take(EVERYTHING, 0.0)
    deliver(first, there)
    assert deliver(third, there) == []
    assert there.missing_from(decode(third)) == 2
    assert deliver(fourth, there) == []
    assert there.missing_from(decode(fourth)) is None
    here.resend(2)
    again = [value for buffers in here.take(EVERYTHING, 0.0) for value in deliver(buffers, there)]
    assert again == [1, 2, 3]


def test_what_was_sent_again_is_not_sent_a_third_time_on_the_same_carrier() -> None:
    here = new_session()
    for value in range(4):
        push(here, value)
    here.take(EVERYTHING, 0.0)
    here.resend(2)
    here.take(EVERYTHING, 0.0)
    for number in (1, 2, 3, 4):
        with pytest.raises(ProtocolError, match="again and again"):
            here.resend(number)
    push(here, 4)
    here.take(EVERYTHING, 0.0)
    here.resend(5)
    here.resume(4)
    here.take(EVERYTHING, 0.0)
    here.resend(5)


def test_no_more_than_the_window_is_under_way() -> None:
    here = new_session(Limits(window_bytes=1000))
    for _ in range(50):
        push(here, b"x" * 100)
    under_way = sum(len(buffers[0]) for buffers in here.take(EVERYTHING, 0.0))
    assert 1000 <= under_way < 1200
    assert here.take(EVERYTHING, 0.0) == []
    here.resume(3)
    assert here.take(EVERYTHING, 0.0) != []


def test_a_message_larger_than_the_window_travels_alone() -> None:
    here = new_session(Limits(window_bytes=10))
    push(here, b"x" * 100)
    push(here, b"y" * 100)
    assert len(here.take(EVERYTHING, 0.0)) == 1


def test_a_message_that_the_peer_would_refuse_is_refused_here() -> None:
    here = new_session()
    here.peer_bytes_max = 1000
    with pytest.raises(MessageTooLarge, match="but the peer accepts 1000"):
        here.check(encode_body([b"x" * 1000], "put"), "put")


def test_a_queue_that_nobody_empties_ends_somewhere() -> None:
    here = new_session(Limits(session_bytes_max=1000))
    while here.queued_bytes <= 1000:
        push(here, b"x" * 100)
    with pytest.raises(QueueFull, match="does not take"):
        push(here, b"x" * 100)


def test_a_peer_that_goes_on_to_call_and_takes_no_answer_breaks_the_protocol() -> None:
    here = new_session(Limits(answers_bytes_max=100))
    assert here.refusal_of_call() is None
    here.push(Kind.RESULT, encode_body([1, b"x" * 200], "an answer"))
    here.take(EVERYTHING, 0.0)
    for _ in range(REFUSED_CALLS_MAX):
        assert isinstance(here.refusal_of_call(), QueueFull)
    with pytest.raises(ProtocolError, match="wait to be taken"):
        here.refusal_of_call()
    here.receive(decode(control_message(Kind.PING, [False], ack=1)))
    assert here.refusal_of_call() is None


def test_an_acknowledgement_of_what_was_never_sent_breaks_the_protocol() -> None:
    here = new_session()
    with pytest.raises(ProtocolError, match="acknowledges message 1"):
        here.receive(decode(control_message(Kind.PING, [False], ack=1)))


def test_asking_again_for_what_was_acknowledged_breaks_the_protocol() -> None:
    here = new_session()
    push(here, 1)
    here.take(EVERYTHING, 0.0)
    here.receive(decode(control_message(Kind.PING, [False], ack=1)))
    with pytest.raises(ProtocolError, match="acknowledged before"):
        here.resume(0)


def test_many_messages_are_acknowledged_without_delay() -> None:
    here, there = new_session(), new_session()
    for value in range(ACK_COUNT):
        push(here, value)
    for buffers in here.take(EVERYTHING, 0.0):
        assert not there.owes_ack_now
        deliver(buffers, there)
    assert there.owes_ack_now


def test_times_of_silence_are_told_apart() -> None:
    limits = Limits(heartbeat_s=1.0, silence_s=5.0, resume_s=10.0)
    here = new_session(limits)
    assert not here.wants_ping(0.9)
    assert here.wants_ping(1.0)
    assert not here.is_silent(5.0)
    assert here.is_silent(5.1)
    here.cut(6.0, is_silent=False)
    assert not here.is_expired(16.0)
    assert here.is_expired(16.1)


@pytest.mark.parametrize(("return_s", "end"), [(60.0, 60.0), (7.0, 15.0)])
def test_a_peer_that_fell_silent_has_longer_to_come_back_but_never_less(return_s: float, end: float) -> None:
    here = new_session(Limits(silence_s=5.0, resume_s=10.0, return_s=return_s))
    here.cut(5.0, is_silent=True)
    assert not here.is_expired(end)
    assert here.is_expired(end + 0.1)


def test_an_end_that_was_held_up_gives_its_peer_another_chance() -> None:
    here = new_session(Limits(silence_s=5.0, resume_s=10.0))
    here.cut(1.0, is_silent=False)
    here.excuse(100.0)
    assert not here.is_expired(110.0)
    assert here.is_expired(110.1)


def test_an_impossible_transition_names_state_and_event_and_tells_the_story() -> None:
    here = new_session()
    here.change(SessionEvent.CARRIER_LOST, 0.0)
    here.change(SessionEvent.ENDED, 0.0)
    story = r"\(so far: opened, carrier lost, ended\) is closed, and .resumed. cannot happen to it$"
    with pytest.raises(AssertionError, match=story):
        here.change(SessionEvent.RESUMED, 0.0)
    assert here.state is SessionState.CLOSED


class TwoSessions(RuleBasedStateMachine):
    """Both ends of one session over carriers that drop what is under way when they are cut."""

    def __init__(self) -> None:
        super().__init__()
        limits = Limits(window_bytes=200)
        self.ends = (new_session(limits), new_session(limits))
        self.pushed: tuple[list[int], list[int]] = ([], [])
        self.received: tuple[list[int], list[int]] = ([], [])
        self.wires: tuple[list[list[Buffer]], list[list[Buffer]]] = ([], [])

    @rule(end=st.integers(0, 1), count=st.integers(1, 5))
    def push_some(self, end: int, count: int) -> None:
        for _ in range(count):
            self.pushed[end].append(len(self.pushed[end]))
            push(self.ends[end], self.pushed[end][-1])

    @rule(end=st.integers(0, 1))
    def flush(self, end: int) -> None:
        self.wires[end].extend(self.ends[end].take(EVERYTHING, 0.0))

    @rule(end=st.integers(0, 1))
    def ping(self, end: int) -> None:
        self.wires[end].append(self.ends[end].control(Kind.PING, [False], 0.0))

    @rule(end=st.integers(0, 1), count=st.integers(1, 10))
    def let_arrive(self, end: int, count: int) -> None:
        for buffers in self.wires[end][:count]:
            self.received[1 - end].extend(deliver(buffers, self.ends[1 - end]))
        del self.wires[end][:count]

    @rule()
    def cut_and_resume(self) -> None:
        for end in (0, 1):
            self.wires[end].clear()
            self.ends[end].change(SessionEvent.CARRIER_LOST, 0.0)
        for end in (0, 1):
            self.ends[end].resume(self.ends[1 - end].received)
            self.ends[end].change(SessionEvent.RESUMED, 0.0)

    @invariant()
    def nothing_is_lost_doubled_or_reordered(self) -> None:
        for end in (0, 1):
            received = self.received[1 - end]
            assert received == self.pushed[end][: len(received)]

    def teardown(self) -> None:
        self.cut_and_resume()
        for _ in range(1000):
            for end in (0, 1):
                self.flush(end)
                self.let_arrive(end, 10**6)
                self.ping(end)
                self.let_arrive(end, 10**6)
            if all(session.queued_bytes == 0 for session in self.ends):
                break
        assert self.received == (self.pushed[1], self.pushed[0])


TestTwoSessions = TwoSessions.TestCase
TestTwoSessions.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
