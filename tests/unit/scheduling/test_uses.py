"""Which installed modules a program names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import cloudpickle
import pytest

from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.pickling.uses import Use, Uses


@pytest.fixture
def uses() -> Uses:
    return Uses(lambda top: top == "mine", lambda name: name == "__main__")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for imports, with a module that belongs to a distribution and one that does not."""
    (tmp_path / "grid_tools.py").write_text("def solve(x): return x\n")
    (tmp_path / "grid_tools-2.1.0.dist-info").mkdir()
    (tmp_path / "bare_tools.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("grid_tools", "bare_tools", "program_of_test"):
        sys.modules.pop(name, None)


def names(uses: Uses) -> list[str]:
    return [use.module for use in uses.found]


def test_what_code_imports_is_noted_wherever_it_does_once(uses: Uses, place: Path) -> None:
    text = "import os, mine.part\ndef f():\n import grid_tools.deep\n def g(): from bare_tools import x\n"
    uses.note_code(compile(text, "here", "exec"))
    uses.note_code(compile("import grid_tools, bare_tools", "here", "exec"))
    assert uses.found == [Use("grid_tools", "grid_tools", "2.1.0"), Use("bare_tools", "", "")]


@pytest.mark.parametrize(
    "text",
    [
        "import os.path, concurrent.apps",  # each slave has them
        "import mine",  # it travels
        "from . import grid_tools",  # it is in a package
        "from .grid_tools import solve",
        "import nothing_of_that_name",  # it is not here either: who imports it knows what to do
        "x.grid_tools, grid_tools",  # no import
    ],
)
def test_what_a_slave_need_not_have_is_not_noted(uses: Uses, place: Path, text: str) -> None:
    uses.note_code(compile(text, "here", "exec"))
    assert not uses.found


@pytest.mark.parametrize(
    "text",
    [
        "try: import grid_tools\nexcept ImportError: grid_tools = None",
        "try: import grid_tools\nexcept (KeyError, ModuleNotFoundError) as error: pass",
        "try: import grid_tools\nexcept OSError: pass\nexcept Exception: pass",
        "def f():\n try:\n  from grid_tools import solve\n except ImportError:\n  return",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING: import grid_tools",
        "import typing\nif typing.TYPE_CHECKING: from grid_tools import solve",
        "import importlib\ntry: importlib.import_module('grid_tools')\nexcept ImportError: pass",
        "import importlib\nimportlib.import_module('.grid_tools', 'mine')",
        "import importlib\nimportlib.import_module(grid_tools)",
        "print('grid_tools')",
    ],
)
def test_what_code_can_do_without_is_not_noted(uses: Uses, place: Path, text: str) -> None:
    uses.note_code(compile(text, "here", "exec"))
    assert not uses.found


@pytest.mark.parametrize(
    "text",
    [
        "try: import grid_tools\nexcept OSError: pass",
        "try: import grid_tools\nfinally: pass",
        "try: pass\nexcept ImportError: pass\nimport grid_tools",
        "try: import bare_tools\nexcept ImportError: import grid_tools",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING: pass\nelse: import grid_tools",
        "if not 0:\n with open(x): import grid_tools",
        "try: import grid_tools\nexcept ImportError: pass\ndef f(): import grid_tools",
        "import importlib\nimportlib.import_module('grid_tools.deep')",
        "from importlib import import_module\ndef f(): return import_module('grid_tools')",
        "__import__('grid_tools')",
        "class C:\n def f(self):\n  def g(): import grid_tools",
    ],
)
def test_what_code_cannot_do_without_is_noted(uses: Uses, place: Path, text: str) -> None:
    uses.note_code(compile(text, "here", "exec"))
    assert names(uses) == ["grid_tools"]


def test_modules_and_what_is_defined_in_them_are_noted_among_global_names(uses: Uses) -> None:
    uses.note_names([pytest, cloudpickle.dumps, cloudpickle.Pickler, len, 7, sys, FunctionType])
    assert names(uses) == ["pytest", "cloudpickle"]


def test_only_what_modules_of_the_program_have_imported_is_told(uses: Uses, place: Path) -> None:
    program: Any = ModuleType("program_of_test")
    program.__file__ = str(place / "mine" / "program_of_test.py")
    program.tools = pytest
    program.work = FunctionType(compile("import grid_tools", "here", "exec"), vars(program))
    sys.modules["program_of_test"] = program
    uses.look_at_program([str(place / "elsewhere")])
    assert not uses.found
    uses.look_at_program([str(place / "mine")])
    assert set(names(uses)) == {"pytest", "grid_tools"}


def test_a_checkout_of_the_framework_in_the_folder_of_a_program_is_none_of_it(
    uses: Uses, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # not what runs the tests
    part: Any = ModuleType("concurrent.part_of_test")
    part.__file__ = str(place / "mine" / "concurrent" / "part_of_test.py")
    part.tools = pytest
    monkeypatch.setitem(sys.modules, "concurrent.part_of_test", part)
    uses.look_at_program([str(place / "mine")])
    assert not uses.found


def test_what_the_program_itself_uses_and_none_of_its_tasks_is_not_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main: Any = ModuleType("__main__")
    main.__file__ = str(place / "mine" / "main.py")
    exec("import pytest\ndef main(): import grid_tools\ndef work(): import bare_tools", vars(main))
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setitem(sys.modules, "main_of_test", main)  # as others import it
    book = CodeBook(own_folders=[str(place / "mine")])
    book.look_at_program()
    assert not book.uses
    book.dumps((main.work, (), {}))
    assert [use.module for use in book.uses] == ["bare_tools"]


def test_what_a_module_of_the_program_can_do_without_is_not_told_though_it_is_there(
    uses: Uses, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # not what runs the tests
    (place / "mine").mkdir()
    file = place / "mine" / "program_of_test.py"
    file.write_text(
        "try:\n    import grid_tools\n    from cloudpickle import dumps\nexcept ImportError: pass\n"
        "class Work:\n    @staticmethod\n    def run(): import bare_tools\n"
    )
    program: Any = ModuleType("program_of_test")
    program.__file__ = str(file)
    exec(file.read_text(), vars(program))
    sys.modules["program_of_test"] = program
    uses.look_at_program([str(place / "mine")])
    assert names(uses) == ["bare_tools"]
    uses.note_names([program.grid_tools])  # a function that travels names it
    assert names(uses) == ["bare_tools", "grid_tools"]


def test_what_a_module_needs_that_nobody_can_find_is_no_error(uses: Uses, place: Path) -> None:
    sys.modules["grid_tools"] = ModuleType("grid_tools")  # made by hand
    uses.note_module("grid_tools")
    uses.note_module(None)
    assert names(uses) in ([], ["grid_tools"])


def test_a_book_notes_what_code_that_is_made_ready_to_travel_names(place: Path) -> None:
    import grid_tools  # type: ignore[import-not-found]

    program: Any = ModuleType("program_of_test")
    sys.modules["program_of_test"] = program
    exec("import pytest\ndef work(x):\n import bare_tools\n return pytest.approx(x)\n", vars(program))
    book = CodeBook(["program_of_test"])
    assert not book.uses
    book.dumps((program.work, (1,), {}))
    assert {use.module for use in book.uses} == {"pytest", "bare_tools"}
    book.dumps((grid_tools.solve, (1,), {}))
    assert book.uses[-1] == Use("grid_tools", "grid_tools", "2.1.0")
