"""Messages are declared once: what a sender says, and what a receiver checks, comes from the declaration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.core.errors import InvalidArguments
from concurrent.transport.calls.declaration import Call, Cast, Direction, Hint
from concurrent.transport.calls.methods import MethodRegistry, receives
from concurrent.transport.security.roles import DEFAULT_ROLES, Role
from tests.unit.transport.parts import Peer

UP = Direction(("leaf",), ("root",), roles=("slave",))
CALL = (Peer(), None)


@UP.cast()
def put(numbers: list[int], share: float = 0.5) -> None:
    """Keep numbers."""


@UP.hint(feature="colours")
def colour(name: str) -> None:
    """Show a colour."""


@UP.hint()
def progress(done: int) -> None:
    """Show how far it is."""


@UP.call()
def count(name: str) -> int:
    """Return how many there are."""
    raise NotImplementedError


@pytest.fixture
def endpoint() -> Any:
    return SimpleNamespace(methods=MethodRegistry())


def test_a_declaration_has_the_name_and_the_nodes() -> None:
    assert (put.name, put.senders, put.receivers) == ("put", {"leaf"}, {"root"})
    assert put.usage == "put(numbers: list[int], share: float)"


def test_the_kind_says_what_a_refusal_does() -> None:
    assert [type(one) for one in (put, colour, count)] == [Cast, Hint, Call]
    assert [one.is_vital for one in (put, colour, count)] == [True, False, False]


def test_a_sender_may_wait_for_another_time() -> None:
    short = count.within(0.5)
    assert (short.timeout_s, short.name, count.timeout_s) == (0.5, "count", 30.0)


def test_a_receiver_is_called_with_the_fields(endpoint: Any) -> None:
    taken: list[Any] = []

    @receives(endpoint, put)
    def take(handler: Any, _request: Any, numbers: list[int], share: float = 0.5) -> None:
        taken.append((handler, numbers, share))

    endpoint.methods.dispatch("put", CALL, [[1, 2]], {})
    endpoint.methods.dispatch("put", CALL, [[3]], {"share": 1})
    assert taken == [(CALL[0], [1, 2], 0.5), (CALL[0], [3], 1)]


@pytest.mark.parametrize("args", [[["1"]], ["12"], [[1], "x"], [], [[1], 0.5, 1]])
def test_what_a_peer_may_send_is_what_the_declaration_says(endpoint: Any, args: list[Any]) -> None:
    @receives(endpoint, put)
    def take(_handler, _request, numbers, share=0.5):
        raise AssertionError("must not be called")

    with pytest.raises(InvalidArguments, match=r"Call it as put\(numbers"):
        endpoint.methods.dispatch("put", CALL, args, {})


def test_a_receiver_takes_a_message_from_the_roles_of_its_direction(endpoint: Any) -> None:
    receives(endpoint, count)(lambda handler, request, name: 0)
    down = Direction(("root",), ("leaf",)).cast()(lambda: None)
    receives(endpoint, down)(lambda handler, request: None)
    assert [method.roles for method in endpoint.methods] == [DEFAULT_ROLES | {Role.SLAVE}, DEFAULT_ROLES]


def test_the_registry_knows_what_a_receiver_says_in_its_greeting(endpoint: Any) -> None:
    receives(endpoint, put)(lambda handler, request, numbers, share: None)
    receives(endpoint, colour)(lambda handler, request, name: None)
    receives(endpoint, progress)(lambda handler, request, done: None)
    assert endpoint.methods.features == ["colours"]
    assert [name for name in ("put", "colour", "progress") if endpoint.methods.is_vital(name)] == ["put"]
    assert [method.message for method in endpoint.methods] == [put, colour, progress]


@pytest.mark.parametrize(
    "function",
    [
        lambda handler, request, number, share: None,
        lambda handler, request, share, numbers: None,
        lambda handler, numbers, share: None,
    ],
)
def test_a_receiver_of_other_fields_is_a_mistake_at_once(endpoint: Any, function: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"handler, request, numbers, share"):
        receives(endpoint, put)(function)


def test_a_message_is_taken_by_one_function(endpoint: Any) -> None:
    receives(endpoint, progress)(lambda handler, request, done: None)
    with pytest.raises(InvalidArguments, match="registered already"):
        receives(endpoint, progress)(lambda handler, request, done: None)
