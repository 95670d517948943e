"""What travelled of a program's own code, and what the program has changed of it since.

What is looked at before each push has to be cheap: names are compared by identity, in compiled code where there
is some (``native/_glance.pyx``). Only if another object is there it is asked whether that is another value.
What can change in place (lists, dictionaries, arrays, instances) is pickled again, and its pickle compared;
where that takes long, and many pushes follow one another, it is done for a tenth of the time at most.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import operator
import pickle
import re
import time
import typing
import zlib
from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.loggers import get_log
from concurrent.scheduling.pickling.payload import PROTOCOL
from concurrent.scheduling.pickling.spaces import CELL
from concurrent.scheduling.pickling.unpickling import GONE

with installed_first("cloudpickle"):
    import cloudpickle

try:
    from concurrent.core.native._glance import Glance
except ImportError:  # it was not compiled
    from concurrent.core.native.glance_py import Glance

__all__ = ["ATOMS", "LRU_CACHE", "Change", "Watch"]

ATOMS: Final = frozenset({int, float, complex, str, bytes, bool, type(None)})
"""Types whose values never change and hold no code."""

LRU_CACHE: Final = type(functools.lru_cache(len))
"""The type of functions with a cache."""

CONSTANT: Final = ATOMS | {
    BuiltinFunctionType, MethodType, ModuleType, LRU_CACHE, logging.Logger, object, range,
    re.Pattern, typing.TypeVar, property, staticmethod, classmethod, operator.itemgetter, operator.attrgetter,
}  # fmt: skip
"""Types whose values do not change in place, or not so that tasks would notice."""

CONTAINERS: Final = frozenset({list, dict, set, bytearray})

PLAIN: Final = CONTAINERS | {tuple, frozenset}
PLAIN_COUNT_MAX: Final = 256

VOLATILE: Final = frozenset(
    {"__dict__", "__weakref__", "__doc__", "__annotations__", "__annotate__", "__annotations_cache__"}
)
"""Attributes of classes that come by themselves, or that no task looks at."""

PICKLE_BYTES_MAX: Final = 65536
"""Longer pickles are kept as a digest."""

SLOW_S: Final = 0.0005
PAUSE: Final = 10
BURST_S: Final = 0.0001
HUGE_S: Final = 0.25
"""What takes longer than the first to compare is left alone for so many times as long, while one push follows
the other so soon that nobody can have waited for a result; what takes longer than the last always is."""

UNSEEN: Final = (
    "%s of %s was changed in place, and up to %d pushes before this one did not look, for it is large: "
    "their tasks may have its old value. Give its name a new value, or pass it as an argument"
)

DEFAULTS: Final = ("__defaults__", "__kwdefaults__")
STATE: Final = ("__code__", *DEFAULTS)

log = get_log(__name__)

Change = tuple[Any, dict[str, Any]]
"""What has changed: the names of a module, a class or a function, with the new values by name."""


class Watch:
    """See the module. One thread."""

    def __init__(self) -> None:
        self._names_by_space: dict[str, _Names] = {}
        self._functions: list[FunctionType] = []
        self._states: list[tuple[Any, ...]] = [() for _ in STATE]
        self._cells: list[tuple[FunctionType, int, Any, Any]] = []
        self._attributes_by_thing: dict[Any, dict[str, Any]] = {}  # of classes, and functions that have some
        self._mutables: dict[tuple[int, str], _Mutable] = {}
        self._looked_at = 0.0
        self._glance = Glance((), (), (), ())

    def blob_of(self, space: str, name: str) -> int | None:
        """Return in which blob a global name travelled last, None if it did not."""
        names = self._names_by_space.get(space)
        return None if names is None else names.blob_by_name.get(name)

    def add(self, blob: int, names_by_space: dict[str, Change], things: Iterable[Any]) -> None:
        """Note what is in a new blob.

        :param names_by_space: of each own module its globals, and those that travelled.
        :param things: functions and classes.
        """
        for space, (namespace, values) in names_by_space.items():
            self._names_by_space.setdefault(space, _Names(namespace)).add(blob, values)
            for name, value in values.items():
                self._watch_value(namespace, name, value)
        self.add_things(things)

    def add_missing(self, space: str, namespace: dict[str, Any], names: Iterable[str]) -> None:
        """Note global names that functions use and the program does not have yet, before :meth:`add`."""
        self._names_by_space.setdefault(space, _Names(namespace)).add_missing(names)

    def add_module(self, blob: int, module: ModuleType) -> dict[str, Any]:
        """Note a module that the other end imports; returns the names with plain data, which travel too.

        Only those are watched for changes in place, for the rest of a module may be its own business.
        """
        names = {name: value for name, value in vars(module).items() if not name.startswith("__")}
        own = {name: value for name, value in names.items() if type(value) is not ModuleType}
        plain = {name: value for name, value in own.items() if _is_plain(value)}
        self._names_by_space.setdefault(module.__name__, _Names(vars(module))).add(blob, own)
        for name, value in plain.items():
            self._watch_value(vars(module), name, value)
        self._look()
        return plain

    def add_things(self, things: Iterable[Any]) -> None:
        """Note functions and classes."""
        for thing in things:
            if type(thing) is FunctionType:
                self._functions.append(thing)
                for cell_number, cell in enumerate(thing.__closure__ or ()):
                    self._cells.append((thing, cell_number, cell, _contents(cell)))
                for name in DEFAULTS:
                    self._watch_value(thing, name, getattr(thing, name))
            if isinstance(thing, type) or (type(thing) is FunctionType and vars(thing)):
                self._watch_attributes(thing)
        self._note_states()
        self._look()

    def changes(self) -> list[Change]:
        """Return what has changed since it travelled or was returned here; nothing most of the time."""
        if self.is_same():
            return []
        changes: list[Change] = []
        for names in self._names_by_space.values():
            changed = names.changed()
            for name, value in changed.items():
                self._watch_value(names.namespace, name, value)
            changes.append((names.namespace, changed))
        for thing, before in list(self._attributes_by_thing.items()):
            now = dict(vars(thing))
            changed = {name: value for name, value in now.items() if _is_other(value, before.get(name, GONE))}
            changed.update((name, GONE) for name in before if name not in now)
            self._watch_attributes(thing)
            changes.append((thing, {name: value for name, value in changed.items() if name not in VOLATILE}))
        changes += self._changed_functions()
        changes += self._changed_in_place()
        self._look()
        return _merged(changes)

    def moved(self, blob: int, changes: list[Change]) -> None:
        """Note in which blob changed names travel."""
        for names in self._names_by_space.values():
            for target, values in changes:
                if target is names.namespace:
                    names.blob_by_name.update(dict.fromkeys(values, blob))

    def is_same(self) -> bool:
        """Return whether nothing has changed. It is asked before each push."""
        if not self._glance.is_same():
            return False
        return not self._mutables or self._are_same()

    def _are_same(self) -> bool:
        """Return whether what can change in place did not."""
        is_burst = time.perf_counter() - self._looked_at < BURST_S
        changed = [
            mutable.is_changed(is_burst=is_burst) for mutable in self._mutables.values()
        ]  # each notes it
        self._looked_at = time.perf_counter()
        return not any(changed)

    def _look(self) -> None:
        """Note what is seen at a glance, and prepare the next one."""
        self._glance = Glance(
            [(names.namespace, tuple(names.blob_by_name), GONE) for names in self._names_by_space.values()],
            list(map(vars, self._attributes_by_thing)),
            self._functions,
            [cell for _, _, cell, _ in self._cells],
        )

    def _changed_functions(self) -> list[Change]:
        changes: list[Change] = []
        for name, get, states in zip(STATE, _STATE_GETTERS, self._states, strict=True):
            for function, before in zip(self._functions, states, strict=True):
                if get(function) is not before:
                    changes.append((function, {name: get(function)}))
                    if name in DEFAULTS:
                        self._watch_value(function, name, get(function))
        self._note_states()
        for place, (function, number, cell, before) in enumerate(self._cells):
            contents = _contents(cell)
            if contents is not before:
                self._cells[place] = function, number, cell, contents
                changes.append((function, {f"{CELL}{number}": contents}))
        return changes

    def _changed_in_place(self) -> list[Change]:
        changes: list[Change] = []
        for key, mutable in list(self._mutables.items()):
            if not mutable.is_there():  # another value has its name, which is compared otherwise
                del self._mutables[key]
            elif mutable.is_changed(is_burst=False):  # the glance may have ended before it was looked at
                mutable.was_changed = False
                changes.append((mutable.target, {mutable.name: mutable.value}))
                mutable.warn()
        return changes

    def _note_states(self) -> None:
        self._states = [tuple(map(get, self._functions)) for get in _STATE_GETTERS]

    def _watch_attributes(self, thing: Any) -> None:
        self._attributes_by_thing[thing] = dict(vars(thing))
        for name, value in vars(thing).items():
            if type(value) in CONTAINERS and not name.startswith("__"):
                self._watch_value(thing, name, value)

    def _watch_value(self, target: Any, name: str, value: Any) -> None:
        key = id(target), name
        if _is_constant(value):
            self._mutables.pop(key, None)
            return
        known = self._mutables.get(key)
        if known is None or known.value is not value:
            self._mutables[key] = _Mutable(target, name, value)


class _Names:
    """The global names of one own module that travelled, and their values then."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.blob_by_name: dict[str, int | None] = {}  # None: it was not there and is in no blob
        self._values: tuple[Any, ...] = ()

    def add(self, blob: int, values: dict[str, Any]) -> None:
        """Note names and their values."""
        before = dict(zip(self.blob_by_name, self._values, strict=True))
        self.blob_by_name.update(dict.fromkeys(values, blob))
        before.update(values)
        self._values = tuple(before[name] for name in self.blob_by_name)

    def add_missing(self, names: Iterable[str]) -> None:
        """Note names that the module does not have."""
        new = [name for name in names if name not in self.blob_by_name]
        self.blob_by_name.update(dict.fromkeys(new))
        self._values += (GONE,) * len(new)

    def changed(self) -> dict[str, Any]:
        """Return the names with another value than before, and take note of that."""
        now = {name: self.namespace.get(name, GONE) for name in self.blob_by_name}
        changed = {
            name: value
            for (name, value), before in zip(now.items(), self._values, strict=True)
            if _is_other(value, before)
        }
        self._values = tuple(now.values())
        return changed


class _Mutable:
    """A value that can change in place."""

    def __init__(self, target: Any, name: str, value: Any) -> None:
        self.target = target
        self.name = name
        self.value = value
        self.was_changed = False
        self._unseen_count = 0  # pushes since it was last looked at
        self._was_warned = False
        self._again_at = 0.0
        self._is_huge = False
        self._contents: list[Any] = []
        self._digest = self._new_digest()

    def is_there(self) -> bool:
        """Return whether its name still stands for it."""
        return _attribute(self.target, self.name) is self.value

    def is_changed(self, *, is_burst: bool) -> bool:
        """Return whether it is another value than it was, as far as its pickle shows that.

        :param is_burst: whether it may be left for later where it takes long.
        """
        if self.was_changed or not self.is_there():
            return True
        may_wait = self._again_at and (is_burst or self._is_huge)
        if self._digest is None or (may_wait and time.perf_counter() < self._again_at):
            self._unseen_count += 1
            return False
        digest = self._new_digest()
        if digest is None or digest != self._digest:
            self._digest = digest or ()  # another thread may be changing it just now
            self.was_changed = True
        else:
            self._unseen_count = 0
        return self.was_changed

    def warn(self) -> None:
        """Say once if pushes before its change was seen may have been too late."""
        if self._unseen_count and not self._was_warned:
            self._was_warned = True
            of = self.target.get("__name__") if type(self.target) is dict else self.target.__qualname__
            log.warning(UNSEEN, self.name, of, self._unseen_count)
        self._unseen_count = 0

    def _new_digest(self) -> Any:
        begun = time.perf_counter()
        if type(self.value) is FunctionType:
            contents = [_contents(cell) for cell in self.value.__closure__ or ()]
            digest: Any = tuple(map(id, contents))
            self._contents = contents  # nothing else can have their numbers meanwhile
        else:
            digest = _digest(self.value)
        now = time.perf_counter()
        self._is_huge = now - begun > HUGE_S
        self._again_at = now + PAUSE * (now - begun) if now - begun > SLOW_S else 0.0
        return digest


_STATE_GETTERS: Final = [operator.attrgetter(name) for name in STATE]


def _attribute(target: Any, name: str) -> Any:
    if type(target) is dict:
        return target.get(name, GONE)
    return getattr(target, name, GONE) if type(target) is FunctionType else vars(target).get(name, GONE)


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return GONE


def _is_other(value: Any, before: Any) -> bool:
    """Return whether one value is not as good as the one before it; ``repr`` tells 0.0 from -0.0."""
    if value is before:
        return False
    return type(value) not in ATOMS or type(value) is not type(before) or repr(value) != repr(before)


def _is_constant(value: Any) -> bool:
    kind = type(value)
    if kind is FunctionType:
        return value.__closure__ is None
    if kind in CONSTANT or isinstance(value, type):
        return True
    return kind in (tuple, frozenset) and all(map(_is_constant, value))


def _is_plain(value: Any, count_max: int = PLAIN_COUNT_MAX) -> bool:
    """Return whether a value is a constant, or a small container of such."""
    if type(value) in ATOMS:
        return True
    if type(value) not in PLAIN or len(value) > count_max:
        return False
    items = [*value, *value.values()] if type(value) is dict else value
    return all(_is_plain(item, count_max // 4) for item in items)


def _digest(value: Any) -> Any:
    """Return something that differs when the value does; None if that cannot be told."""
    buffers: list[pickle.PickleBuffer] = []
    try:
        data = pickle.dumps(value, PROTOCOL, buffer_callback=buffers.append)
        sums = tuple(zlib.crc32(buffer.raw()) for buffer in buffers)
    except Exception:  # boundary: the value's own code runs here
        try:
            data, sums = cloudpickle.dumps(value), ()
        except Exception:  # boundary: as before
            return None
    return (data if len(data) <= PICKLE_BYTES_MAX else hashlib.blake2b(data).digest()), sums


def _merged(changes: list[Change]) -> list[Change]:
    """Return the changes with one entry for each target, without those of nothing."""
    merged: dict[int, Change] = {}
    for target, values in changes:
        if values:
            merged.setdefault(id(target), (target, {}))[1].update(values)
    return list(merged.values())
