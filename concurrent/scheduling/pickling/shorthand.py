"""What a worker is to do, as it travels: a place in the application's code, and data.

Pickle would name class and function anew in each payload, and ask each object how it is rebuilt. Nearly all
tasks are rebuilt from their class and their attributes, so most payloads are the pickle of a plain tuple:

============================ ===================================================================
``(*at, attributes)``        a task: an instance of the class that is at that place of the code
``(*at, [attributes, ...])`` a batch of tasks of one class
``(*at, args, kwargs)``      a call of the function at that place
============================ ===================================================================

A place of the application's code has three numbers: version, blob and position.

Anything else is pickled as it is: tasks that say themselves how they are pickled, or hold themselves, functions
without a name, and batches of several classes.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any, Final

from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.pickling.payload import PROTOCOL
from concurrent.scheduling.pickling.picklers import FastPickler
from concurrent.transport.frames.frames import Frame

__all__ = ["Shorthand", "expanded", "is_plain"]

PICKLING: Final = (
    "__reduce_ex__",
    "__reduce__",
    "__getstate__",
    "__setstate__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__setattr__",
)
"""With what a class can have a say in how its instances are pickled, or rebuilt."""

Numbers = tuple[int, int, int]
"""Where a class or function is in the application's code: version, blob and position."""


class Shorthand:
    """Pickles what one application, or task system, pushes. One thread.

    :param code: its code; refers to what is met, and pickles what has no short form.
    :param on_class: called with a class of tasks when the first one is pickled, and maybe again later.
    """

    def __init__(self, code: AppCode, on_class: Callable[[type[Any]], object] | None = None) -> None:
        self._code = code
        self._on_class = on_class
        self._numbers_by_type: dict[int, Numbers] = {}
        self._long_types: set[int] = set()
        self._spare_pickler: _ShortPickler | None = None

    def dumps(self, work: Any) -> bytes | Frame:
        """Pickle a task, a :class:`TaskBatch`, or a tuple of function, arguments and keyword arguments.

        :raises SchedulingError: if it cannot be pickled; the reason is its cause.
        """
        numbers = self._numbers_by_type.get(id(type(work)))
        if numbers is not None:
            version, blob, position = numbers  # to take it apart costs less than to add to it
            short: tuple[Any, ...] | None = (version, blob, position, work.__dict__)
        else:
            short = self._shortened(work)
        if short is None:
            return self._code.dumps_payload(work)
        # It is put back after a success only: one that failed, or is at work further up, is of no use.
        pickler = self._spare_pickler or _ShortPickler(self._code, self._numbers_by_type)
        self._spare_pickler = None
        try:
            payload = pickler.pickled(short)
        except _HoldsTask as inside:
            del self._numbers_by_type[inside.type_id]
            self._long_types.add(inside.type_id)
            return self._code.dumps_payload(work)
        except Exception:  # boundary: the value's own code runs here; the long way says what is wrong
            return self._code.dumps_payload(work)
        self._spare_pickler = pickler
        return payload

    def dumps_value(self, value: Any) -> bytes | Frame:
        """Pickle something else, with the code as it is now.

        :raises SchedulingError: if it cannot be pickled; the reason is its cause.
        """
        self.refresh()
        return self._code.dumps_payload(value)

    def refresh(self) -> None:
        """Have what is pickled from now on refer to the code as it is now."""
        if self._code.refresh():
            self._numbers_by_type.clear()

    def _shortened(self, work: Any) -> tuple[Any, ...] | None:
        """Return the short form of what is pushed, None if it has none."""
        kind = type(work)
        if kind is tuple:
            function, args, kwargs = work
            numbers = self._code.numbers_of(function)
            return None if numbers is None else (*numbers, args, kwargs)
        if kind is TaskBatch:
            kinds = set(map(type, work.members))
            numbers = self._numbers_of_type(work.members[0]) if len(kinds) == 1 else None
            return None if numbers is None else (*numbers, list(map(vars, work.members)))
        numbers = self._numbers_of_type(work)
        return None if numbers is None else (*numbers, work.__dict__)

    def _numbers_of_type(self, task: Any) -> Numbers | None:
        """Return where the class of a task is; None if not, or if class and attributes do not make the task."""
        kind = type(task)
        key = id(kind)
        numbers = self._numbers_by_type.get(key)
        if numbers is not None or key in self._long_types:
            return numbers
        self._meet(kind)
        if is_plain(task):
            numbers = self._code.numbers_of(kind)
        if numbers is None:
            self._long_types.add(key)
        else:
            self._numbers_by_type[key] = numbers
        return numbers

    def _meet(self, kind: type[Any]) -> None:
        if self._on_class is not None:
            self._on_class(kind)


def expanded(content: Any, code: AppCode) -> Any:
    """Return what was pushed: a task, a batch, or a tuple of function, arguments and keyword arguments.

    :param content: what its payload holds.
    :raises SchedulingError: if the code that it refers to is not known here.
    """
    if type(content) is not tuple or type(content[1]) is not int:
        return content
    thing = code.object_at(content[0], content[1], content[2])
    if len(content) == 5:
        return thing, content[3], content[4]
    if type(content[3]) is list:
        return TaskBatch([_rebuilt(thing, attributes) for attributes in content[3]])
    return _rebuilt(thing, content[3])


def _rebuilt(kind: Any, attributes: dict[str, Any]) -> Any:
    task = kind.__new__(kind)
    task.__dict__ = attributes
    return task


def is_plain(task: Any) -> bool:
    """Return whether all instances of the task's class are made of it and of their attributes.

    It must not define how they are pickled, and they must have nothing else, such as slots or items.
    """
    kind = type(task)
    if any(getattr(kind, name, None) is not getattr(object, name, None) for name in PICKLING):
        return False
    if kind in copyreg.dispatch_table or any(vars(base).get("__slots__") for base in kind.__mro__):
        return False
    try:
        make, arguments, state, *more = task.__reduce_ex__(PROTOCOL)
    except Exception:  # boundary: it cannot be pickled, and the long way says why
        return False
    is_of_attributes = state is None or type(state) is dict
    return make.__name__ == "__newobj__" and arguments == (kind,) and is_of_attributes and not any(more)


class _HoldsTask(Exception):
    """A task holds itself, or another one whose class has a short form."""

    def __init__(self, type_id: int) -> None:
        super().__init__(type_id)
        self.type_id = type_id


class _ShortPickler(FastPickler):
    """Refuses tasks inside: one that holds itself would arrive as two."""

    def __init__(self, code: AppCode, numbers_by_type: dict[int, Numbers]) -> None:
        super().__init__(code)
        self._numbers_by_type = numbers_by_type

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        type_id = id(type(thing))
        if type_id in self._numbers_by_type:
            raise _HoldsTask(type_id)
        return super().reducer_override(thing)
