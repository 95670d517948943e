"""An acknowledgement waits for a message to travel with, and goes by itself if there is none."""

from concurrent.transport.calls.acknowledger import Acknowledger
from concurrent.transport.session.envelope import decode, encode_body, make_header
from concurrent.transport.session.messages import Kind
from tests.unit.transport.parts import StillLoop, new_line

BODY = encode_body(["put", [], {}], "put")
RECEIVED = decode([make_header(Kind.CAST, 1, 0, BODY.data)])


def test_what_no_message_acknowledges_is_acknowledged_after_the_delay() -> None:
    loop = StillLoop()
    line, _, wire = new_line(loop)
    acknowledger = Acknowledger(loop, line)
    line.session.receive(RECEIVED)
    acknowledger.arm()
    assert acknowledger.is_armed
    assert not wire.messages
    loop.let_timers_run()
    assert [(message.kind, message.ack) for message in wire.messages] == [(Kind.PING, 1)]
    assert not acknowledger.is_armed


def test_a_message_takes_the_acknowledgement_along() -> None:
    loop = StillLoop()
    line, _, wire = new_line(loop)
    acknowledger = Acknowledger(loop, line)
    line.session.receive(RECEIVED)
    acknowledger.arm()
    line.push(Kind.CAST, BODY)
    loop.turn()
    loop.let_timers_run()
    assert [(message.kind, message.ack) for message in wire.messages] == [(Kind.CAST, 1)]


def test_a_line_that_is_cut_meanwhile_sends_nothing() -> None:
    loop = StillLoop()
    line, _, wire = new_line(loop)
    line.session.receive(RECEIVED)
    Acknowledger(loop, line).arm()
    line.lose_carrier()
    loop.let_timers_run()
    assert not wire.messages
