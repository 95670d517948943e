"""The installed modules that the code of a program names: its workers need them too.

It names a module that it imports, wherever it does, and whose functions or classes it has among its global
names. What only other packages import is theirs to see to, so it is not told, nor is what the code can do
without (``needed.py``). Of a module that travels by value, as ``__main__`` does, only what travels counts: a
program may show its results with what no worker has.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable
from importlib.util import find_spec
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple, cast

from concurrent.core.dependencies import is_installed
from concurrent.core.distributions import Distributions
from concurrent.scheduling.pickling.needed import modules_needed, modules_spared

__all__ = ["Use", "Uses"]

OF_SPARED: Final = (b"ImportError", b"ModuleNotFoundError", b"except Exception", b"TYPE_CHECKING")
"""What is in the text of a module that can do without others."""

NEVER_TOLD: Final = frozenset({*sys.stdlib_module_names, *sys.builtin_module_names, "concurrent_framework"})
"""Each slave has them."""

FRAMEWORK: Final = "concurrent."
"""Its own modules are no program's, though a checkout may lie in the folder of one."""


class Use(NamedTuple):
    """An installed module, by its name without a dot, and the distribution that it belongs to, if one does."""

    module: str
    distribution: str
    version: str


class Uses:
    """See the module. ``found`` only grows; any thread may read it. All else is for one thread at a time.

    :param is_own: returns whether a module, by its name without a dot, travels with the program.
    :param is_by_value: returns whether only those functions and classes of a module travel that tasks use.
    """

    def __init__(self, is_own: Callable[[str], bool], is_by_value: Callable[[str], bool]) -> None:
        self.found: list[Use] = []
        self._is_own = is_own
        self._is_by_value = is_by_value
        self._seen: set[str] = set()
        self._distributions = Distributions()

    def look_at_program(self, folders: Iterable[str]) -> None:
        """Look at what the modules of the program that travel whole have imported so far.

        :param folders: where its own modules lie.
        """
        inside = tuple(os.path.join(folder, "") for folder in folders)
        for name, module in cast("list[tuple[str, object]]", list(sys.modules.items())):
            if not isinstance(module, ModuleType) or name.startswith(FRAMEWORK):
                continue
            names = vars(module)
            file = names.get("__file__")
            own_name = names.get("__name__")  # that of a program is __main__, also where others import it
            if type(file) is not str or self._is_by_value(own_name if type(own_name) is str else name):
                continue
            if file.startswith(inside) and _is_own(file):
                self._look_at(list(names.values()), name, _spared_in(file))

    def note_names(self, values: Iterable[Any], but: Collection[str] = ()) -> None:
        """Take note of modules, and of what is defined in them, among what code has as global names.

        :param but: modules, by their names without a dot, that the code can do without.
        """
        for value in values:
            kind = type(value)
            name = None
            if kind is ModuleType:
                name = value.__name__
            elif kind is FunctionType or kind is BuiltinFunctionType or isinstance(value, type):
                name = value.__module__
            if name is not None and not (but and str(name).partition(".")[0] in but):
                self.note_module(name)

    def note_code(self, code: CodeType) -> None:
        """Take note of what code imports, and what is defined in it, and cannot do without."""
        for name in modules_needed(code):
            self.note_module(name)

    def note_module(self, name: Any) -> None:
        """Take note of a module, unless it travels, comes with Python or is not here either.

        One with leading dots is of the package of who imports it, and so of no other distribution.
        """
        if type(name) is not str:  # some functions do not know it
            return
        top = name.partition(".")[0]
        if not top or top in self._seen:
            return
        self._seen.add(top)
        if top in NEVER_TOLD or self._is_own(top):
            return
        folder = _folder_of(top)
        if folder is not None:
            one = self._distributions.of_module(top, folder, sys.path)
            self.found.append(Use(top, one.name, one.version) if one is not None else Use(top, "", ""))

    def _look_at(self, values: list[Any], module: str, spared: Collection[str]) -> None:
        self.note_names(values, spared)
        for value in values:
            is_code = type(value) is FunctionType or isinstance(value, type)
            if is_code and value.__module__ == module:
                members = vars(value).values() if isinstance(value, type) else (value,)
                for member in members:
                    function = getattr(member, "__func__", member)
                    if type(function) is FunctionType:
                        self.note_code(function.__code__)


def _spared_in(file: str) -> set[str]:
    """Return what a module of the program can do without, by names without a dot."""
    try:
        with open(file, "rb") as source:
            text = source.read()
        if not any(one in text for one in OF_SPARED):
            return set()
        return modules_spared(compile(text, file, "exec", dont_inherit=True))
    except (OSError, SyntaxError, ValueError):  # it was changed since it was imported
        return set()


def _is_own(file: str) -> bool:
    """Return whether a module's file is the source of a program."""
    return file.endswith(".py") and not is_installed(file)


def _folder_of(top: str) -> str | None:
    """Return where a module or package lies that can be imported here; None if there is none."""
    try:
        spec = getattr(sys.modules.get(top), "__spec__", None) or find_spec(top)
    except (ImportError, ValueError):  # finders of others, and modules that were made by hand
        return None
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    origin = places[0] if places else spec.origin
    return os.path.dirname(origin) if type(origin) is str else ""
