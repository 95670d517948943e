"""What is queued leaves at the end of the turn, as one batch, while there is a carrier with room."""

import pytest

from concurrent.core.errors import ConnectionLost
from concurrent.transport.calls.line import FLUSH_BYTES, Line
from concurrent.transport.calls.pushback import PushBack
from concurrent.transport.session.envelope import control_message, decode, encode_body
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Kind
from concurrent.transport.session.states import SessionState
from tests.unit.transport.parts import PEER_BYTES_MAX, StillLoop, Wire, new_line


def body(value: object = None) -> object:
    return encode_body(["put", [value], {}], "put")


def acknowledge(line: Line, number: int) -> None:
    line.session.receive(decode(control_message(Kind.PING, [False], number)))


def test_what_is_pushed_in_one_turn_leaves_as_one_batch_at_its_end() -> None:
    loop = StillLoop()
    line, _, wire = new_line(loop)
    line.push(Kind.CAST, body(1))
    line.push(Kind.CAST, body(2))
    assert not wire.messages
    loop.turn()
    assert wire.sendings == 1
    assert [message.fields[1] for message in wire.messages] == [[1], [2]]


def test_much_leaves_at_once() -> None:
    line, _, wire = new_line(StillLoop())
    line.push(Kind.CAST, body(bytes(FLUSH_BYTES)))
    assert wire.kinds() == [Kind.CAST]


def test_a_carrier_without_room_is_given_nothing_until_it_has_some() -> None:
    loop = StillLoop()
    line, _, wire = new_line(loop)
    wire.has_room = False
    line.push(Kind.CAST, body())
    loop.turn()
    assert not wire.messages
    wire.has_room = True
    line.flush()
    assert wire.kinds() == [Kind.CAST]


def test_a_line_that_is_cut_keeps_what_is_pushed_for_the_next_carrier() -> None:
    loop = StillLoop()
    line, _, first = new_line(loop)
    line.lose_carrier()
    line.push(Kind.CAST, body("kept"))
    loop.turn()
    second = Wire()
    assert line.resume(second, last_received=0) is None
    loop.turn()
    assert not first.messages
    assert [message.fields[1] for message in second.messages] == [["kept"]]


def test_resuming_returns_the_carrier_that_is_replaced() -> None:
    line, _, first = new_line(StillLoop())
    assert line.resume(Wire(), last_received=0) is first


def test_a_line_without_a_session_says_so_and_one_that_ended_says_why() -> None:
    loop = StillLoop()
    with pytest.raises(ConnectionLost, match="no session with the peer yet"):
        Line(loop, Limits(), PushBack(1, 1.0)).check_alive()
    line, _, wire = new_line(loop)
    line.check_alive()
    assert line.end(ConnectionLost("the peer has gone")) is wire
    with pytest.raises(ConnectionLost, match="the peer has gone"):
        line.check_alive()
    line.open(Wire(), "another", PEER_BYTES_MAX)
    line.check_alive()
    assert line.session.state is SessionState.OPEN


def test_those_who_wait_for_room_are_told_when_half_of_the_bound_is_free() -> None:
    loop = StillLoop()
    line, push_back, _ = new_line(loop, Limits(outbox_bytes_max=1000))
    told: list[str] = []
    push_back.on_room = lambda: told.append("room")
    for _ in range(2):
        line.push(Kind.CAST, body(bytes(600)))
    loop.turn()
    assert push_back.is_full
    acknowledge(line, 1)
    line.settle()
    loop.turn()
    assert not told
    acknowledge(line, 2)
    line.settle()
    loop.turn()
    assert told == ["room"]


@pytest.mark.parametrize("way", ["acknowledged", "ended"])
def test_whoever_waits_until_nothing_is_queued_is_told_once(way: str) -> None:
    loop = StillLoop()
    line, _, wire = new_line(loop)
    line.push(Kind.CAST, body())
    told: list[str] = []
    line.when_drained(lambda: told.append("drained"))
    loop.turn()
    assert wire.kinds() == [Kind.CAST, Kind.PING]
    assert wire.messages[-1].fields == [True]  # it is to be acknowledged at once
    assert not told
    if way == "acknowledged":
        acknowledge(line, 1)
    else:
        line.end(ConnectionLost("gone"))
    for _ in range(2):
        line.settle()
        loop.turn()
    assert told == ["drained"]
