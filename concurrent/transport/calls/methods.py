"""The methods that a peer may call: one registry and one decorator idea for every carrier.

A server, a client and a web service each own a :class:`MethodRegistry` as ``methods``. Errors cross
the wire as plain dictionaries; see :func:`error_to_wire`.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Concatenate, Final, Protocol, TypeVar

from concurrent.core import errors
from concurrent.core.errors import ConcurrentError, InvalidArguments, NotAllowed, RemoteError, UnknownMethod
from concurrent.core.foreign import text_of
from concurrent.core.nearest import nearest
from concurrent.transport.calls.arguments import Check, checks_of
from concurrent.transport.calls.declaration import Message, P, R
from concurrent.transport.security.howtojoin import how_to_join
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role, in_order, roles_of

if TYPE_CHECKING:
    from concurrent.transport.calls.handler import TCPHandler

__all__ = [
    "Method",
    "MethodRegistry",
    "error_from_wire",
    "error_to_wire",
    "jsonremote",
    "receives",
    "tcpremote",
]

NAME_LENGTH_MAX: Final = 256
"""Of a longer name that a peer sent, errors show the beginning."""

FITTING_MAX: Final = 64
"""How many combinations of types of arguments a method remembers that fit."""

REQUEST_NAMES: Final = ("request", "req", "")

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Method:
    """One registered method; what costs microseconds is done once.

    ``check_by_parameter`` has what a peer may send for parameters whose annotations say that, see
    ``arguments.py``; ``item_types`` has the places of those that are lists, and the types of their items.
    ``fitting`` has the types of arguments, in their order, of which it turned out that they fit.
    ``feature`` is the name of the feature that the method is part of, if it came after the first form of the
    protocol.
    ``is_vital`` says that the session ends if a cast of it is refused.
    ``roles`` are those of peers that may call it.
    ``message`` is the declaration, if both ends have one.
    """

    name: str
    function: Callable[..., Any]
    doc: str
    signature: inspect.Signature
    check_by_parameter: dict[str, Check]
    item_types: tuple[tuple[int, frozenset[type]], ...]
    feature: str | None
    is_vital: bool
    roles: frozenset[Role]
    message: Message[..., Any] | None
    fitting: set[tuple[type, ...]] = field(default_factory=set)

    def has_fitting_items(self, args: tuple[Any, ...]) -> bool:
        """Tell whether the items of lists are of types that fit, if the lists themselves do."""
        count = len(args)
        for index, types in self.item_types:
            if index < count and not types.issuperset(map(type, args[index])):
                return False
        return True


class _Hint(str):
    """An annotation that is written as text, shown without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _unquoted(parameter: inspect.Parameter) -> inspect.Parameter:
    hint = parameter.annotation
    return parameter.replace(annotation=_Hint(hint)) if isinstance(hint, str) else parameter


class HasMethods(Protocol):
    """Anything that owns a registry: a server, a client, a web service."""

    @property
    def methods(self) -> MethodRegistry:
        """The registry of what its peers may call."""


class MethodRegistry:
    """Methods by name. Register before the owner starts; dispatch on its loop thread.

    ``on_refused`` is called with the request of somebody who may not call a method, and the error, in the
    thread of the call.
    """

    def __init__(self) -> None:
        self.on_refused: Callable[[Any, NotAllowed], object] | None = None
        self._method_by_name: dict[str, Method] = {}

    def __iter__(self) -> Any:
        return iter(self._method_by_name.values())

    def __contains__(self, name: object) -> bool:
        return name in self._method_by_name

    @property
    def features(self) -> list[str]:
        """The names of the features that methods are part of."""
        return sorted({method.feature for method in self if method.feature is not None})

    def register(
        self,
        function: Callable[..., Any],
        name: str | None = None,
        doc: str | None = None,
        *,
        feature: str | None = None,
        is_vital: bool = False,
        roles: Iterable[Role | str] | None = None,
    ) -> None:
        """Make ``function`` callable by peers as ``name``, by default its own name.

        :param feature: what this end says in its greetings that it knows because it has the method.
        :param is_vital: end the session of a peer whose cast of it is refused, see :func:`tcpremote`.
        :param roles: the roles of peers that may call it, besides ``admin`` and ``master``, which may always.
        :raises InvalidArguments: if the name is taken: two methods would hide one another.
        :raises ConfigurationError: if there is no role of a name.
        """
        self._add(
            name or function.__name__,
            function,
            function,
            doc,
            feature=feature,
            is_vital=is_vital,
            roles=roles_of(roles),
        )

    def receive(self, message: Message[..., Any], function: Callable[..., Any]) -> None:
        """Make ``function`` what is called by a message; it takes the handler, the request and the fields.

        What a peer may send is what the declaration says.

        :raises InvalidArguments: if the fields have other names, or two functions take the message.
        """
        fields = list(message.signature.parameters)
        if list(inspect.signature(function).parameters)[2:] != fields:
            raise InvalidArguments(
                f"{function.__qualname__} takes other fields than the message {message.name!r}",
                thing=message.name,
                remedy=f"Write def {function.__name__}({', '.join(['handler', 'request', *fields])})",
            )
        self._add(
            message.name,
            function,
            message.function,
            None,
            feature=message.feature,
            is_vital=message.is_vital,
            roles=message.roles,
            message=message,
        )

    def _add(
        self,
        name: str,
        function: Callable[..., Any],
        declared: Callable[..., Any],
        doc: str | None,
        *,
        feature: str | None,
        is_vital: bool,
        roles: frozenset[Role],
        message: Message[..., Any] | None = None,
    ) -> None:
        """Add a method; what fits its parameters is what ``declared`` says of those of the same names."""
        if name in self._method_by_name:
            raise InvalidArguments(
                f"a method named {name!r} is registered already",
                thing=name,
                remedy="Give the second one another name with name=",
            )
        doc = doc or inspect.getdoc(function) or ""
        signature = inspect.signature(function)
        checks = checks_of(declared, inspect.signature(declared))
        self._method_by_name[name] = Method(
            name,
            function,
            doc,
            signature,
            checks,
            item_types=tuple(
                (index, check.item_types)
                for index, check in enumerate(map(checks.get, signature.parameters))
                if check is not None and check.item_types is not None
            ),
            feature=feature,
            is_vital=is_vital,
            roles=roles,
            message=message,
        )

    def allow(self, name: str, roles: Iterable[Role | str]) -> None:
        """Let peers with these roles call a method too.

        :raises KeyError: if there is none of that name.
        :raises ConfigurationError: if there is no role of a name.
        """
        method = self._method_by_name[name]
        self._method_by_name[name] = replace(method, roles=method.roles | roles_of(roles))

    def is_vital(self, name: str) -> bool:
        """Whether there is a method of that name whose refusal ends the session."""
        method = self._method_by_name.get(name)
        return method is not None and method.is_vital

    def dispatch(self, name: str, first: tuple[Any, ...], args: Any, kwargs: dict[str, Any]) -> Any:
        """Call a method with the context arguments ``first`` before those of the peer.

        The first of them has the ``identity`` of who calls: it is the handler of a session, or a request.

        :raises UnknownMethod: if there is none of that name.
        :raises NotAllowed: if who calls has no role that may.
        :raises InvalidArguments: if the arguments do not fit the signature, or one is of another type
            than its annotation says; the method was not called then.
        """
        method = self._method_by_name.get(name) if type(name) is str else None
        if method is None:
            raise self._unknown(name, first[0].identity)
        if first[0].identity.role not in method.roles:
            error = _not_allowed(method, first[0].identity)
            if self.on_refused is not None:
                self.on_refused(first[-1], error)
            raise error
        everything = (*first, *args)
        types = (*map(type, everything),)
        if kwargs or types not in method.fitting or not method.has_fitting_items(everything):
            self._check(method, first, everything, kwargs)
            if not kwargs and len(method.fitting) < FITTING_MAX:
                method.fitting.add(types)
        return method.function(*everything, **kwargs)

    def _unknown(self, name: object, identity: Identity) -> UnknownMethod:
        """Return the error for a name that no method has; it tells of no method that the peer may not call."""
        shown = str(name)[:NAME_LENGTH_MAX]
        near = nearest(shown, (one.name for one in self if identity.role in one.roles))
        return UnknownMethod(
            f"there is no method {shown!r}",
            thing=shown,
            remedy=f"Did you mean {near!r}?" if near else None,
        )

    def _check(
        self, method: Method, first: tuple[Any, ...], everything: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Raise InvalidArguments if arguments do not fit; ``everything`` has those of the context too."""
        name = method.name
        try:
            bound = method.signature.bind(*everything, **kwargs).arguments
        except TypeError as error:
            raise InvalidArguments(
                f"{name}: {str(error)[:NAME_LENGTH_MAX]}",
                thing=name,
                remedy=f"Call it as {self.usage(method, first)}",
            ) from None
        for parameter, check in method.check_by_parameter.items():
            complaint = check.complaint(bound[parameter]) if parameter in bound else None
            if complaint is not None:
                raise InvalidArguments(
                    f"{name}: {parameter} {complaint}",
                    thing=name,
                    value=parameter,
                    remedy=f"Call it as {self.usage(method, first)}",
                )

    @staticmethod
    def usage(method: Method, first: tuple[Any, ...]) -> str:
        """Return how a peer calls the method, without the context arguments."""
        parameters = list(method.signature.parameters.values())[len(first) :]
        return f"{method.name}({', '.join(str(_unquoted(parameter)) for parameter in parameters)})"


def tcpremote(
    endpoint: HasMethods,
    name: str | None = None,
    doc: str | None = None,
    *,
    feature: str | None = None,
    is_vital: bool = False,
    roles: Iterable[Role | str] | None = None,
) -> Callable[[AnyFunction], AnyFunction]:
    """Register ``f(handler, request, ...)`` with a TCP or ZeroMQ server or client.

    :param feature: the greetings of this end say that it knows this, because it has the method; a peer asks
        ``handler.peer_has(feature)`` before it calls.
    :param is_vital: both ends would count on different things if a cast of the method were lost, so one that
        is refused, or fails, ends the session: the peer is told why, and what it had goes on as after any
        other end of a session. A call that is refused ends nothing, for its caller is told.
    :param roles: the roles of peers that may call it, besides ``admin`` and ``master``, which may always.
    """
    return _registering(
        endpoint, name, doc, ("handler", "request"), feature=feature, is_vital=is_vital, roles=roles
    )


def receives(
    endpoint: HasMethods, message: Message[P, R]
) -> Callable[
    [Callable[Concatenate[TCPHandler, Any, P], R]],
    Callable[Concatenate[TCPHandler, Any, P], R],
]:
    """Register ``f(handler, request, ...)``, with the fields of a message, with who takes the message."""

    def register(
        function: Callable[Concatenate[TCPHandler, Any, P], R],
    ) -> Callable[Concatenate[TCPHandler, Any, P], R]:
        endpoint.methods.receive(message, function)
        return function

    return register


def jsonremote(
    service: HasMethods,
    name: str | None = None,
    doc: str | None = None,
    *,
    roles: Iterable[Role | str] | None = None,
) -> Callable[[AnyFunction], AnyFunction]:
    """Register ``f(request, ...)`` with a JSON web service.

    :param roles: the roles of who may call it, besides ``admin`` and ``master``, which may always.
    """
    return _registering(service, name, doc, ("request",), roles=roles)


def _registering(
    endpoint: HasMethods, name: str | None, doc: str | None, first: tuple[str, ...], **options: Any
) -> Callable[[AnyFunction], AnyFunction]:
    def register(function: AnyFunction) -> AnyFunction:
        _check_first(function, first)
        endpoint.methods.register(function, name, doc, **options)
        return function

    return register


def _check_first(function: Callable[..., Any], first: tuple[str, ...]) -> None:
    """Check that a function takes what it is called with before the arguments of the peer.

    The request is known by its name, ``request`` or ``req``, with underscores around it or nothing else.

    :raises InvalidArguments: if it does not.
    """
    parameters = list(inspect.signature(function).parameters.values())[: len(first)]
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return
    is_there = len(parameters) == len(first) and parameters[-1].name.strip("_") in REQUEST_NAMES
    if not is_there or any(one.kind is one.KEYWORD_ONLY for one in parameters):
        name = function.__name__
        raise InvalidArguments(
            f"the method {name!r} does not begin with {' and '.join(first)}",
            thing=name,
            remedy=f"Write def {name}({', '.join(first)}, ...); the arguments of the peer come after that",
        )


def _not_allowed(method: Method, identity: Identity) -> NotAllowed:
    """Return the error for a peer with a role that a method is not for."""
    roles = in_order(method.roles)
    return NotAllowed(
        f"{identity} may not call {method.name}, which is for {', '.join(roles)}",
        thing=method.name,
        value=str(identity.role),
        remedy=how_to_join(roles[0]),
    )


def error_to_wire(error: BaseException) -> dict[str, Any]:
    """Return an exception as plain values: code, type, message, traceback and data."""
    kind = type(error).__name__
    if isinstance(error, ConcurrentError):
        value = None if error.value is None else str(error.value)
        data = {"thing": error.thing, "value": value, "remedy": error.remedy}
        return {"code": error.code, "type": kind, "message": error.message, "traceback": "", "data": data}
    trace = "".join(traceback.format_exception(error))
    return {"code": RemoteError.code, "type": kind, "message": text_of(error), "traceback": trace, "data": {}}


def error_from_wire(wire: Any) -> ConcurrentError:
    """Return the exception that a peer reported; never raises, whatever the peer sent.

    An error of the framework comes back as its own class, anything else as
    :class:`concurrent.core.errors.RemoteError` with the remote traceback.
    """
    fields = wire if isinstance(wire, dict) else {"message": f"malformed error {wire!r:.200}"}
    message = str(fields.get("message", ""))
    data = fields.get("data")
    cls = _class_by_code().get(str(fields.get("code")))
    if cls is None:
        return RemoteError(
            message,
            type_name=str(fields.get("type", "Exception")),
            traceback=str(fields.get("traceback", "")),
            data=data,
        )
    known = data if isinstance(data, dict) else {}
    return cls(
        message,
        thing=known.get("thing"),
        value=known.get("value"),
        remedy=known.get("remedy"),
    )


def _class_by_code() -> dict[str, type[ConcurrentError]]:
    classes = (getattr(errors, name) for name in errors.__all__)
    return {cls.code: cls for cls in classes if cls is not RemoteError}
