"""The picklers of an application's values, results and code.

:class:`FastPickler` writes references to own code and leaves everything else to pickle. What it cannot pickle
goes to :class:`InlinePickler`, which takes code apart that no reference stands for, and :class:`BlobPickler`
takes apart what references are to stand for.
"""

from __future__ import annotations

import builtins
import dis
import pickle
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from types import BuiltinMethodType, CodeType, FunctionType, MemberDescriptorType, ModuleType
from typing import Any, Final, Protocol

from concurrent.core.dependencies import installed_first
from concurrent.scheduling.pickling.belongings import is_bare_handle
from concurrent.scheduling.pickling.payload import PROTOCOL, PickleSink
from concurrent.scheduling.pickling.reducers import (
    DESCRIPTORS,
    LOOKED_UP,
    METHODS,
    reduced_by_value,
    reduced_dispatcher,
    reduced_method,
)
from concurrent.scheduling.pickling.unpickling import (
    ANY_VERSION,
    About,
    make_code,
    make_function,
    module_of,
    namespace_of,
    need_blobs,
    project_path,
    set_function_state,
    set_module_state,
)
from concurrent.transport.frames.frames import Frame

with installed_first("cloudpickle"):
    import cloudpickle

__all__ = ["BlobPickler", "FastPickler", "InlinePickler", "ModulePart", "MustTravelInside", "PicklingCode"]


class PicklingCode(Protocol):
    """What picklers ask the code of an application."""

    reference_by_id: dict[int, Any]
    version: int
    has_project: bool

    def path_in_project(self, path: PurePath) -> str | None:
        """Return where in the project a file is; None if it is none of it."""

    def refer(self, thing: Any, *, is_inside: bool = False) -> Any:
        """Return the reference to a function or class, NotImplemented for pickle's own way.

        None is for what has to travel by value.
        """

    def refer_named(self, thing: Any) -> Any:
        """Return how a value is pickled that pickle may look up by a name."""

    def has_names(self, kind: type) -> bool:
        """Return whether instances of a class may be pickled by a name of an own module."""

    def need_module(self, name: str) -> None:
        """Have the other end import an own module, if it is one that travels as a source."""

    def need_imports(self, code: CodeType, package: str) -> None:
        """Have the other end import the own modules that code may import."""

    def take_needs(self) -> Iterable[int]:
        """Return the blobs that are needed by what was pickled since the last time."""

    def about(self, namespace: dict[str, Any]) -> About | None:
        """Return what is known of the own module with these global names, None if it is none."""

    def imported(self, code: CodeType, package: str) -> Sequence[ModulePart]:
        """Return what code may use of modules that travel by value, and that it imports itself."""

    def unknown_names(self, about: About, names: dict[str, Any]) -> dict[str, Any]:
        """Return those global names of an own module that the other end does not have."""


class BookCode(PicklingCode, Protocol):
    """What else the pickler of blobs asks."""

    def is_referred_to(self, thing: Any) -> bool:
        """Return whether a function or class that is met in a blob can be referred to later."""

    def own_name_of(self, thing: Any) -> str | None:
        """Return the name of a value that an own module has, and pickle looks up there."""

    def root_of(self, thing: Any, name: str) -> tuple[About, str, Any] | None:
        """Return in which module, and under which name, is what leads to a thing; None if nothing does."""


BY_NAME: Final = frozenset({"LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME"})
"""Instructions that look up global names; the last one does so in the bodies of classes."""

HERE: Final = type(Path())
"""The class of paths of files of this machine."""

_names_by_code: Final[weakref.WeakKeyDictionary[CodeType, set[str]]] = weakref.WeakKeyDictionary()


class MustTravelInside(Exception):
    """The value holds code that only cloudpickle can put into the payload."""


class FastPickler(pickle.Pickler):
    """Pickles one value after another; own code becomes references."""

    def __init__(self, code: PicklingCode) -> None:
        self._sink = PickleSink()
        super().__init__(self._sink, PROTOCOL, buffer_callback=self._sink.set_aside)
        self._code = code
        self._references = code.reference_by_id
        self._plain: set[type] = set()

    def pickled(self, value: Any) -> bytes | Frame:
        """Return the payload for ``value``; after an error the pickler is of no use any more."""
        self.dump(value)
        self.clear_memo()
        return self._sink.payload()

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        kind = type(thing)
        reference = self._references.get(id(thing))
        if reference is not None:
            return reference
        if kind in self._plain:
            return NotImplemented
        if kind is FunctionType or issubclass(kind, type):
            reference = self._code.refer(thing)
            if reference is None:
                raise MustTravelInside
            return reference
        if kind in METHODS:
            return reduced_method(thing)
        if kind in LOOKED_UP or self._code.has_names(kind):
            return self._code.refer_named(thing)
        if kind is HERE and self._code.has_project:
            return reduced_path(self._code, thing)
        refuse_bare_handle(kind)
        self._plain.add(kind)
        return NotImplemented


def reduced_path(code: PicklingCode, path: PurePath) -> Any:
    """Return how the path of a file is rebuilt: one of the project leads to the same file at the other end."""
    inside = code.path_in_project(path)
    return NotImplemented if inside is None else (project_path, (inside,))


def refuse_bare_handle(kind: type) -> None:
    """See that an end of a pipe is not sent as the number of its file.

    :raises TypeError: if it would be.
    """
    if is_bare_handle(kind):
        raise TypeError(f"cannot pickle {kind.__qualname__!r} object")


class _Namespace:
    """Stands for the global names of an own module in a pickle."""

    def __init__(self, version: int, about: About) -> None:
        self._version = version
        self._about = about

    def __reduce__(self) -> tuple[Any, ...]:
        return namespace_of, (self._version, *self._about)


class ModulePart:
    """Stands for an own module of which some names travel."""

    def __init__(self, about: About, names: dict[str, Any]) -> None:
        self.about = about
        self.names = names


class _Needs:
    """Has blobs loaded when it is unpickled."""

    def __init__(self, blobs: Iterable[int]) -> None:
        self._blobs = tuple(blobs)

    def __reduce__(self) -> tuple[Any, ...]:
        return need_blobs, self._blobs


class _ValuePickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    """Takes code apart; what is global in an own module is left to that module.

    Code keeps the name of its file, which cloudpickle drops, for tracebacks.
    """

    def __init__(self, code: PicklingCode, sink: PickleSink, version: int, **options: Any) -> None:
        super().__init__(sink, PROTOCOL, **options)
        self._code = code
        self._version = version
        self._namespaces: dict[str, _Namespace] = {}

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        kind = type(thing)
        if kind is CodeType:
            return make_code, (thing.co_filename, self.dispatch_table[CodeType](thing)[1])
        if kind is FunctionType:
            return reduced_dispatcher(thing) or self._reduced_function(thing)
        if kind is ModuleType:
            return self._reduced_module(thing)
        if kind is ModulePart:
            return self._reduced_part(thing)
        if kind is BuiltinMethodType:
            return reduced_method(thing)
        if kind in DESCRIPTORS:
            return reduced_by_value(thing)
        if kind is HERE and self._code.has_project:
            return reduced_path(self._code, thing)
        refuse_bare_handle(kind)
        reduced = super().reducer_override(thing)
        if reduced is NotImplemented and isinstance(thing, type):
            self._code.need_module(thing.__module__)
        return _completed(thing, reduced) if isinstance(thing, type) and type(reduced) is tuple else reduced

    def unknown_names(self, about: About, names: dict[str, Any]) -> dict[str, Any]:
        """Return those global names of an own module that the other end does not have."""
        return self._code.unknown_names(about, names)

    def needed(self) -> _Needs | None:
        """Return what has blobs loaded that are needed, None if somebody else sees to that."""
        return None

    def note_missing(self, about: About, function: FunctionType, used: set[str]) -> None:
        """Take note of global names that a function uses and its module does not have."""

    def namespace(self, about: About) -> _Namespace:
        """Return what stands for the global names of an own module."""
        return self._namespaces.setdefault(about.name, _Namespace(self._version, about))

    def _reduced_function(self, function: FunctionType) -> Any:
        reduced = super().reducer_override(function)
        about = self._code.about(function.__globals__)
        if reduced is NotImplemented:  # it is found by its name
            self._code.need_module(function.__module__)
            return reduced
        package = function.__globals__.get("__package__") or ""
        self._code.need_imports(function.__code__, package)
        if about is None:  # its global names travel with it and are nobody else's
            return reduced
        used = global_names(function.__code__)
        self.note_missing(about, function, used)
        (code, _, _, _, closure), (own, attributes) = reduced[1:3]
        found = attributes.pop("__globals__")  # but for those in bodies of classes
        found.update((name, function.__globals__[name]) for name in used if name in function.__globals__)
        names = self.unknown_names(about, found)
        modules = self._code.imported(function.__code__, package)
        submodules = attributes.pop("_cloudpickle_submodules", ())  # unpickling imports them
        state = own, attributes, attributes.pop("__closure__"), names, (*submodules, *modules, self.needed())
        arguments = code, self.namespace(about), closure
        return make_function, arguments, state, None, None, set_function_state

    def _reduced_module(self, module: ModuleType) -> Any:
        about = self._code.about(vars(module))
        if about is None or about.name == "__main__":
            self._code.need_module(module.__name__)
            return super().reducer_override(module)
        names = {name: value for name, value in vars(module).items() if not name.startswith("__")}
        return self._reduced_part(ModulePart(about, names))

    def _reduced_part(self, part: ModulePart) -> Any:
        state = self.unknown_names(part.about, part.names)
        return module_of, (self._version, *part.about), state, None, None, set_module_state


class InlinePickler(_ValuePickler):
    """Pickles one value; own code becomes references, and what can have none is taken apart."""

    def __init__(self, code: PicklingCode, sink: PickleSink) -> None:
        super().__init__(code, sink, code.version, buffer_callback=sink.set_aside)

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        kind = type(thing)
        reference = self._code.reference_by_id.get(id(thing))
        if reference is None and (kind is FunctionType or issubclass(kind, type)):
            reference = self._code.refer(thing, is_inside=True)
        elif reference is None and (kind in LOOKED_UP or self._code.has_names(kind)):
            reference = self._code.refer_named(thing)
        if reference is not None and reference is not NotImplemented:
            return reference
        return super().reducer_override(thing)

    def needed(self) -> _Needs | None:
        """Return what has the blobs loaded that hold the global names that do not travel again."""
        return _Needs(self._code.take_needs())


class BlobPickler(_ValuePickler):
    """Pickles own code apart and notes what it met; what is in earlier blobs is referred to.

    ``objects`` are what references can be made to, ``names`` the global names that travel, ``missing_by_space``
    those that functions use and their module does not have.
    """

    def __init__(self, code: BookCode, sink: PickleSink) -> None:
        super().__init__(code, sink, ANY_VERSION)  # a blob holds from its own version on
        self._book = code
        self._roots: list[tuple[About, str, Any]] = []
        self._wanted: Any = None
        self.objects: list[Any] = []
        self.names: dict[str, tuple[About, dict[str, Any]]] = {}
        self.missing_by_space: dict[str, set[str]] = {}

    def dump_all(self, parts: list[tuple[Any, ...]], wanted: Any = None) -> None:
        """Pickle tuples, then the names under which things are found, and last the objects.

        :param wanted: a thing that can be referred to whatever it is.
        """
        self._wanted = wanted
        for part in parts:
            self.dump(part)
        while self._roots:
            about, name, value = self._roots.pop()
            is_there = about.name in self.names and name in self.names[about.name][1]
            names = {} if is_there else self.unknown_names(about, {name: value})
            if names:
                self.dump((self.namespace(about), names))
        self.dump(self.objects)

    def reducer_override(self, thing: Any) -> Any:
        """Called for everything but the simplest values."""
        kind = type(thing)
        reference = self._code.reference_by_id.get(id(thing))
        if reference is not None and reference is not NotImplemented:
            function, (_, blob, position) = reference
            return function, (ANY_VERSION, blob, position)
        if kind is FunctionType or issubclass(kind, type):
            if thing is self._wanted or self._book.is_referred_to(thing):
                self._note(thing, thing.__qualname__)
        elif kind in LOOKED_UP or self._code.has_names(kind):
            name = self._book.own_name_of(thing)
            if name is not None:
                self._note(thing, name)
                return reduced_by_value(thing)
        reduced = super().reducer_override(thing)
        if isinstance(thing, type) and type(reduced) is tuple and len(reduced) > 2:
            # References stand for it, so it need not be known by cloudpickle's number too.
            make, (*arguments, _, extra), *rest = reduced
            return make, (*arguments, None, extra), *rest
        return reduced

    def unknown_names(self, about: About, names: dict[str, Any]) -> dict[str, Any]:
        """Return those global names that no earlier blob has, and note that this one does."""
        unknown = super().unknown_names(about, names)
        self.names.setdefault(about.name, (about, {}))[1].update(unknown)
        return unknown

    def note_missing(self, about: About, function: FunctionType, used: set[str]) -> None:
        """Note global names that a function uses and its module does not have."""
        missing = used - function.__globals__.keys() - vars(builtins).keys()
        if missing:
            self.missing_by_space.setdefault(about.name, set()).update(missing)

    def _note(self, thing: Any, name: str) -> None:
        self.objects.append(thing)
        root = self._book.root_of(thing, name)
        if root is not None:
            self._roots.append(root)


def global_names(code: CodeType) -> set[str]:
    """Return the global names that code reads or sets, and what is defined in it, the bodies of classes too."""
    names = _names_by_code.get(code)
    if names is None:
        names = {one.argval for one in dis.get_instructions(code) if one.opname in BY_NAME}
        for const in code.co_consts:
            if isinstance(const, CodeType):
                names |= global_names(const)
        _names_by_code[code] = names
    return names


def _completed(cls: type, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return how a class is rebuilt with its qualified name and its slots, which cloudpickle leaves away."""
    if len(reduced) < 6 or len(reduced[1]) != 6:  # a builtin class, or an Enum
        return reduced
    make, (*first, options, number, extra), (attributes, more), *rest = reduced
    options = {**options, "__qualname__": cls.__qualname__}
    if not vars(cls).get("__slots__"):
        return make, (*first, options, number, extra), (attributes, more), *rest
    options["__slots__"] = vars(cls)["__slots__"]
    attributes = {
        name: value
        for name, value in attributes.items()
        if name != "__slots__" and type(value) is not MemberDescriptorType
    }
    return make, (*first, options, number, extra), (attributes, more), *rest
