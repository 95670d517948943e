"""Answers to calls: what a method returned or raised, as the message that tells its caller."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, NamedTuple

from concurrent.core.errors import ConnectionLost, InvalidArguments, MessageTooLarge
from concurrent.transport.calls.methods import error_to_wire
from concurrent.transport.security.identity import Identity
from concurrent.transport.session.envelope import Body, encode_body
from concurrent.transport.session.messages import Kind
from concurrent.transport.session.session import Session

__all__ = ["Request", "encode_error", "encode_future", "encode_result", "new_request"]

TEXT_LENGTH_MAX = 1000


class Request(NamedTuple):
    """What a method learns about the message that called it; a cast has no ``call_id``."""

    method: str
    call_id: int | None
    peer_ip: str
    identity: Identity


new_request: Final[Callable[[tuple[Any, ...]], Request]] = partial(tuple.__new__, Request)
"""Makes one of its fields without a call of a function in Python."""


def encode_result(session: Session, request: Request, value: Any) -> tuple[Kind, Body]:
    """Return the RESULT with ``value``, or the ERROR that says why it cannot travel."""
    what = f"the result of {request.method}"
    try:
        body = encode_body((request.call_id, value), what)
        session.check(body, what)
    except (InvalidArguments, MessageTooLarge) as error:
        return encode_error(session, request, error)
    return Kind.RESULT, body


def encode_error(session: Session, request: Request, error: BaseException) -> tuple[Kind, Body]:
    """Return the ERROR for ``error``, cut to its text if it cannot travel whole."""
    what = f"the error of {request.method}"
    wire = error_to_wire(error)
    try:
        body = encode_body((request.call_id, wire), what)
        session.check(body, what)
    except (InvalidArguments, MessageTooLarge):
        text = str(wire["message"])[:TEXT_LENGTH_MAX].encode(errors="replace").decode()
        wire = {**wire, "message": text, "traceback": "", "data": None}
        body = encode_body((request.call_id, wire), what)
    return Kind.ERROR, body


def encode_future(session: Session, request: Request, future: Future[Any]) -> tuple[Kind, Body]:
    """Return the RESULT or ERROR for a future that is done."""
    if future.cancelled():
        return encode_error(session, request, ConnectionLost(f"{request.method} was cancelled at the peer"))
    error = future.exception()
    if error is not None:
        return encode_error(session, request, error)
    return encode_result(session, request, future.result())
