"""The methods that a peer may call: one registry and one decorator idea for every carrier.

A server, a client and a web service each own a :class:`MethodRegistry` as ``methods``. Errors cross
the wire as plain dictionaries; see :func:`error_to_wire`.
"""

from __future__ import annotations

import difflib
import inspect
import traceback
from collections.abc import Callable, Container
from dataclasses import dataclass
from operator import contains
from typing import TYPE_CHECKING, Any, Concatenate, Final, Protocol, TypeVar

from concurrent.core import errors
from concurrent.core.errors import ConcurrentError, InvalidArguments, RemoteError, UnknownMethod
from concurrent.core.foreign import text_of
from concurrent.transport.calls.arguments import Check, checks_of
from concurrent.transport.calls.declaration import Message, P, R

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

REQUEST_NAMES: Final = ("request", "req", "")

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Method:
    """One registered method; what costs microseconds is computed once.

    ``check_by_parameter`` has what a peer may send for parameters whose annotations say that, see
    ``arguments.py``; ``types`` has the types that fit the positional ones from the first that is checked on,
    in their order, and ``item_types`` the places of those that are lists and the types of their items. Both are
    empty if there are others than positional ones. ``counts`` has the numbers of arguments that fit these.
    ``feature`` is the name of the feature that the method is part of, if it came after the first form of the
    protocol.
    ``is_vital`` says that the session ends if a cast of it is refused.
    ``message`` is the declaration, if both ends have one.
    """

    name: str
    function: Callable[..., Any]
    doc: str
    signature: inspect.Signature
    check_by_parameter: dict[str, Check]
    first_checked: int
    types: tuple[Container[type], ...]
    item_types: tuple[tuple[int, frozenset[type]], ...]
    counts: range
    feature: str | None
    is_vital: bool
    message: Message[..., Any] | None

    def is_sure_to_fit(self, args: tuple[Any, ...]) -> bool:
        """Tell at once, in the usual case, that these arguments fit; else they have to be bound to find out."""
        count = len(args)
        if count not in self.counts:
            return False
        if not all(map(contains, self.types, map(type, args[self.first_checked :]))):
            return False
        for index, types in self.item_types:
            if index < count and not types.issuperset(map(type, args[index])):
                return False
        return True


class _Anything:
    """Contains whatever it is asked for: what a parameter may be that is not checked."""

    def __contains__(self, _: object) -> bool:
        return True


ANYTHING: Final = _Anything()


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
    """Methods by name. Register before the owner starts; dispatch on its loop thread."""

    def __init__(self) -> None:
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
    ) -> None:
        """Make ``function`` callable by peers as ``name``, by default its own name.

        :param feature: what this end says in its greetings that it knows because it has the method.
        :param is_vital: end the session of a peer whose cast of it is refused, see :func:`tcpremote`.
        :raises InvalidArguments: if the name is taken: two methods would hide one another.
        """
        self._add(name or function.__name__, function, function, doc, feature=feature, is_vital=is_vital)

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
        parameters = signature.parameters.values()
        checks = checks_of(declared, inspect.signature(declared))
        is_plain = all(one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in parameters)
        positional = tuple(map(checks.get, signature.parameters)) if is_plain else ()
        first_checked = next((at for at, one in enumerate(positional) if one is not None), len(positional))
        required_count = sum(one.default is one.empty for one in parameters)
        self._method_by_name[name] = Method(
            name,
            function,
            doc,
            signature,
            checks,
            first_checked=first_checked,
            types=tuple(ANYTHING if one is None else one.types for one in positional[first_checked:]),
            item_types=tuple(
                (index, one.item_types)
                for index, one in enumerate(positional)
                if one is not None and one.item_types is not None
            ),
            counts=range(required_count, len(positional) + 1),
            feature=feature,
            is_vital=is_vital,
            message=message,
        )

    def is_vital(self, name: str) -> bool:
        """Whether there is a method of that name whose refusal ends the session."""
        method = self._method_by_name.get(name)
        return method is not None and method.is_vital

    def dispatch(self, name: str, first: tuple[Any, ...], args: Any, kwargs: dict[str, Any]) -> Any:
        """Call a method with the context arguments ``first`` before those of the peer.

        :raises UnknownMethod: if there is none of that name.
        :raises InvalidArguments: if the arguments do not fit the signature, or one is of another type
            than its annotation says; the method was not called then.
        """
        method = self._method_by_name.get(name) if type(name) is str else None
        if method is None:
            shown = str(name)[:NAME_LENGTH_MAX]
            near = difflib.get_close_matches(shown, self._method_by_name, 1)
            raise UnknownMethod(
                f"there is no method {shown!r}",
                thing=shown,
                remedy=f"Did you mean {near[0]!r}?" if near else None,
            )
        everything = (*first, *args)
        if not kwargs and method.is_sure_to_fit(everything):
            return method.function(*everything)
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
        return method.function(*everything, **kwargs)

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
) -> Callable[[AnyFunction], AnyFunction]:
    """Register ``f(handler, request, ...)`` with a TCP or ZeroMQ server or client.

    :param feature: the greetings of this end say that it knows this, because it has the method; a peer asks
        ``handler.peer_has(feature)`` before it calls.
    :param is_vital: both ends would count on different things if a cast of the method were lost, so one that
        is refused, or fails, ends the session: the peer is told why, and what it had goes on as after any
        other end of a session. A call that is refused ends nothing, for its caller is told.
    """
    return _registering(endpoint, name, doc, ("handler", "request"), feature=feature, is_vital=is_vital)


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
    service: HasMethods, name: str | None = None, doc: str | None = None
) -> Callable[[AnyFunction], AnyFunction]:
    """Register ``f(request, ...)`` with a JSON web service."""
    return _registering(service, name, doc, ("request",))


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
