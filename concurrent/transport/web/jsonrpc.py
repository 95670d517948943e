"""JSON-RPC 2.0 (https://www.jsonrpc.org/specification): from the body of a request to that of its answer.

Knows nothing of HTTP. Any thread may answer; nothing is kept between requests but a counter.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Final, NamedTuple, NoReturn

from concurrent.core.errors import (
    CallTimeout,
    ConcurrentError,
    ConnectionLost,
    InvalidArguments,
    MalformedMessage,
    ProtocolError,
    UnknownMethod,
)
from concurrent.core.foreign import shown
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine
from concurrent.core.status import Status
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import MethodRegistry, error_to_wire
from concurrent.transport.security.identity import Identity

__all__ = ["JSONRPCAnswerer", "Reply", "decode_json", "encode_json"]

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
FAILED_LINES_MAX: Final = 10
"""So many notifications that failed are logged within a second."""

METHOD_FAILED: Final = -32000
"""The first of the numbers that the specification leaves to servers: the method raised."""

TEXT_BY_CODE: Final = {
    PARSE_ERROR: "Parse error",
    INVALID_REQUEST: "Invalid Request",
    METHOD_NOT_FOUND: "Method not found",
    INVALID_PARAMS: "Invalid params",
    INTERNAL_ERROR: "Internal error",
}

log = get_log(__name__)


def decode_json(body: bytes) -> Any:
    """Return the value of a JSON text in UTF-8; NaN, infinities, absurd numbers and double keys are refused.

    :raises MalformedMessage: if it is none.
    """
    try:
        return json.loads(
            body.decode(), parse_constant=_refuse, parse_float=_parse_float, object_pairs_hook=_without_doubles
        )
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"not JSON: {error}", thing="body") from None


def encode_json(value: Any, what: str) -> bytes:
    """Return ``value`` as JSON text.

    :param what: what the value is, for the error.
    :raises InvalidArguments: if JSON has no form for it.
    """
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArguments(
            f"{what} has no JSON form: {error}",
            thing=what,
            remedy="Use None, bool, int, finite float, str, and lists and dicts of these.",
        ) from None


def _plain(value: Any) -> Any:
    """Return what a part of a node says of itself as values that JSON has."""
    if isinstance(value, Status):
        return value.to_json()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a key that comes twice some readers take the first value and some the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        (double, _count), *_others = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {double!r:.100} comes more than once in an object")
    return found


def _parse_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text:.20} is too large")
    return value


class Reply(NamedTuple):
    """The answer to the body of a request.

    :param body: None if all that was asked for are notifications.
    :param is_readable: whether it was JSON at all.
    """

    body: bytes | None
    is_readable: bool


class JSONRPCAnswerer:
    """Calls the methods of a registry as JSON-RPC requests ask for it.

    :param methods: what may be called, as ``f(request, ...)``.
    :param batch_max: how many calls one batch may hold.
    :param call_timeout_s: how long a future that a method returns is waited for, in seconds.
    :param on_event: told ``"calls"`` for each call and ``"failures"`` for each that failed.
    """

    def __init__(
        self,
        methods: MethodRegistry,
        *,
        batch_max: int,
        call_timeout_s: float,
        on_event: Callable[[str], object],
    ) -> None:
        self._methods = methods
        self._batch_max = batch_max
        self._call_timeout_s = call_timeout_s
        self._on_event = on_event
        self._call_ids = itertools.count(1)
        self._failed_line = RareLine(FAILED_LINES_MAX)

    def answer(self, body: bytes, peer_ip: str, identity: Identity) -> Reply:
        """Return the answer to the body of a request.

        :param identity: who has sent it.
        """
        try:
            asked = decode_json(body)
        except MalformedMessage as error:
            return Reply(_failure(None, PARSE_ERROR, error), is_readable=False)
        return Reply(self._answer_all(asked, peer_ip, identity), is_readable=True)

    def _answer_all(self, asked: Any, peer_ip: str, identity: Identity) -> bytes | None:
        if not isinstance(asked, list):
            return self._answer_one(asked, peer_ip, identity)
        if not 0 < len(asked) <= self._batch_max:
            refusal = ProtocolError(
                f"a batch of {len(asked)} calls is not accepted",
                thing="batch",
                value=len(asked),
                remedy=f"Send 1 to {self._batch_max} calls at a time.",
            )
            return _failure(None, INVALID_REQUEST, refusal)
        every = (self._answer_one(one, peer_ip, identity) for one in asked)
        answers = [answer for answer in every if answer is not None]
        return b"[" + b",".join(answers) + b"]" if answers else None

    def _answer_one(self, asked: Any, peer_ip: str, identity: Identity) -> bytes | None:
        problem = _check(asked)
        if problem is not None:
            request_id = asked.get("id") if isinstance(asked, dict) else None
            request_id = request_id if _is_id(request_id) else None
            return _failure(request_id, INVALID_REQUEST, ProtocolError(problem, thing="request"))
        self._on_event("calls")
        is_notification = "id" not in asked
        call_id = None if is_notification else next(self._call_ids)
        request = Request(asked["method"], call_id, peer_ip, identity)
        answer, error = self._run(request, asked.get("params", []), asked.get("id"))
        if error is not None:
            self._on_event("failures")
            if is_notification:
                self._note_failure(request.method, peer_ip, error)
        return None if is_notification else answer

    def _note_failure(self, method: str, peer_ip: str, error: BaseException) -> None:
        """Log why a notification failed; with the traceback if that is no mistake of the client."""
        suffix = self._failed_line.suffix(time.monotonic())
        if suffix is None:
            return
        text = "a notification of %.100s by %s failed%s"
        if isinstance(error, ConcurrentError):
            log.info(f"{text}: %s", method, peer_ip, suffix, error)
        else:
            log.warning(text, method, peer_ip, suffix, exc_info=error)

    def _run(self, request: Request, params: Any, request_id: Any) -> tuple[bytes, BaseException | None]:
        args, kwargs = (params, {}) if isinstance(params, list) else ([], params)
        try:
            result = self._methods.dispatch(request.method, (request,), args, kwargs)
            if isinstance(result, Future):
                result = self._wait(request.method, result)
        except BaseException as error:  # boundary: whatever a method raises belongs to its caller
            return _failure(request_id, _code_of(error), error), error
        try:
            encoded = encode_json(result, f"the result of {request.method}")
        except InvalidArguments as error:
            return _failure(request_id, INTERNAL_ERROR, error), error
        encoded_id = encode_json(request_id, "the id")
        return b'{"jsonrpc":"2.0","id":' + encoded_id + b',"result":' + encoded + b"}", None

    def _wait(self, name: str, future: Future[Any]) -> Any:
        deadline = time.monotonic() + self._call_timeout_s
        try:
            return future.result(self._call_timeout_s)
        except FutureTimeoutError:
            if future.done() and time.monotonic() < deadline:
                raise  # the future's own error
            future.cancel()
            raise CallTimeout(
                f"{name} had no result within {self._call_timeout_s} s",
                thing=name,
                value=self._call_timeout_s,
            ) from None


def _check(asked: Any) -> str | None:
    """Return what is wrong with a request object, or None."""
    if not isinstance(asked, dict):
        return "a request must be an object"
    if asked.get("jsonrpc") != "2.0":
        return 'a request must have "jsonrpc": "2.0"'
    if not isinstance(asked.get("method"), str):
        return "the method of a request must be a string"
    if not isinstance(asked.get("params", []), list | dict):
        return "the params of a request must be an array or an object"
    if not _is_id(asked.get("id")):
        return "the id of a request must be a string, a number or null"
    return None


def _is_id(value: Any) -> bool:
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def _code_of(error: BaseException) -> int:
    if isinstance(error, UnknownMethod):
        return METHOD_NOT_FOUND
    if isinstance(error, InvalidArguments):
        return INVALID_PARAMS
    return METHOD_FAILED


def _failure(request_id: Any, code: int, error: BaseException) -> bytes:
    if not isinstance(error, Exception):  # an exit, or a cancelled wait
        error = ConnectionLost(f"the method ended with {shown(error)}")
    wire = error_to_wire(error)
    text = str(error) if isinstance(error, ConcurrentError) else f"{wire['type']}: {error}"
    message = f"{TEXT_BY_CODE[code]}: {text}" if code in TEXT_BY_CODE else text
    answer = {
        "jsonrpc": "2.0",
        "id": request_id,
        "error": {"code": code, "message": message, "data": wire},
    }
    return json.dumps(answer, default=str, separators=(",", ":")).encode()
