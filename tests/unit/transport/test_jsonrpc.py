"""JSON-RPC 2.0 without HTTP: the examples of the specification and what it leaves open."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import Future
from typing import Any

import pytest

from concurrent.core.errors import InvalidArguments, MalformedMessage
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.identity import ANYBODY
from concurrent.transport.web.jsonrpc import JSONRPCAnswerer, decode_json, encode_json


class Answerer:
    def __init__(self) -> None:
        self.methods = MethodRegistry()
        self.events: Counter[str] = Counter()
        self.notes: list[Any] = []
        self._answerer = JSONRPCAnswerer(self.methods, batch_max=5, call_timeout_s=0.05, on_event=self._count)
        self.methods.register(lambda request, minuend, subtrahend: minuend - subtrahend, "subtract")
        self.methods.register(lambda request, *values: self.notes.append(values), "update")
        self.methods.register(lambda request: ["hello", 5], "get_data")

    def _count(self, name: str) -> None:
        self.events[name] += 1

    def __call__(self, body: str) -> Any:
        answer = self._answerer.answer(body.encode(), "10.0.0.9", ANYBODY).body
        return None if answer is None else json.loads(answer)


@pytest.fixture
def answer() -> Answerer:
    return Answerer()


def test_positional_and_named_parameters(answer: Answerer) -> None:
    by_position = '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": "a"}'
    assert answer(by_position) == {"jsonrpc": "2.0", "result": 19, "id": "a"}
    by_name = '{"jsonrpc":"2.0","method":"subtract","params":{"subtrahend":23,"minuend":42},"id":1.5}'
    assert answer(by_name) == {"jsonrpc": "2.0", "result": 19, "id": 1.5}


def test_notifications_are_not_answered_even_if_they_fail(answer: Answerer) -> None:
    assert answer('{"jsonrpc":"2.0","method":"update","params":[1,2]}') is None
    assert answer('{"jsonrpc":"2.0","method":"absent"}') is None
    assert answer('[{"jsonrpc":"2.0","method":"update"}]') is None
    assert answer.notes == [(1, 2), ()]
    assert answer.events == {"calls": 3, "failures": 1}


def test_a_key_that_comes_twice_among_many_is_named() -> None:
    keys = [f'"k{index}":0' for index in range(200_000)]
    with pytest.raises(MalformedMessage, match="the key 'twice' comes more than once"):
        decode_json(f'{{{",".join(keys)},"twice":1,"twice":2}}'.encode())


def test_a_null_id_is_still_an_id(answer: Answerer) -> None:
    assert answer('{"jsonrpc":"2.0","method":"get_data","id":null}')["result"] == ["hello", 5]


@pytest.mark.parametrize(
    ("body", "code", "request_id"),
    [
        ('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', -32700, None),
        ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}', -32600, None),
        ('{"jsonrpc": "2.0", "method": "get_data", "params": 5, "id": 7}', -32600, 7),
        ('{"jsonrpc": "1.0", "method": "get_data", "id": 7}', -32600, 7),
        ('{"method": "get_data", "id": true}', -32600, None),
        ('{"jsonrpc": "2.0", "method": "get_data", "id": []}', -32600, None),
        ("[]", -32600, None),
        ("1", -32600, None),
        ("[1,1,1,1,1,1]", -32600, None),
        ('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', -32601, "1"),
        ('{"jsonrpc": "2.0", "method": "subtract", "params": [1], "id": 2}', -32602, 2),
        ('{"jsonrpc": "2.0", "method": "get_data", "params": {"request": 1}, "id": 2}', -32602, 2),
        ('{"jsonrpc": "2.0", "method": "subtract", "params": ["a", 1], "id": 3}', -32000, 3),
    ],
)
def test_each_failure_has_its_standard_code(answer: Answerer, body, code, request_id) -> None:
    got = answer(body)
    assert (got["error"]["code"], got["id"]) == (code, request_id)
    assert set(got["error"]["data"]) == {"code", "type", "message", "traceback", "data"}


def test_a_batch_answers_good_and_bad_calls_in_order(answer: Answerer) -> None:
    got = answer(
        '[{"jsonrpc":"2.0","method":"subtract","params":[2,1],"id":1},'
        '{"jsonrpc":"2.0","method":"update","params":[7]}, 1,'
        '{"foo":"boo"}, {"jsonrpc":"2.0","method":"get_data","id":"9"}]'
    )
    assert [one.get("result", one.get("error", {}).get("code")) for one in got] == [
        1, -32600, -32600, ["hello", 5],
    ]  # fmt: skip


def test_the_request_says_who_calls_and_numbers_calls(answer: Answerer) -> None:
    answer.methods.register(lambda request: [*request[:3], request.identity.name], "me")
    calls = '[{"jsonrpc":"2.0","method":"me","id":"x"},{"jsonrpc":"2.0","method":"me","id":"x"}]'
    assert [one["result"] for one in answer(calls)] == [
        ["me", 1, "10.0.0.9", "anybody"],
        ["me", 2, "10.0.0.9", "anybody"],
    ]


def test_the_timeout_of_a_future_differs_from_a_timeout_in_it(answer: Answerer) -> None:
    failed: Future[Any] = Future()
    failed.set_exception(TimeoutError("its own"))
    answer.methods.register(lambda request: failed, "own")
    answer.methods.register(lambda request: Future(), "never")
    assert answer('{"jsonrpc":"2.0","method":"own","id":1}')["error"]["data"]["message"] == "its own"
    assert answer('{"jsonrpc":"2.0","method":"never","id":1}')["error"]["data"]["code"] == "timeout"


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf1", b"-Infinity", b"[1e400]", b"", b"9" * 5000])
def test_what_is_not_strict_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedMessage, match="not JSON"):
        decode_json(body)


@pytest.mark.parametrize("value", [object(), float("inf"), b"x", {(1, 2): 3}])
def test_what_has_no_json_form_is_named(value: Any) -> None:
    with pytest.raises(InvalidArguments, match="the thing has no JSON form"):
        encode_json(value, "the thing")
