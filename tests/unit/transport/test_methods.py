from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.core import errors
from concurrent.core.errors import (
    ConfigurationError,
    InvalidArguments,
    NotAllowed,
    RemoteError,
    UnknownMethod,
    WorkerDied,
)
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import (
    MethodRegistry,
    error_from_wire,
    error_to_wire,
    jsonremote,
    tcpremote,
)
from concurrent.transport.security.identity import ANYBODY, Identity
from concurrent.transport.security.roles import DEFAULT_ROLES, Role
from tests.unit.transport.parts import Peer

REQUEST = Request("any", None, "192.0.2.1", ANYBODY)
CALL = (Peer(), REQUEST)
STRANGER = Identity(Role.OBSERVE, "window")


@pytest.fixture
def methods() -> MethodRegistry:
    endpoint = SimpleNamespace(methods=MethodRegistry())

    @tcpremote(endpoint, name="register_slave")
    def register_slave_tcp(handler, request, node_id, port=0):
        return [handler, request, node_id, port]

    return endpoint.methods


def test_context_arguments_come_before_those_of_the_peer(methods: MethodRegistry) -> None:
    value = methods.dispatch("register_slave", CALL, ["n"], {"port": 4})
    assert value == [*CALL, "n", 4]


def test_an_unknown_method_names_the_nearest_one(methods: MethodRegistry) -> None:
    with pytest.raises(UnknownMethod, match=r"'register_slav'.*mean 'register_slave'"):
        methods.dispatch("register_slav", CALL, [], {})


@pytest.mark.parametrize(("args", "kwargs"), [([], {}), ([1, 2, 3], {}), ([1], {"x": 1})])
def test_wrong_arguments_name_the_method_and_its_use(methods, args, kwargs) -> None:
    with pytest.raises(InvalidArguments, match=r"register_slave\(node_id, port=0\)"):
        methods.dispatch("register_slave", CALL, args, kwargs)


def test_a_long_name_is_not_echoed_whole(methods: MethodRegistry) -> None:
    with pytest.raises(UnknownMethod) as unknown:
        methods.dispatch("x" * 10**6, CALL, [], {})
    with pytest.raises(InvalidArguments) as unfit:
        methods.dispatch("register_slave", CALL, [], {"x" * 10**6: 1})
    assert max(len(str(caught.value)) for caught in (unknown, unfit)) < 500


@pytest.mark.parametrize(
    "args", [[["x"], 5, {}], [None, 5, {}], ["x", "5", {}], ["x", True, {}], ["x", 5, [1]], ["x", 5, {}, "1"]]
)
def test_an_argument_of_another_type_is_refused_before_the_call(args: list[Any]) -> None:
    registry = MethodRegistry()

    def register(_request: Any, node_id: str, port: int, data: dict[str, Any], share: float = 0.5) -> str:
        return node_id

    registry.register(register)
    with pytest.raises(InvalidArguments, match=r"must be \w+, but is \w+. Call it as register\(node_id: str"):
        registry.dispatch("register", (REQUEST,), args, {})
    assert registry.dispatch("register", (REQUEST,), ["x", 5, {}, 1], {}) == "x"


def test_what_fitted_once_is_looked_at_again() -> None:
    registry = MethodRegistry()

    def put(_request: Any, numbers: list[int], share: float = 0.5) -> int:
        return len(numbers)

    registry.register(put)
    for fits in ([[1]], [[1, 2], 1.5], [[1, 2, 3], 1], [[]]):
        assert registry.dispatch("put", (REQUEST,), fits, {}) == len(fits[0])
    for unfit in ([["1"]], [[1, None], 1.5], [[1], "1"], [], [[1], 1, 1], [(1,)]):
        with pytest.raises(InvalidArguments):
            registry.dispatch("put", (REQUEST,), unfit, {})
    assert registry.dispatch("put", (REQUEST,), [[1]], {"share": 1}) == 1


def test_what_is_remembered_of_arguments_is_bounded() -> None:
    registry = MethodRegistry()

    def put(_request, value):
        return value

    registry.register(put)
    for number in range(200):
        value = type(f"Kind{number}", (), {})()
        assert registry.dispatch("put", (REQUEST,), [value], {}) is value
    (method,) = registry
    assert len(method.fitting) == 64


def test_how_many_of_what_is_not_checked() -> None:
    registry = MethodRegistry()

    def put(_request: Any, a: "Any", *rest: int, **options: str) -> int:
        return len(rest)

    registry.register(put)
    assert registry.dispatch("put", (REQUEST,), [None, 1.5, "x"], {"c": None}) == 2


def test_the_use_shows_hints_as_they_are_written() -> None:
    registry = MethodRegistry()

    def put(request: "Any", name: "str", *parts: "list[int]", size: int = 3) -> None:
        """Put."""

    registry.register(put)
    (method,) = registry
    assert registry.usage(method, ("r",)) == "put(name: str, *parts: list[int], size: int = 3)"


def test_a_name_is_registered_once(methods: MethodRegistry) -> None:
    with pytest.raises(InvalidArguments, match="registered already"):
        methods.register(print, "register_slave")


def test_each_error_of_the_framework_comes_back_as_its_own_class() -> None:
    for name in errors.__all__:
        cls = getattr(errors, name)
        if cls is RemoteError:
            continue
        back = error_from_wire(error_to_wire(cls("wrong", thing="t", remedy="Mend it")))
        assert type(back) is cls
        assert str(back) == "wrong. Mend it"


def test_any_other_exception_comes_back_with_its_remote_traceback() -> None:
    try:
        {}["absent"]
    except KeyError as error:
        back = error_from_wire(error_to_wire(error))
    assert isinstance(back, RemoteError)
    assert back.type_name == "KeyError"
    assert error_to_wire(KeyError())["code"] == "remote"
    assert "test_methods.py" in back.traceback


@pytest.mark.parametrize("wire", [None, 3, [], {}, {"code": "worker-died", "data": 5}])
def test_a_malformed_error_is_still_an_error(wire) -> None:
    assert isinstance(error_from_wire(wire), RemoteError | WorkerDied)


def owner() -> Any:
    """Return something that has methods."""
    return SimpleNamespace(methods=MethodRegistry())


@pytest.mark.parametrize(
    "function", [lambda: 1, lambda a, b: a, lambda handler, request: 1, lambda *, request: 1]
)
def test_a_json_method_without_a_request_is_refused_where_it_is_registered(function) -> None:
    function.__name__ = "add"
    with pytest.raises(InvalidArguments, match=r"'add' does not begin with request. Write def add\(request, "):
        jsonremote(owner())(function)


@pytest.mark.parametrize("function", [lambda: 1, lambda handler: 1, lambda request, a: 1, lambda handler, a: 1])
def test_a_method_of_a_session_without_handler_and_request_is_refused(function) -> None:
    function.__name__ = "add"
    with pytest.raises(InvalidArguments, match=r"does not begin with handler and request"):
        tcpremote(owner())(function)


@pytest.mark.parametrize(
    "function", [lambda request: 1, lambda req, a: 1, lambda _request: 1, lambda _, a: 1, lambda *args: 1]
)
def test_a_request_may_be_named_in_short(function) -> None:
    service = owner()
    jsonremote(service, name="add")(function)
    assert "add" in service.methods


def of(role: Role) -> tuple[Request]:
    """Return what a method is called with before the arguments of somebody with a role."""
    return (REQUEST._replace(identity=Identity(role, "bench-7")),)


def test_a_method_is_for_the_roles_that_it_names_and_for_those_that_may_everything() -> None:
    service = owner()
    jsonremote(service, "see", roles=["observe"])(lambda request: "seen")
    jsonremote(service, "seize")(lambda request: "seized")
    (see, seize) = service.methods
    assert (see.roles, seize.roles) == (DEFAULT_ROLES | {Role.OBSERVE}, DEFAULT_ROLES)
    for role in Role:
        for method in (see, seize):
            if role in method.roles:
                assert service.methods.dispatch(method.name, of(role), [], {}) == method.function(None)
            else:
                with pytest.raises(NotAllowed):
                    service.methods.dispatch(method.name, of(role), [], {})
    assert service.methods.dispatch("seize", (REQUEST._replace(identity=ANYBODY),), [], {}) == "seized"


def test_a_refusal_says_who_what_which_roles_may_and_what_to_type() -> None:
    service = owner()
    jsonremote(service, "push", roles=[Role.SUBMIT])(lambda request: 1)
    with pytest.raises(NotAllowed) as caught:
        service.methods.dispatch("push", of(Role.SLAVE), [], {})
    assert str(caught.value) == (
        "slave bench-7 may not call push, which is for submit, admin, master. Run 'concurrent keys invite "
        "submit' on the master's machine, and what that prints (concurrent join LINE) here"
    )
    jsonremote(service, "end")(lambda request: 1)
    with pytest.raises(NotAllowed, match="keys invite admin"):
        service.methods.dispatch("end", of(Role.SUBMIT), [], {})


def test_more_roles_may_be_allowed_to_call_a_method() -> None:
    service = owner()
    jsonremote(service, "push", roles=["submit"])(lambda request: 1)
    service.methods.allow("push", [Role.SLAVE])
    (push,) = service.methods
    assert push.roles == DEFAULT_ROLES | {Role.SUBMIT, Role.SLAVE}
    assert service.methods.dispatch("push", of(Role.SLAVE), [], {}) == 1


def test_somebody_is_told_of_refusals() -> None:
    service, told = owner(), []
    jsonremote(service, "end")(lambda request: 1)
    service.methods.on_refused = lambda request, error: told.append((request.identity.name, error.thing))
    with pytest.raises(NotAllowed):
        service.methods.dispatch("end", of(Role.SUBMIT), [], {})
    service.methods.dispatch("end", of(Role.ADMIN), [], {})
    assert told == [("bench-7", "end")]


def test_who_may_not_call_a_method_learns_nothing_of_its_arguments(methods: MethodRegistry) -> None:
    peer = Peer()
    peer.identity = STRANGER
    with pytest.raises(NotAllowed):
        methods.dispatch("register_slave", (peer, REQUEST), [1, 2, 3, 4], {"x": 1})


def test_an_unknown_name_is_not_compared_with_what_the_peer_may_not_call(methods: MethodRegistry) -> None:
    peer = Peer()
    peer.identity = STRANGER
    with pytest.raises(UnknownMethod, match=r"there is no method 'register_slav'$"):
        methods.dispatch("register_slav", (peer, REQUEST), [], {})


def test_what_fitted_for_one_role_is_refused_to_another(methods: MethodRegistry) -> None:
    peer = Peer()
    assert methods.dispatch("register_slave", (peer, REQUEST), ["n"], {})
    peer.identity = STRANGER
    with pytest.raises(NotAllowed):
        methods.dispatch("register_slave", (peer, REQUEST), ["n"], {})


def test_a_role_that_there_is_not_is_refused_where_the_method_is_registered() -> None:
    with pytest.raises(ConfigurationError, match="there is no role 'root'"):
        jsonremote(owner(), "end", roles=["root"])(lambda request: 1)
