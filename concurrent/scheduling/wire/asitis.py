"""Exceptions that cannot be made again from their arguments travel as they are.

An exception is pickled as its class and ``args``, which is what its class handed to ``Exception.__init__``. One
that takes two arguments and hands on a text cannot be made from that text. So its class is not called: what the
exception is and has is set.
"""

from __future__ import annotations

from typing import Any

__all__ = ["AsItIs", "forms_of", "remade"]


def forms_of(error: BaseException) -> tuple[Any, ...]:
    """Return what to pickle for an exception, in the order in which to try it.

    What says itself how it is pickled is not pickled otherwise, and what has slots would lose them.
    """
    kind, base = type(error), _builtin_base(type(error))
    has_own_way = kind.__reduce__ is not base.__reduce__ or kind.__reduce_ex__ is not base.__reduce_ex__
    has_slots = any(vars(one).get("__slots__") for one in kind.__mro__)
    return (error,) if has_own_way or has_slots else (error, AsItIs(error))


class AsItIs:
    """Stands for an exception in a pickle; what is unpickled is the exception.

    :param error: whose class may have any ``__init__``, and no ``__new__`` of its own that wants more.
    """

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __reduce__(self) -> tuple[Any, ...]:
        kind = type(self._error)
        _, arguments, *state = _builtin_base(kind).__reduce__(self._error)
        return remade, (kind, _forms_in(arguments), *state)


def remade(kind: type[BaseException], arguments: tuple[Any, ...], state: Any = None) -> BaseException:
    """Return an exception as it was, without a call of its own ``__init__``.

    :param arguments: its ``args``, or what its builtin base is made from.
    :param state: its attributes, None if it has none.
    """
    error = kind.__new__(kind, *arguments)
    base = _builtin_base(kind)
    base.__init__(error, *arguments)
    if state is not None:
        base.__setstate__(error, state)
    return error


def _forms_in(argument: Any) -> Any:
    """Return an argument with what stands for the exceptions in it, as those of a group are."""
    if isinstance(argument, BaseException):
        return forms_of(argument)[-1]
    if type(argument) in (list, tuple):
        return type(argument)(map(_forms_in, argument))
    return argument


def _builtin_base(kind: type[BaseException]) -> Any:
    """Return the class of the language that an exception derives from."""
    return next(base for base in kind.__mro__ if base.__module__ == "builtins")
