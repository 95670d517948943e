"""Code that a former program of a job has sent, at the program that goes on with the job.

What its tasks return refers to that code. Where the present program has a class or function of the same module
and name, this one is taken, so that results are instances of it; the log says so if the two differ.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any, Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.pickling.code import ReceivedCode
from concurrent.scheduling.wire.projectblobs import Manifest, is_manifest

__all__ = ["FormerCode"]

ANNOTATING: Final = frozenset({"__annotate__", "__annotate_func__"})

log = get_log(__name__)


class FormerCode(ReceivedCode):
    """See the module. Whatever thread unpickles results."""

    def __init__(self) -> None:
        super().__init__()
        self._compared: set[tuple[str, str]] = set()
        self.digest = ""
        """That of the last project of the former program."""

    def objects_of(self, blob: int) -> list[Any]:
        """Return what references to a blob stand for in the present program.

        :raises Exception: whatever the pickles of the blob raise.
        """
        return [self._own_one(thing) for thing in self._load(blob)]

    def _take_project(self, index: int, blob: bytes) -> None:
        """Note a project of the former program; the modules here are those of this one."""
        if is_manifest(blob):
            self.digest = Manifest.of(blob).digest

    def _load(self, blob: int) -> Sequence[Any]:
        objects = self._objects_by_blob.get(blob)
        return super()._load(blob) if objects is None else objects

    def _own_one(self, thing: Any) -> Any:
        """Return what the present program has under the name of a thing, or the thing itself."""
        module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
        if type(module) is not str or type(name) is not str:
            return thing
        own: Any = sys.modules.get(module)
        for each in name.split("."):
            own = getattr(own, each, None)
        is_alike = isinstance(own, type) if isinstance(thing, type) else type(own) is type(thing)
        if own is thing or not is_alike:
            return thing
        if (module, name) not in self._compared:
            self._compared.add((module, name))
            if not _is_same(thing, own):
                log.warning(
                    "%s of %s is not what it was when this job began: tasks that were pushed before run the "
                    "former one, and what they return is taken for the present one",
                    name,
                    module,
                )
        return own


def _is_same(former: Any, own: Any) -> bool:
    """Return whether two functions, or the methods of two classes, do the same. Where that is not seen: yes."""
    if type(former) is FunctionType:
        return _essence(former.__code__) == _essence(own.__code__)
    return not isinstance(former, type) or _methods(former) == _methods(own)


def _methods(kind: type) -> dict[str, Any]:
    return {
        name: _essence(value.__code__)
        for name, value in vars(kind).items()
        if type(value) is FunctionType and name not in ANNOTATING
    }


def _essence(code: CodeType) -> tuple[Any, ...]:
    """Return what a function does, wherever it stands in its file."""
    consts = tuple(_essence(one) if isinstance(one, CodeType) else (type(one), one) for one in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, consts
