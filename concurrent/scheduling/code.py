"""Code that travels: how tasks and results are pickled between an application and its workers.

What an installed module defines travels by reference, as always with pickle. The application's *own* modules
(``__main__``, its plug-in file) do not exist on the workers, so their functions and classes travel by
value: each is pickled once with cloudpickle, together with those of its kind that it needs, into a *blob*.
A payload only says "object 3 of blob 1". The same reference leads back: what a worker returns is an instance
of the application's own class.

A blob holds what a function's global names were when it was made; so does a module that is imported.
Lambdas and other functions without a name of their own travel inside the payload until the same object is
sent a second time. Such a function always does if its closure holds what may change, or has changed.

Classes of tasks and functions that are called get a blob too when they are installed, which holds their name.

References inside a pickle are calls of :func:`code_at`, which asks the book or cache that unpickles; they can
be read where this module is imported.
"""

from __future__ import annotations

import contextlib
import copyreg
import pickle
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import SchedulingError
from concurrent.scheduling.payload import PROTOCOL, PickleSink, unpickled
from concurrent.transport.frames import FRAME_BYTES_MIN, Buffer, Frame

with installed_first("cloudpickle"):
    import cloudpickle

__all__ = ["AppCode", "CodeBook", "CodeCache", "FastPickler", "code_at", "make_code"]

ATOMS: Final = frozenset({int, float, complex, str, bytes, bool, type(None)})
"""Types whose values never change and hold no code."""

MET_ONCE_MAX: Final = 1024

CODE_AT: Final = 0x43634341
"""The number of :func:`code_at` in pickles, where its name would be a lookup in a module for each task. (PEP
307: extension codes from 256 on are not assigned.)"""


def make_code(file_name: str, arguments: tuple[Any, ...]) -> CodeType:
    """Return a code object. Called from pickles.

    :param arguments: those of its type, which differ between versions of Python.
    """
    return CodeType(*arguments).replace(co_filename=file_name)


class _Unpickling(threading.local):
    """Whose code the pickle that this thread is unpickling refers to."""

    code: AppCode | None = None


_unpickling: Final = _Unpickling()

_registry_lock: Final = threading.RLock()
"""cloudpickle has one list of modules by value for the whole process."""


def code_at(blob: int, position: int) -> Any:
    """Return a function or class of the application whose pickle this thread is unpickling.

    :raises SchedulingError: if it is not known here.
    """
    code = _unpickling.code
    if code is None:
        raise SchedulingError(
            "a pickle refers to an application's code, but is not unpickled for an application",
            thing="code_at",
            value=(blob, position),
            remedy="Use loads_payload of its CodeBook, or of what its CodeCache has.",
        )
    return code.object_at(blob, position)


copyreg.add_extension(__name__, code_at.__name__, CODE_AT)


class AppCode:
    """The travelling code of one application at one end; pickles and unpickles for it. One thread."""

    def __init__(self, own_modules: frozenset[str] = frozenset()) -> None:
        self.reference_by_id: dict[int, Any] = {}
        self._own_modules = own_modules
        self._objects_by_blob: dict[int, Sequence[Any]] = {}
        self._spare_pickler: FastPickler | None = None

    def object_at(self, blob: int, position: int) -> Any:
        """Return an object of a blob.

        :raises SchedulingError: if the blob is not known here.
        """
        objects = self._objects_by_blob.get(blob)
        return (self._load(blob) if objects is None else objects)[position]

    @property
    def blob_count(self) -> int:
        """How many blobs payloads may refer to."""
        return 0

    def blob_at(self, index: int) -> bytes:
        """Return a blob as it travels."""
        raise IndexError(index)

    def dumps_payload(self, value: Any) -> bytes | Frame:
        """Pickle ``value``; large bytes in it are not copied, large buffers (protocol 5) once.

        :raises SchedulingError: if it cannot be pickled; the reason is its cause.
        """
        kind = type(value)
        if kind in ATOMS and (kind is not bytes or len(value) < FRAME_BYTES_MIN):
            data = pickle.dumps(value, PROTOCOL)
            return data if len(data) < FRAME_BYTES_MIN else Frame(data)
        # It is put back after a success only: one that failed, or is at work further up, is of no use.
        pickler = self._spare_pickler or FastPickler(self)
        self._spare_pickler = None
        try:
            payload = pickler.pickled(value)
        except SchedulingError:  # the code of something in it cannot travel
            raise
        except Exception:  # boundary: the value's own code runs here; the slow way says what is wrong
            return self._dumps_slowly(value)
        self._spare_pickler = pickler
        return payload

    def loads_payload(self, payload: Buffer | Frame) -> Any:
        """Unpickle what the other end pickled for the same application.

        :raises Exception: whatever the pickle raises, such as ImportError.
        """
        before = _unpickling.code
        _unpickling.code = self
        try:
            return unpickled(payload)
        finally:
            _unpickling.code = before

    def enter(self) -> None:
        """Have what this thread unpickles from now on refer to this code, other ways than this one too."""
        _unpickling.code = self

    def refer(self, thing: Any, *, is_inside: bool = False) -> Any:
        """Return the reference to a function or class, or NotImplemented for pickle's own way.

        None means that it has to travel by value inside the payload.

        :param is_inside: whether the payload is being made in a way that allows this.
        """
        return self.reference_by_id.get(id(thing), NotImplemented)

    def numbers_of(self, thing: Any) -> tuple[int, int] | None:
        """Return blob and position of a function or class, None if payloads cannot refer to it so."""
        reference = self.reference_by_id.get(id(thing))
        return None if reference is None else reference[1]

    def _load(self, blob: int) -> Sequence[Any]:
        raise SchedulingError(f"blob {blob} of the application's code is not here", thing="code", value=blob)

    def _hold(self, blob: int, objects: Sequence[Any]) -> None:
        self._objects_by_blob[blob] = objects
        for position, thing in enumerate(objects):
            self.reference_by_id.setdefault(id(thing), (code_at, (blob, position)))

    def _dumps_slowly(self, value: Any) -> bytes | Frame:
        sink = PickleSink()
        try:
            with _by_value(self._own_modules):
                _InlinePickler(self, sink).dump(value)
        except SchedulingError:  # the code of something in it cannot travel
            raise
        except Exception as error:  # boundary: the value's own code runs here
            raise SchedulingError(
                f"a value of type {type(value).__qualname__} cannot be pickled: {error}",
                thing=type(value).__qualname__,
                remedy="Pass plain data; open files, locks and connections stay in their process.",
            ) from error
        return sink.payload()


class CodeBook(AppCode):
    """An application's own code, at the application. One thread.

    :param own_modules: names of modules, besides ``__main__``, that the workers do not have; what is in a
        package of that name belongs to it.
    """

    def __init__(self, own_modules: Sequence[str] = ()) -> None:
        super().__init__(frozenset(own_modules) | {"__main__"})
        self.blobs: list[bytes] = []
        self._met_once: dict[int, weakref.ref[Any]] = {}
        self._foreign_by_id: dict[int, Any] = {}
        self._closure_by_id: dict[int, tuple[Any, tuple[Any, ...]]] = {}

    @property
    def blob_count(self) -> int:
        """How many blobs payloads may refer to."""
        return len(self.blobs)

    def blob_at(self, index: int) -> bytes:
        """Return a blob as it travels."""
        return self.blobs[index]

    def dumps(self, value: Any) -> bytes:
        """Pickle ``value`` into bytes, whatever its size; see :meth:`dumps_payload`."""
        return bytes(self.dumps_payload(value))

    def refer(self, thing: Any, *, is_inside: bool = False) -> Any:
        """See :meth:`AppCode.refer`; makes the blob of an own function or class that is new.

        :raises SchedulingError: if its code cannot be pickled.
        """
        key = id(thing)
        reference = self.reference_by_id.get(key)
        if reference is not None:
            return reference
        if key in self._foreign_by_id:
            return NotImplemented
        if self._is_found(thing):
            if not self._is_own_module(thing.__module__):
                self._foreign_by_id[key] = thing
                return NotImplemented
            self._make_blob(thing)
            return self.reference_by_id[key]
        contents = _closed_over(thing)
        if key in self._closure_by_id:
            reference, before = self._closure_by_id[key]
            return reference if _is_same(contents, before) else None
        if is_inside or contents is None or not self._was_met(thing):
            return None
        self._make_blob(thing)
        reference = self.reference_by_id[key]
        if contents:  # they may have changed by the next time
            self._closure_by_id[key] = reference, contents
            del self.reference_by_id[key]
        return reference

    def numbers_of(self, thing: Any) -> tuple[int, int] | None:
        """See :meth:`AppCode.numbers_of`; makes the blob of what is new and has a name, installed or not.

        :raises SchedulingError: if its code cannot be pickled.
        """
        key = id(thing)
        if key not in self.reference_by_id:
            is_code = type(thing) is FunctionType or issubclass(type(thing), type)  # list[int] is none
            if not is_code or not self._is_found(thing):
                return None
            self._make_blob(thing)
        return super().numbers_of(thing)

    def is_referred_to(self, thing: Any) -> bool:
        """Return whether what is met in a blob can be referred to later."""
        if self._is_found(thing):
            return self._is_own_module(thing.__module__)
        return not getattr(thing, "__closure__", None)

    def _is_own_module(self, name: str) -> bool:
        package = name.rpartition(".")[0]
        return name in self._own_modules or (package != "" and self._is_own_module(package))

    def _is_found(self, thing: Any) -> bool:
        """Return whether a function or class is what its name says."""
        if thing.__module__ == "builtins":
            return True
        found: Any = sys.modules.get(thing.__module__)
        for name in thing.__qualname__.split("."):
            found = getattr(found, name, None)
        return found is thing

    def _was_met(self, thing: Any) -> bool:
        met = self._met_once.get(id(thing))
        if met is not None and met() is thing:
            return True
        if len(self._met_once) >= MET_ONCE_MAX:
            self._met_once = {key: ref for key, ref in self._met_once.items() if ref() is not None}
            if len(self._met_once) >= MET_ONCE_MAX:
                return False
        self._met_once[id(thing)] = weakref.ref(thing)
        return False

    def _make_blob(self, thing: Any) -> None:
        sink = PickleSink()
        objects: list[Any] = []
        try:
            with _by_value(self._own_modules):
                # The list is pickled last: by then it holds every own object that was met.
                _BlobPickler(self, sink, objects).dump((thing, objects))
        except Exception as error:  # boundary: values that the code refers to are pickled
            name = f"{thing.__module__}.{thing.__qualname__}"
            raise SchedulingError(
                f"the code of {name} cannot be sent to workers: {error}",
                thing=name,
                remedy="It needs a value, by a global name or as a default, that cannot be pickled. "
                "Make the value where it is used, or move the code to an installed module.",
            ) from error
        self._hold(len(self.blobs), objects)
        self.blobs.append(sink.joined())


class CodeCache:
    """Travelling code of any number of applications, at a worker or task system. One thread."""

    def __init__(self) -> None:
        self._code_by_app: dict[int, _ReceivedCode] = {}

    def define(self, app: int, index: int, blob: bytes) -> None:
        """Keep a blob of an application; it is unpickled when a payload first needs it."""
        self.of(app).blob_by_index[index] = blob

    def forget(self, app: int) -> None:
        """Drop the code of an application; nothing happens if there is none."""
        self._code_by_app.pop(app, None)

    def of(self, app: int) -> _ReceivedCode:
        """Return the code of one application, none at first."""
        code = self._code_by_app.get(app)
        if code is None:
            code = self._code_by_app[app] = _ReceivedCode()
        return code


class _ReceivedCode(AppCode):
    """The code of one application where it came as blobs."""

    def __init__(self) -> None:
        super().__init__()
        self.blob_by_index: dict[int, bytes] = {}

    @property
    def blob_count(self) -> int:
        """How many blobs payloads may refer to."""
        return len(self.blob_by_index)

    def blob_at(self, index: int) -> bytes:
        """Return a blob as it travels."""
        return self.blob_by_index[index]

    def _load(self, blob: int) -> Sequence[Any]:
        if blob not in self.blob_by_index:
            return super()._load(blob)
        objects: Sequence[Any] = self.loads_payload(self.blob_by_index[blob])[1]
        self._hold(blob, objects)
        return objects


def _closed_over(thing: Any) -> tuple[Any, ...] | None:
    """Return what the closure of a function or class holds; None if that can change or is not there yet."""
    cells: tuple[CellType, ...] = getattr(thing, "__closure__", None) or ()
    try:
        contents = tuple(cell.cell_contents for cell in cells)
    except ValueError:  # not filled yet
        return None
    if all(type(content) in ATOMS or isinstance(content, (type, ModuleType)) for content in contents):
        return contents
    return None


def _is_same(contents: tuple[Any, ...] | None, before: tuple[Any, ...]) -> bool:
    return contents is not None and all(new is old for new, old in zip(contents, before, strict=True))


@contextlib.contextmanager
def _by_value(modules: frozenset[str]) -> Iterator[None]:
    """Have cloudpickle take these modules apart instead of naming them."""
    with _registry_lock:
        named = cloudpickle.list_registry_pickle_by_value()
        added = [sys.modules[name] for name in modules - named if name in sys.modules]
        for module in added:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in added:
                cloudpickle.unregister_pickle_by_value(module)


class _MustTravelInside(Exception):
    """The value holds code that only cloudpickle can put into the payload."""


class FastPickler(pickle.Pickler):
    """Pickles one value after another; own code becomes references."""

    def __init__(self, code: AppCode) -> None:
        self._sink = PickleSink()
        super().__init__(self._sink, PROTOCOL, buffer_callback=self._sink.set_aside)
        self._code = code
        self._references = code.reference_by_id

    def pickled(self, value: Any) -> bytes | Frame:
        """Return the payload for ``value``; after an error the pickler is of no use any more."""
        self.dump(value)
        self.clear_memo()
        return self._sink.payload()

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        if thing is code_at or not isinstance(thing, (FunctionType, type)):
            return NotImplemented
        reference = self._references.get(id(thing))
        if reference is None:
            reference = self._code.refer(thing)
            if reference is None:
                raise _MustTravelInside
        return reference


class _ValuePickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    """Takes code apart, but keeps the name of its file, which cloudpickle drops, for tracebacks."""

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        if type(thing) is CodeType:
            _, arguments = self.dispatch_table[CodeType](thing)
            return make_code, (thing.co_filename, arguments)
        return super().reducer_override(thing)


class _InlinePickler(_ValuePickler):
    """Pickles one value; own code becomes references, and what can have none is taken apart."""

    def __init__(self, code: AppCode, sink: PickleSink) -> None:
        super().__init__(sink, PROTOCOL, buffer_callback=sink.set_aside)
        self._code = code

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        if isinstance(thing, (FunctionType, type)):
            reference = self._code.refer(thing, is_inside=True)
            if reference is not None and reference is not NotImplemented:
                return reference
        return super().reducer_override(thing)


class _BlobPickler(_ValuePickler):
    """Pickles own code apart and notes what own objects it met; earlier blobs are referred to."""

    def __init__(self, book: CodeBook, sink: PickleSink, objects: list[Any]) -> None:
        super().__init__(sink, PROTOCOL)
        self._book = book
        self._objects = objects

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        if isinstance(thing, (FunctionType, type)):
            reference = self._book.reference_by_id.get(id(thing))
            if reference is not None:
                return reference
            if not self._objects or self._book.is_referred_to(thing):  # the first is what the blob is for
                self._objects.append(thing)
        return super().reducer_override(thing)
