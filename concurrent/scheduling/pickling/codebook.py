"""The application's end of its code that travels: makes the blobs, and references to what is in them.

A blob holds functions and classes of the application's own modules and the global names that they use.
Before something is pushed the book looks whether the program has changed any of that (``codewatch.py``). Then
it makes a blob of what is new, which begins another *version* of the code, and references say that version
from then on.

Lambdas and other functions without a name of their own travel inside the payload until the same object is
sent a second time. Such a function always does if its closure holds what may change, or has changed; it never
does if that holds large bytes, which are there to travel once.

Classes of tasks and functions that are called get a blob too when they are installed, which holds their name.

A program that goes on with the job of a former one leaves the first blobs to that (``formercode.py``). Its own
code is a later version then, so that tasks of both run with their own.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Sequence
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.core.loggers import get_log
from concurrent.scheduling.pickling.byvalue import by_value
from concurrent.scheduling.pickling.code import EMPTY_BLOB, AppCode, BlobHead, packed_blob
from concurrent.scheduling.pickling.codewatch import ATOMS, Change, Watch
from concurrent.scheduling.pickling.formercode import FormerCode
from concurrent.scheduling.pickling.imports import imports_of
from concurrent.scheduling.pickling.payload import PickleSink
from concurrent.scheduling.pickling.picklers import BlobPickler, ModulePart
from concurrent.scheduling.pickling.reducers import name_in_pickles
from concurrent.scheduling.pickling.sources import ModuleSource, ModuleSources, compiled
from concurrent.scheduling.pickling.unpicklable import unpicklable_code
from concurrent.scheduling.pickling.unpickling import ANY_VERSION, GONE, About, code_at
from concurrent.scheduling.pickling.uses import Use, Uses
from concurrent.scheduling.wire.requirementsblob import requirements_blob
from concurrent.transport.frames.frames import Frame

__all__ = ["CodeBook"]

MET_ONCE_MAX: Final = 1024
LARGE_BYTES: Final = 1 << 20

log = get_log(__name__)


class CodeBook(AppCode):
    """An application's own code, at the application. One thread.

    :param own_modules: names of modules, besides ``__main__``, that the workers do not have; what is in a
        package of that name belongs to it. They travel by value.
    :param own_folders: where imports of the program's own modules begin. They travel as sources.
    :param requirements: what workers have to be of an environment with; they are told before all code.
    """

    def __init__(
        self, own_modules: Sequence[str] = (), own_folders: Sequence[str] = (), requirements: str = ""
    ) -> None:
        super().__init__()
        self._uses = Uses(self._travels, self._is_own_module)
        self._sources = ModuleSources(own_folders, self._uses.note_code)
        self._blob_by_module: dict[str, int] = {}  # of those that travelled as sources
        self._coming: set[str] = set()  # such whose blob is being made
        self._first_blobs = [requirements_blob(requirements)] if requirements else []
        self.blobs: list[bytes] = list(self._first_blobs)
        self._objects_by_blob.update((index, []) for index in range(len(self.blobs)))
        self._own_modules = frozenset(own_modules) | {"__main__"}
        self.version = 0
        self._former = FormerCode()
        self._former_count = 0
        self._watch = Watch()
        self.is_same = self._watch.is_same
        self._needs: set[int] = set()  # of the blob that is being made
        self._explained: set[int] = set()  # by id: code of which it is being looked up why it cannot travel
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

    @property
    def uses(self) -> Sequence[Use]:
        """See :attr:`AppCode.uses`."""
        return () if self._first_blobs else self._uses.found

    def look_at_program(self) -> None:
        """See :meth:`AppCode.look_at_program`."""
        self._uses.look_at_program(self._sources.folders)

    def dumps(self, value: Any) -> bytes:
        """Pickle ``value`` into bytes, whatever its size; see :meth:`dumps_payload`."""
        return bytes(self.dumps_payload(value))

    def reserve(self, count: int) -> None:
        """See :meth:`AppCode.reserve`.

        :raises SchedulingError: if something was pickled already.
        """
        if count and len(self.blobs) > len(self._first_blobs):
            raise SchedulingError(
                "this program cannot go on with a job after it has pickled something", thing="job"
            )
        if count:  # a job goes on with the requirements that it began with
            self.blobs = [EMPTY_BLOB] * count
        self.version = self._former_count = count

    def recall(self, index: int, blob: bytes) -> None:
        """See :meth:`AppCode.recall`; what this program has made itself stays."""
        if 0 <= index < self._former_count:
            self.blobs[index] = blob
            self._former.take(index, blob)

    def refresh(self) -> bool:
        """See :meth:`AppCode.refresh`; makes a blob of what was changed."""
        changes = self._watch.changes()
        if not changes:
            return False
        for target, _ in changes:  # from now on these modules travel by value
            if type(target) is dict:
                self._own_modules |= {target["__name__"]}
        changes = [(target, self._sendable(target, values)) for target, values in changes]
        index = self._make(changes, BlobHead(self.version, is_change=True))
        self._watch.moved(index, changes)
        self.version = index + 1
        for key, reference in self.reference_by_id.items():
            self.reference_by_id[key] = self._of_now(reference)
        for key, (reference, contents) in self._closure_by_id.items():
            self._closure_by_id[key] = self._of_now(reference), contents
        return True

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
        if self._is_found(thing, thing.__qualname__):
            if not self._is_own_module(thing.__module__) and not self._sources.is_own(thing.__module__):
                self._foreign_by_id[key] = thing
                self._uses.note_module(thing.__module__)
                return NotImplemented
            self._make_blob(thing)
            return self.reference_by_id[key]
        contents = _closed_over(thing)
        if key in self._closure_by_id:
            reference, before = self._closure_by_id[key]
            return reference if _is_same(contents, before) else None
        if is_inside or contents is None or not (_is_large(contents) or self._was_met(thing)):
            return None
        self._make_blob(thing)
        reference = self.reference_by_id[key]
        if contents:  # they may have changed by the next time
            self._closure_by_id[key] = reference, contents
            del self.reference_by_id[key]
        return reference

    def refer_named(self, thing: Any) -> Any:
        """See :meth:`AppCode.refer_named`; makes the blob of a value of an own module that is new."""
        if self.own_name_of(thing) is None:
            return NotImplemented
        self._make_blob(thing)
        return self.reference_by_id[id(thing)]

    def has_names(self, kind: type) -> bool:
        """See :meth:`AppCode.has_names`."""
        is_plain = all(getattr(kind, name) is getattr(object, name) for name in ("__reduce__", "__reduce_ex__"))
        return not is_plain and self._is_own_module(kind.__module__)

    def numbers_of(self, thing: Any) -> tuple[int, int, int] | None:
        """See :meth:`AppCode.numbers_of`; makes the blob of what is new and has a name, installed or not.

        :raises SchedulingError: if its code cannot be pickled.
        """
        key = id(thing)
        if key not in self.reference_by_id:
            is_code = type(thing) is FunctionType or issubclass(type(thing), type)  # list[int] is none
            if not is_code or not self._is_found(thing, thing.__qualname__):
                return None
            self._make_blob(thing)
        return super().numbers_of(thing)

    def is_referred_to(self, thing: Any) -> bool:
        """Return whether a function or class that is met in a blob can be referred to later."""
        if self._is_found(thing, thing.__qualname__):
            return self._is_own_module(thing.__module__) or self._sources.is_own(thing.__module__)
        return not getattr(thing, "__closure__", None)

    def own_name_of(self, thing: Any) -> str | None:
        """Return the name of a value that an own module has, and pickle looks up there."""
        if type(thing) is object:
            return self._find_name(thing)
        name = name_in_pickles(thing)
        is_own = name is not None and self._is_own_module(thing.__module__)
        return name if is_own and name is not None and self._is_found(thing, name) else None

    def root_of(self, thing: Any, name: str) -> tuple[About, str, Any] | None:
        """Return in which module, and under which name, is what leads to a thing; None if nothing does."""
        module = sys.modules.get(_module_name(thing))
        about = None if module is None else self.about(vars(module))
        root = name.partition(".")[0]
        if about is None or module is None or root not in vars(module) or not self._has(module, thing, name):
            return None
        return about, root, vars(module)[root]

    def about(self, namespace: dict[str, Any]) -> About | None:
        """See :meth:`AppCode.about`."""
        name = namespace.get("__name__")
        module = sys.modules.get(name) if type(name) is str else None
        if module is None or vars(module) is not namespace or not self._is_own_module(module.__name__):
            return None
        return _about(module)

    def imported(self, code: CodeType, package: str) -> list[ModulePart]:
        """See :meth:`AppCode.imported`; modules that it names are imported by themselves."""
        modules, names = imports = imports_of(code)
        parts = []
        for name in sorted(imports.absolute(package)) if modules else ():
            there = vars(sys.modules[name]) if name in sys.modules else {}
            about = self.about(there)
            if about is not None:
                used = {one: there[one] for one in names if one in there and type(there[one]) is not ModuleType}
                parts.append(ModulePart(about, used))
        return parts

    def unknown_names(self, about: About, names: dict[str, Any]) -> dict[str, Any]:
        """See :meth:`AppCode.unknown_names`."""
        unknown = {}
        for name, value in names.items():
            blob = self._watch.blob_of(about.name, name)
            if blob is None:
                unknown[name] = value
            else:
                self._needs.add(blob)
        if unknown:
            self._uses.note_names(unknown.values())
        return unknown

    def take_needs(self) -> Sequence[int]:
        """See :meth:`AppCode.take_needs`."""
        needs, self._needs = tuple(self._needs), set()
        return needs

    def need_module(self, name: str) -> None:
        """See :meth:`AppCode.need_module`."""
        if self._sources.is_own(name):
            self._need_modules([name])

    def need_imports(self, code: CodeType, package: str) -> None:
        """See :meth:`AppCode.need_imports`."""
        self._need_modules(self._sources.imported(code, package))

    def _need_modules(self, names: Iterable[str]) -> None:
        wanted = list(names)
        new = [name for name in wanted if name not in self._blob_by_module and name not in self._coming]
        needed = self._sources.needed(new, (*self._blob_by_module, *self._coming)) if new else []
        if needed:
            parts_blob = self._make_parts(needed)
            sources = self._as_travelling(needed)
            index = len(self.blobs)
            self._blob_by_module.update((source.name, index) for source in sources)
            self._objects_by_blob[index] = []
            head = BlobHead(self.version, needs=parts_blob, modules=tuple(sources))
            self.blobs.append(packed_blob(head, self._plain_names(index, sources)))
        self._needs.update(self._blob_by_module[name] for name in wanted if name in self._blob_by_module)

    def _make_parts(self, sources: list[ModuleSource]) -> tuple[int, ...]:
        """Make the blob of what sources import of modules that travel by value, if they do; returns it."""
        if len(self._own_modules) == 1:  # no more than the program's file
            return ()
        parts = [
            part
            for source in sources
            if not self._is_own_module(source.name)
            for code in compiled(source)
            for part in self.imported(code, source.package)
        ]
        if not parts:
            return ()
        names = {source.name for source in sources}
        self._coming |= names
        try:
            return (self._make(parts, BlobHead(self.version)),)
        except Exception as error:  # boundary: values that the code refers to are pickled
            log.debug("what %s import is left to its source: %s", sorted(names), error)
            return ()
        finally:
            self._coming -= names

    def _as_travelling(self, sources: list[ModuleSource]) -> list[ModuleSource]:
        """Return sources as they travel."""
        return sources

    def _plain_names(self, index: int, sources: list[ModuleSource]) -> bytes:
        """Return the pickles of the plain data that modules have in this program.

        A module that travels by value is left to that: where its functions came before its source, nothing but
        what came with them is in it.
        """
        sink = PickleSink()
        pickler = BlobPickler(self, sink)
        for source in sources:
            module = sys.modules.get(source.name)
            is_by_value = self._is_own_module(source.name)
            if module is not None and not is_by_value and self._sources.is_own(source.name):
                names = self._watch.add_module(index, module)
                pickler.dump((pickler.namespace(_about(module)), names))
        pickler.dump([])
        return sink.joined()

    def _load(self, blob: int) -> Sequence[Any]:
        """Load a blob of a former program; those of this one are here."""
        if blob >= self._former_count:
            return super()._load(blob)
        objects = self._objects_by_blob[blob] = self._former.objects_of(blob)
        return objects

    def module(self, version: int, about: About) -> ModuleType:
        """See :meth:`AppCode.module`: the program's own one."""
        return sys.modules[about.name]

    def define(self, target: Any, values: dict[str, Any]) -> None:
        """See :meth:`AppCode.define`: what the program has stays as it is."""
        for name, value in values.items():
            target.setdefault(name, value)

    def _travels(self, module: str) -> bool:
        """Return whether a module is one of the program's own, imported or not."""
        return self._is_own_module(module) or self._sources.travels(module)

    def _is_own_module(self, name: Any) -> bool:
        if type(name) is not str:  # some code has no module
            return False
        package = name.rpartition(".")[0]
        return name in self._own_modules or (package != "" and self._is_own_module(package))

    def _is_found(self, thing: Any, name: str) -> bool:
        """Return whether a thing is what its name says."""
        module = thing.__module__
        return module == "builtins" or self._has(sys.modules.get(module), thing, name)

    @staticmethod
    def _has(module: ModuleType | None, thing: Any, name: str) -> bool:
        found: Any = module
        for each in name.split("."):
            found = getattr(found, each, None)
        return found is thing

    def _find_name(self, thing: Any) -> str | None:
        names = vars(sys.modules["__main__"]).items()
        return next((name for name, value in names if value is thing), None)

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

    def _dumps_slowly(self, value: Any) -> bytes | Frame:
        with by_value(self._own_modules):
            return super()._dumps_slowly(value)

    def _make_blob(self, thing: Any) -> None:
        """Make the blob of a function, a class or a value of an own module."""
        module = _module_name(thing)
        is_installed = not self._is_own(thing) and self._is_found(thing, thing.__qualname__)
        if is_installed:
            self._uses.note_module(module)
        try:
            self._make([thing], BlobHead(ANY_VERSION if is_installed else self.version))
        except Exception as error:  # boundary: values that the code refers to are pickled
            name = f"{module}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"
            raise unpicklable_code(
                name, thing, error, self._is_own, self._why_not, asked=self._explained
            ) from error

    def _is_own(self, thing: Any) -> bool:
        """Return whether a function or class is of a module that the workers do not have."""
        module = _module_name(thing)
        return self._is_own_module(module) or self._sources.is_own(module)

    def _make(self, things: list[Any], head: BlobHead) -> int:
        """Make a blob and return its index; a change begins the version behind that."""
        sink = PickleSink()
        pickler = BlobPickler(self, sink)
        needs, self._needs = self._needs, set()
        try:
            with by_value(self._own_modules):
                if head.is_change:
                    pickler.dump_all([self._as_sent(pickler, change) for change in things])
                else:
                    pickler.dump_all([(thing,) for thing in things], things[0])
            index = len(self.blobs)  # others may have been made meanwhile
            version = index + 1 if head.is_change else head.version
            head = head._replace(version=version, needs=tuple(self._needs - {index}))
        finally:
            self._needs = needs
        self._objects_by_blob[index] = pickler.objects
        for position, thing in enumerate(pickler.objects):
            self.reference_by_id.setdefault(id(thing), (code_at, (version, index, position)))
        self.blobs.append(packed_blob(head, sink.joined()))
        if version != ANY_VERSION:
            names = {
                name: (vars(sys.modules[name]), values) for name, (_, values) in pickler.names.items() if values
            }
            for name, missing in pickler.missing_by_space.items():
                self._watch.add_missing(name, vars(sys.modules[name]), missing)
            self._watch.add(index, names, [one for one in pickler.objects if self._is_lasting(one)])
        return index

    def _is_lasting(self, thing: Any) -> bool:
        """Return whether a thing is watched; what has no name of its own would be too much."""
        is_code = type(thing) is FunctionType or isinstance(thing, type)
        return is_code and self._is_found(thing, thing.__qualname__)

    def _as_sent(self, pickler: BlobPickler, change: Change) -> tuple[Any, dict[str, Any]]:
        target, values = change
        if type(target) is not dict:
            return target, values
        about = self.about(target)
        assert about is not None, "only names of own modules are watched"
        return pickler.namespace(about), values

    def _sendable(self, target: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Return values with GONE for those that cannot be pickled; only tasks that use them fail."""
        sendable = {}
        for name, value in values.items():
            try:
                with by_value(self._own_modules):
                    BlobPickler(self, PickleSink()).dump_all([(value,)])
                sendable[name] = value
            except Exception as error:  # boundary: the value's own code runs here
                of = target.get("__name__") if type(target) is dict else target.__qualname__
                if of in self._blob_by_module:  # workers have one of their own
                    continue
                log.warning("%s of %s is changed and cannot be sent to workers any more: %s", name, of, error)
                sendable[name] = GONE
        return sendable

    def _of_now(self, reference: Any) -> Any:
        """Return a reference that says the present version."""
        if reference is NotImplemented or reference[1][0] == ANY_VERSION:
            return reference
        return code_at, (self.version, *reference[1][1:])


def _module_name(thing: Any) -> Any:
    """Return where a thing has its name; instances of ``object`` do not say it."""
    return "__main__" if type(thing) is object else thing.__module__


def _about(module: ModuleType) -> About:
    file = getattr(module, "__file__", None)
    return About(module.__name__, file, module.__package__, hasattr(module, "__path__"))


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


def _is_large(contents: tuple[Any, ...]) -> bool:
    return any(type(content) is bytes and len(content) >= LARGE_BYTES for content in contents)


def _is_same(contents: tuple[Any, ...] | None, before: tuple[Any, ...]) -> bool:
    return contents is not None and all(new is old for new, old in zip(contents, before, strict=True))
