"""Code that travels: how tasks and results are pickled between an application and its workers.

What an installed module defines travels by reference, as always with pickle. The application's *own* modules
(``__main__``, its plug-in file) do not exist on the workers, so their functions and classes travel by
value: each is pickled once with cloudpickle, together with those of its kind that it needs, into a *blob*.
A payload only says "object 3 of blob 1". The same reference leads back: what a worker returns is an instance
of the application's own class.

This is what both ends have in common, and the end of workers and task systems. ``codebook.py`` is that of the
application.

References inside a pickle are calls of :func:`code_at`, which asks the book or cache that unpickles; they can
be read where this module is imported.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from types import CodeType, ModuleType
from typing import Any, Final, NamedTuple

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.pickling.codewatch import ATOMS
from concurrent.scheduling.pickling.payload import PROTOCOL, PickleSink, unpickled
from concurrent.scheduling.pickling.picklers import FastPickler, InlinePickler, ModulePart
from concurrent.scheduling.pickling.projectplaces import Projects
from concurrent.scheduling.pickling.sources import ModuleSource
from concurrent.scheduling.pickling.spaces import Spaces
from concurrent.scheduling.pickling.unpicklable import unpicklable_value
from concurrent.scheduling.pickling.unpickling import ANY_VERSION, About, code_at, current
from concurrent.scheduling.pickling.uses import Use
from concurrent.scheduling.wire.projectblobs import is_of_project
from concurrent.scheduling.wire.requirementsblob import is_requirements
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Buffer, Frame

__all__ = ["EMPTY_BLOB", "AppCode", "BlobHead", "ReceivedCode", "code_at", "packed_blob"]

HEAD_BYTES: Final = struct.Struct("!I")


class BlobHead(NamedTuple):
    """What stands before the pickles of a blob.

    :param version: of the code, from which on it holds.
    :param is_change: whether it begins that version.
    :param needs: earlier blobs with global names or modules that its functions use.
    :param modules: own modules that travel as sources.
    """

    version: int
    is_change: bool = False
    needs: tuple[int, ...] = ()
    modules: tuple[ModuleSource, ...] = ()


def packed_blob(head: BlobHead, body: bytes) -> bytes:
    """Return a blob as it travels: the length of its head (u32), the head pickled, and its pickles."""
    version, is_change, needs, modules = head
    rows = [tuple(each) if each.path else tuple(each[:-1]) for each in modules]  # older peers know no path
    pickled = pickle.dumps((version, is_change, needs, rows), PROTOCOL)
    return b"".join((HEAD_BYTES.pack(len(pickled)), pickled, body))


EMPTY_BLOB: Final = packed_blob(BlobHead(ANY_VERSION), pickle.dumps([], PROTOCOL))
"""Stands for a blob that has not come (back), or has no code."""


class AppCode:
    """The travelling code of one application at one end; pickles and unpickles for it. One thread.

    ``is_same()`` says whether the program has changed nothing of it since :meth:`refresh`.
    """

    def __init__(self) -> None:
        self.reference_by_id: dict[int, Any] = {id(code_at): NotImplemented}
        self.version = ANY_VERSION
        self.has_project = False
        self.is_same: Callable[[], bool] = lambda: True
        self._objects_by_blob: dict[int, Sequence[Any]] = {}
        self._spare_pickler: FastPickler | None = None

    def object_at(self, version: int, blob: int, position: int) -> Any:
        """Return an object of a blob.

        :param version: of the code, when the reference was made.
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

    @property
    def uses(self) -> Sequence[Use]:
        """The installed modules that its code names, as far as it is known; there may be more later."""
        return ()

    def look_at_program(self) -> None:
        """Find out which installed modules the program has imported so far."""

    def reserve(self, count: int) -> None:
        """Leave the first so many blobs to a former program of the job, before any is made here."""
        raise NotImplementedError

    def recall(self, index: int, blob: bytes) -> None:
        """Take a blob of a former program of the job."""
        raise NotImplementedError

    def refresh(self) -> bool:
        """Take in what the program has changed of its code; returns whether references are others now."""
        return False

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
        before = current.code
        current.code = self
        try:
            return unpickled(payload)
        finally:
            current.code = before

    def enter(self) -> None:
        """Have what this thread unpickles from now on refer to this code, other ways than this one too."""
        before = current.code
        if isinstance(before, AppCode) and before is not self:
            before.leave()
        current.code = self

    def leave(self) -> None:
        """Others are entered after this one."""

    def refer(self, thing: Any, *, is_inside: bool = False) -> Any:
        """Return the reference to a function or class, or NotImplemented for pickle's own way.

        None means that it has to travel by value inside the payload.

        :param is_inside: whether the payload is being made in a way that allows this.
        """
        return self.reference_by_id.get(id(thing), NotImplemented)

    def refer_named(self, thing: Any) -> Any:
        """Return how a value is pickled that pickle may look up by its name, or NotImplemented."""
        return NotImplemented

    def has_names(self, kind: type) -> bool:
        """Return whether instances of a class may be pickled by a name of an own module."""
        return False

    def numbers_of(self, thing: Any) -> tuple[int, int, int] | None:
        """Return version, blob and position of a function or class, None if payloads cannot refer to it so."""
        reference = self.reference_by_id.get(id(thing))
        return None if reference is None else reference[1]

    def about(self, namespace: dict[str, Any]) -> About | None:
        """Return what is known of the own module with these global names, None if it is none."""
        return None

    def imported(self, code: CodeType, package: str) -> Sequence[ModulePart]:
        """Return what code may use of modules that travel by value, and that it imports itself."""
        return ()

    def path_in_project(self, path: PurePath) -> str | None:
        """Return where in the project a file is; None if it is none of it. Asked only if there is a project."""
        raise NotImplementedError

    def project_path(self, path: str) -> Path:
        """Return where a file of the project is here."""
        raise NotImplementedError

    def take_needs(self) -> Sequence[int]:
        """Return the blobs that are needed by what was pickled since the last time."""
        return ()

    def need(self, blobs: Sequence[int]) -> None:
        """Load blobs."""

    def need_module(self, name: str) -> None:
        """Have the other end import an own module, if it is one that travels as a source."""

    def need_imports(self, code: CodeType, package: str) -> None:
        """Have the other end import the own modules that code may import."""

    def unknown_names(self, about: About, names: dict[str, Any]) -> dict[str, Any]:
        """Return those global names of an own module that the other end does not have."""
        return names

    def module(self, version: int, about: About) -> ModuleType:
        """Return an own module, as it is in a version."""
        raise NotImplementedError

    def define(self, target: Any, values: dict[str, Any]) -> None:
        """Give names of an own module, or attributes of a class or function, their values."""
        raise NotImplementedError

    def _load(self, blob: int) -> Sequence[Any]:
        raise SchedulingError(f"blob {blob} of the application's code is not here", thing="code", value=blob)

    def _dumps_slowly(self, value: Any) -> bytes | Frame:
        sink = PickleSink()
        try:
            InlinePickler(self, sink).dump(value)
        except SchedulingError:  # the code of something in it cannot travel
            raise
        except Exception as error:  # boundary: the value's own code runs here
            raise unpicklable_value(value, error, self._why_not) from error
        return sink.payload()

    def _why_not(self, value: Any) -> Exception | None:
        """Return what pickling a value raises, None if nothing."""
        try:
            InlinePickler(self, PickleSink()).dump(value)
        except Exception as error:  # boundary: the value's own code runs here
            return error
        return None


class ReceivedCode(AppCode):
    """The code of the application of a worker, or task system, where it came as blobs. One thread."""

    def __init__(self) -> None:
        super().__init__()
        self.blob_by_index: dict[int, bytes] = {}
        self._spaces = Spaces()
        self._projects: Projects | None = None
        self._present = 0  # the version that tasks are in
        self._defining: BlobHead | None = None  # of the blob that is unpickled

    def take(self, index: int, blob: bytes) -> None:
        """Keep a blob, to be unpickled when it is needed; its modules can be imported from now on."""
        if is_of_project(blob):
            self.blob_by_index[index] = EMPTY_BLOB
            self._take_project(index, blob)
            return
        if is_requirements(blob):  # this worker is of the environment already
            blob = EMPTY_BLOB
        self.blob_by_index[index] = blob
        self._spaces.add_sources(self._head(index)[0].modules)

    @property
    def blob_count(self) -> int:
        """How many blobs payloads may refer to."""
        return len(self.blob_by_index)

    def blob_at(self, index: int) -> bytes:
        """Return a blob as it travels."""
        return self.blob_by_index[index]

    def enter(self) -> None:
        """See :meth:`AppCode.enter`; imports find the application's own modules from now on."""
        super().enter()
        self._spaces.enter()

    def leave(self) -> None:
        """Have imports find what they found before."""
        self._spaces.leave()
        if self._projects is not None:
            self._projects.leave()

    def object_at(self, version: int, blob: int, position: int) -> Any:
        """See :meth:`AppCode.object_at`; everything is as in that version then."""
        if version != self._present and version != ANY_VERSION:
            self._go_to(version)
        objects = self._objects_by_blob.get(blob)
        return (self._load(blob) if objects is None else objects)[position]

    def need(self, blobs: Sequence[int]) -> None:
        """See :meth:`AppCode.need`."""
        for blob in blobs:
            if blob not in self._objects_by_blob:
                self._load(blob)

    def about(self, namespace: dict[str, Any]) -> About | None:
        """See :meth:`AppCode.about`."""
        name = self._spaces.name_of(namespace)
        return None if name is None else About(name, None, None, is_package=False)

    def module(self, version: int, about: About) -> ModuleType:
        """See :meth:`AppCode.module`; it is made when it is first asked for."""
        if version != self._present and version != ANY_VERSION:
            self._go_to(version)
        return self._spaces.module(about)

    def define(self, target: Any, values: dict[str, Any]) -> None:
        """See :meth:`AppCode.define`."""
        head = self._defining
        if self._projects is not None:
            values = {name: self._projects.here_if_text(value) for name, value in values.items()}
        if head is None:
            self._spaces.define(target, values, self._present)
        else:
            self._spaces.define(target, values, head.version, is_change=head.is_change)

    def path_in_project(self, path: PurePath) -> str | None:
        """See :meth:`AppCode.path_in_project`."""
        return None if self._projects is None else self._projects.path_of(path)

    def project_path(self, path: str) -> Path:
        """See :meth:`AppCode.project_path`."""
        return Path(path) if self._projects is None else self._projects.place_of(path)

    def _take_project(self, index: int, blob: bytes) -> None:
        """Take a blob of a project, which is the one of the tasks from that version on."""
        if self._projects is None:
            self._projects = Projects(self._spaces)
            self.has_project = True
        self._projects.take(index, blob)
        self._projects.go_to(self._present)

    def _go_to(self, version: int) -> None:
        if self._projects is not None:
            self._projects.go_to(version)
        for index in range(self._present, version):
            if index not in self._objects_by_blob and self._head(index)[0].is_change:
                self._load(index)
        self._spaces.go_to(version)
        self._present = version

    def _head(self, blob: int) -> tuple[BlobHead, int]:
        """Return the head of a blob, and where its pickles begin."""
        data = self.blob_by_index.get(blob)
        if data is None:
            super()._load(blob)
        assert data is not None
        end = HEAD_BYTES.size + HEAD_BYTES.unpack_from(data)[0]
        version, is_change, needs, modules = pickle.loads(data[HEAD_BYTES.size : end])
        return BlobHead(version, is_change, needs, tuple(ModuleSource(*one) for one in modules)), end

    def _load(self, blob: int) -> Sequence[Any]:
        if self._projects is not None:
            self._projects.check()
        head, start = self._head(blob)
        self.need(head.needs)
        before, self._defining = self._defining, head
        code_before, current.code = current.code, self
        try:
            objects = self._unpickle(blob, start)
        finally:
            self._defining = before
            current.code = code_before
        self._objects_by_blob[blob] = objects
        version = head.version if head.version == ANY_VERSION else self._present
        for position, thing in enumerate(objects):
            self.reference_by_id.setdefault(id(thing), (code_at, (version, blob, position)))
        return objects

    def _unpickle(self, blob: int, start: int) -> list[Any]:
        file = io.BytesIO(self.blob_by_index[blob])
        file.seek(start)
        unpickler = pickle.Unpickler(file)
        while True:
            part = unpickler.load()
            if type(part) is list:
                return part
            if len(part) == 2:  # names or attributes and their values; else it is what the blob was made for
                self.define(*part)
