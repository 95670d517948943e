"""What a part says of itself at a moment: frozen dataclasses that become JSON and come back. A pure module.

Every class derives from :class:`Status`. Its attributes are the keys of its JSON object, so nothing is written
down twice. To read is tolerant, since another version may have made the answer: what is missing or of another
type is the blank of its type (0, an empty text, no rows, None), and what is not known is left out, or kept
in ``more`` where a class has an attribute of that name. A part that is not there is None here, ``{}`` in JSON.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Final, TypeVar

__all__ = ["Status", "hints_of", "part_of"]

MORE: Final = "more"
"""The attribute for what others add: a class that has it loses nothing of an answer."""

BLANKS: Final[dict[Any, Any]] = {int: 0, float: 0.0, str: "", bool: False}

AnyStatus = TypeVar("AnyStatus", bound="Status")
Read = Callable[[Any], Any]
Write = Callable[[Any], Any]


class Status:
    """The base of all of them; see the module. Derived classes are frozen dataclasses."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as the values that JSON has: dictionaries, lists, texts, numbers, None."""
        names, writers = _plan(type(self))  # type: ignore[arg-type]
        answer = {name: getattr(self, name) for name in names}
        for name, write in writers:
            answer[name] = write(answer[name])
        answer.update(getattr(self, MORE, {}))
        return answer

    @classmethod
    def from_json(cls: type[AnyStatus], answer: Any) -> AnyStatus:
        """Return what an answer says; of one that is no object everything is blank."""
        said: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
        readers = _readers(cls)  # type: ignore[arg-type]
        values = {name: read(said.get(name)) for name, read in readers.items()}
        if any(one.name == MORE for one in fields(cls)):  # type: ignore[arg-type]
            values[MORE] = {name: value for name, value in said.items() if name not in readers}
        return cls(**values)


def hints_of(status: type[Status]) -> Mapping[str, Any]:
    """Return the types of the keys of a status, in their order."""
    hints = typing.get_type_hints(status)
    return {one.name: hints[one.name] for one in fields(status) if one.name != MORE}  # type: ignore[arg-type]


def part_of(hint: Any) -> type[Status] | None:
    """Return the class of a part that may not be there (``SomeStatus | None``), None for any other type."""
    inner = _inner_of_optional(hint)
    return inner if isinstance(inner, type) and issubclass(inner, Status) else None


@cache
def _plan(status: Any) -> tuple[list[str], list[tuple[str, Write]]]:
    """Return the names of the attributes, and what makes JSON of those that are not plain."""
    hints = hints_of(status)
    writers = [(name, write) for name, hint in hints.items() if (write := _writer_of(hint)) is not None]
    return list(hints), writers


def _writer_of(hint: Any) -> Write | None:
    """Return what makes plain values of those of a type, None if they are plain."""
    args = typing.get_args(hint)
    if part_of(hint) is not None:
        return lambda value: {} if value is None else value.to_json()
    if isinstance(hint, type) and issubclass(hint, Status):
        return lambda value: value.to_json()
    if args and isinstance(args[0], type) and issubclass(args[0], Status):
        return lambda rows: [row.to_json() for row in rows]
    return _plain if _has_tuples(hint) else None


def _has_tuples(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple or any(map(_has_tuples, typing.get_args(hint)))


def _plain(value: Any) -> Any:
    """Return a value with lists for tuples, as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _itself(value: Any) -> Any:
    return value


@cache
def _readers(status: Any) -> Mapping[str, Read]:
    return {name: _reader_of(hint) for name, hint in hints_of(status).items()}


def _reader_of(hint: Any) -> Read:
    """Return what makes a value of a type of whatever JSON has in its place, None for nothing included."""
    inner = _inner_of_optional(hint)
    if inner is not None:
        return _optional(_reader_of(inner))
    if isinstance(hint, type) and issubclass(hint, Status):
        return hint.from_json
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and args[-1] is Ellipsis:
        return _rows(_reader_of(args[0]))
    if origin is tuple:
        return _tuple([_reader_of(arg) for arg in args])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(args[0], _reader_of(args[1]))
    return _itself if hint is Any else _scalar(hint)


def _inner_of_optional(hint: Any) -> Any:
    """Return X of ``X | None``, None for any other type."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return None
    inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
    return inner[0] if len(inner) == 1 else None


def _scalar(kind: type) -> Read:
    blank = BLANKS[kind]
    if kind is float:
        return lambda value: float(value) if type(value) in (int, float) else blank
    return lambda value: value if type(value) is kind else blank


def _optional(read: Read) -> Read:
    def read_optional(value: Any) -> Any:
        return None if value is None or value == {} else read(value)

    return read_optional


def _rows(read: Read) -> Read:
    def read_rows(value: Any) -> tuple[Any, ...]:
        return tuple(map(read, value)) if isinstance(value, (list, tuple)) else ()

    return read_rows


def _tuple(reads: list[Read]) -> Read:
    def read_tuple(value: Any) -> tuple[Any, ...]:
        fits = isinstance(value, (list, tuple)) and len(value) == len(reads)
        return tuple(read(one) for read, one in zip(reads, value if fits else [None] * len(reads), strict=True))

    return read_tuple


def _mapping(key_type: type, read: Read) -> Read:
    """Return what reads a mapping; JSON has texts for keys that are numbers."""

    def read_mapping(value: Any) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            return {}
        try:
            return {key_type(key): read(one) for key, one in value.items()}
        except ValueError:  # a key that is no number
            return {}

    return read_mapping
