"""What the pickles of an application call: each asks the code of the application that is being unpickled.

Pickles name these functions, so they are found at both ends: at the application, where they lead back to its
own modules, and at workers and task systems, where they lead to the modules that stand for those.
"""

from __future__ import annotations

import copyreg
import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple, Protocol

from concurrent.core.errors import SchedulingError

__all__ = [
    "ANY_VERSION",
    "CODE_AT",
    "GONE",
    "About",
    "code_at",
    "current",
    "make_cached",
    "make_code",
    "make_dispatcher",
    "make_function",
    "method_of",
    "module_of",
    "namespace_of",
    "need_blobs",
    "project_path",
    "set_function_state",
    "set_module_state",
]

CODE_AT: Final = 0x43634341
"""The number of :func:`code_at` in pickles, where its name would be a lookup in a module for each task. (PEP
307: extension codes from 256 on are not assigned.)"""

ANY_VERSION: Final = -1
"""The version in references to what never changes, because it is installed."""


class About(NamedTuple):
    """What is known of an own module, besides what is in it."""

    name: str
    file: str | None
    package: str | None
    is_package: bool


class Code(Protocol):
    """The code of one application at one end."""

    def object_at(self, version: int, blob: int, position: int) -> Any:
        """Return what a reference stands for."""

    def need(self, blobs: Sequence[int]) -> None:
        """Load blobs."""

    def module(self, version: int, about: About) -> ModuleType:
        """Return an own module, as it is in a version."""

    def project_path(self, path: str) -> Path:
        """Return where a file of the project is here."""

    def define(self, target: Any, values: dict[str, Any]) -> None:
        """Give names of an own module, or attributes of a class or function, their values."""


class _Current(threading.local):
    """Whose code the pickle that this thread is unpickling refers to."""

    code: Code | None = None


current: Final = _Current()


class _Gone:
    """The value of a name that is there no more."""

    def __reduce__(self) -> str:
        return "GONE"


GONE: Final = _Gone()


def _code() -> Code:
    code = current.code
    if code is None:
        raise SchedulingError(
            "a pickle refers to an application's code, but is not unpickled for an application",
            thing="code_at",
            remedy="Use loads_payload of its CodeBook or ReceivedCode.",
        )
    return code


def code_at(version: int, blob: int, position: int) -> Any:
    """Return a function, class or value of the application whose pickle this thread is unpickling.

    :param version: of the application's code, when the reference was made.
    :raises SchedulingError: if it is not known here.
    """
    return _code().object_at(version, blob, position)


copyreg.add_extension(__name__, code_at.__name__, CODE_AT)


def need_blobs(*blobs: int) -> None:
    """Have the global names and modules of blobs ready for what follows."""
    _code().need(blobs)


def project_path(path: str) -> Path:
    """Return where a file or folder of the project is on this machine."""
    return _code().project_path(path)


def module_of(version: int, *about: Any) -> ModuleType:
    """Return an own module, as it is in a version of the application's code."""
    return _code().module(version, About(*about))


def namespace_of(version: int, *about: Any) -> dict[str, Any]:
    """Return the global names of an own module."""
    return vars(_code().module(version, About(*about)))


def set_module_state(module: ModuleType, values: dict[str, Any]) -> None:
    """Give the names of an own module their values."""
    _code().define(vars(module), values)


def make_code(file_name: str, arguments: tuple[Any, ...]) -> CodeType:
    """Return a code object.

    :param arguments: those of its type, which differ between versions of Python.
    """
    return CodeType(*arguments).replace(co_filename=file_name)


def make_function(code: CodeType, namespace: dict[str, Any], closure: Any) -> FunctionType:
    """Return a function of an own module; its state comes later."""
    return FunctionType(code, namespace, code.co_name, None, closure)


def set_function_state(function: FunctionType, state: tuple[Any, ...]) -> None:
    """Complete such a function: its attributes, its closure, and the global names that it uses."""
    own, attributes, cells, names, _ = state
    _code().define(function.__globals__, names)
    function.__dict__.update(own)
    for mine, cell in zip(function.__closure__ or (), cells or (), strict=True):
        try:
            mine.cell_contents = cell.cell_contents
        except ValueError:  # it is empty
            continue
    for name, value in attributes.items():
        setattr(function, name, value)


def make_cached(maxsize: int | None, typed: bool, function: Any) -> Any:  # noqa: FBT001  pickles call it
    """Return what ``functools.lru_cache`` makes of a function, with an empty cache."""
    return functools.lru_cache(maxsize=maxsize, typed=typed)(function)


def make_dispatcher(function: Any, function_by_type: dict[type, Any]) -> Any:
    """Return what ``functools.singledispatch`` makes of a function, with what was registered."""
    dispatcher = functools.singledispatch(function)
    for kind, each in function_by_type.items():
        dispatcher.register(kind, each)
    return dispatcher


def method_of(kind: type, name: str, thing: Any) -> Any:
    """Return the method of a class, bound to an instance that may have another one of that name."""
    return vars(kind)[name].__get__(thing)
