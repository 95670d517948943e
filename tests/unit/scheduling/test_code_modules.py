"""What is reached through the modules of a program, and not as a global name of the code that uses it."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from concurrent.scheduling.pickling.code import ReceivedCode
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.pickling.unpickling import current

FILES = {
    "modl.py": """
LIMIT = 3
TABLE = {"a": [1, 2]}
def first(): return 1
def second(): return 2 + LIMIT
class Thing:
    limit = LIMIT
ONE = Thing()
""",
    "pckg/__init__.py": "WHERE = 'here'\n",
    "pckg/sub.py": "FACTOR = 2\ndef first(): return 1\ndef second(): return 3 * FACTOR\n",
    "pckg/via.py": """
from . import sub
def through(): return sub.second()
def inside():
    from . import sub as other
    return other.second()
def up():
    from .sub import second
    return second()
def package():
    import pckg.sub
    return pckg.WHERE, pckg.sub.second()
""",
    "prog.py": """
import modl, pckg.sub, pckg.via
def function(): return modl.second()
def instance(): return modl.ONE.limit
def inherits():
    class Other(modl.Thing): pass
    return Other().limit
def submodule(): return pckg.sub.second()
def imports():
    import modl
    return modl.second()
def imports_as():
    import pckg.sub as sub
    return sub.second()
def imports_name():
    from modl import Thing, TABLE
    return Thing.limit, TABLE
def within(): return [(lambda: __import__ and imports())() for _ in range(1)]
unnamed = lambda: modl.second()
class Uses:
    def __call__(self): return modl.Thing.limit
through, inside, up, package = pckg.via.through, pckg.via.inside, pckg.via.up, pckg.via.package
""",
}
WANTED = {
    "function": 5, "instance": 3, "inherits": 3, "submodule": 6, "imports": 5, "imports_as": 6, "unnamed": 5,
    "imports_name": (3, {"a": [1, 2]}), "within": [5], "Uses": 3, "through": 6, "inside": 6, "up": 6,
    "package": ("here", 6),
}  # fmt: skip
MODULES = ("modl", "pckg", "pckg.sub", "pckg.via", "prog")
OWN = {
    "by value": ["modl", "pckg", "prog"],
    "program by value": ["prog"],
    "modules by value": ["modl", "pckg"],
    "as sources": [],
}


class Program:
    """A program of several modules, and what it has at a worker that had its code from the beginning."""

    def __init__(self, folder: Path, own: list[str], *, has_sources: bool) -> None:
        self.modules = {name: importlib.import_module(name) for name in MODULES}
        self._book = CodeBook(own, [str(folder)] if has_sources else [])
        self._cache = ReceivedCode()
        self._sent_count = 0

    def run(self, thing: Callable[[], Any]) -> Any:
        """Return what a task returns."""
        return self.run_payload(self.payload(thing))

    def payload(self, thing: Any) -> Any:
        self._book.refresh()
        return self._book.dumps_payload(thing)

    def run_payload(self, payload: Any) -> Any:
        with _Without(self.modules):
            for index in range(self._sent_count, self._book.blob_count):
                self._cache.take(index, self._book.blob_at(index))
            self._sent_count = self._book.blob_count
            before = current.code
            self._cache.enter()
            try:
                return self._cache.loads_payload(payload)()
            finally:
                self._cache.leave()
                current.code = before


class _Without:
    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self._modules = modules

    def __enter__(self) -> None:
        for name in self._modules:
            del sys.modules[name]

    def __exit__(self, *_: object) -> None:
        sys.modules.update(self._modules)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)


def _programs(folder: Path) -> Iterator[tuple[str, Program]]:
    for name, own in OWN.items():
        yield f"{name}, sources", Program(folder, own, has_sources=True)
    yield "by value, no sources", Program(folder, OWN["by value"], has_sources=False)


@pytest.mark.parametrize("name", WANTED)
def test_what_is_reached_through_a_module_is_there_whatever_came_before(folder: Path, name: str) -> None:
    for what, program in _programs(folder):
        thing = getattr(program.modules["prog"], name)
        thing = thing() if isinstance(thing, type) else thing
        for before in (program.modules["modl"].first, program.modules["pckg.sub"].first):
            assert program.run(before) == 1, what
        assert [program.run(thing) for _ in range(3)] == [WANTED[name]] * 3, what


def test_any_order_of_what_uses_a_module_will_do(folder: Path) -> None:
    names = ("function", "imports", "imports_name", "package")
    for order in itertools.permutations(names):
        for what, program in _programs(folder):
            got = {name: program.run(getattr(program.modules["prog"], name)) for name in order}
            assert got == {name: WANTED[name] for name in names}, (what, order)


def test_a_name_that_a_module_gets_later_is_there_and_a_change_is_seen(folder: Path) -> None:
    for what, program in _programs(folder):
        modl, prog = program.modules["modl"], program.modules["prog"]
        assert program.run(modl.first) == 1
        assert program.run(prog.imports) == program.run(prog.function) == 5, what
        early = program.payload(prog.function)
        modl.LIMIT = 10
        modl.third = prog.third = eval("lambda: modl.LIMIT", vars(prog))
        assert program.run(prog.third) == 10, what
        assert program.run(prog.imports) == program.run(prog.function) == 12, what
        assert program.run_payload(early) == 5, what
        modl.LIMIT = 3


def test_what_an_import_does_not_name_need_not_be_able_to_travel(folder: Path) -> None:
    program = Program(folder, OWN["by value"], has_sources=False)
    program.modules["modl"].lock = (each for each in ())  # type: ignore[attr-defined]
    assert program.run(program.modules["prog"].imports) == 5
