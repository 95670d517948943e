"""Which modules of a program travel as sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.scheduling.pickling import sources
from concurrent.scheduling.pickling.sources import ModuleSources

TREE = {
    "helper.py": "",
    "spaced/part/deep.py": "",
    "shop/__init__.py": "",
    "shop/one.py": "from . import two",
    "shop/two.py": "",
    "plugs/__init__.py": "",
    "plugs/first.py": "",
    "plugs/second/__init__.py": "",
    "plugs/second/third.py": "from shop.two import x",
    "pytest/notes.py": "",
    "figures/table.csv": "",
    "sys.py": "",
    "eager.py": "NAMES = ['shop.one', 'plugs.first']\ndef load(n): return importlib.import_module(n)",
}

CASES = {
    "import helper": {"helper"},
    "import spaced.part.deep": {"spaced", "spaced.part", "spaced.part.deep"},
    "from shop.one import x": {"shop", "shop.one", "shop.two"},
    "def f():\n import shop": {"shop"},
    "from importlib import import_module\nimport_module('helper')": {"helper"},
    "__import__('shop.two')": {"shop", "shop.two"},
    "import importlib\nimportlib.import_module('plugs.' + name)": {
        *("plugs", "plugs.first", "plugs.second", "plugs.second.third"), *("shop", "shop.two")
    },
    "import importlib\nimportlib.import_module(f'plugs.{name}')": {
        *("plugs", "plugs.first", "plugs.second", "plugs.second.third"), *("shop", "shop.two")
    },
    "import importlib\nimportlib.import_module('shop.t' + name)": {"shop", "shop.one", "shop.two"},
    "print('helper', 'shop')": set(),
    "import eager": {"eager", "shop", "shop.one", "shop.two", "plugs", "plugs.first"},
    "import pytest": set(),  # a folder without __init__.py does not hide what is installed
    "import figures": set(),
    "import sys": set(),  # what is built into Python is found before files
    "import os, nothing": set(),
}  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> ModuleSources:
    for file, text in TREE.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    return ModuleSources([str(tmp_path)])


@pytest.mark.parametrize("text", CASES)
def test_what_code_may_import_travels(own: ModuleSources, text: str) -> None:
    code = compile(text, "here", "exec")
    assert {source.name for source in own.needed(own.imported(code, ""), ())} == CASES[text]


def test_code_of_a_package_that_imports_by_texts_brings_all_of_its_package(own: ModuleSources) -> None:
    code = compile("import_module(f'.{name}', __package__)", "here", "eval")
    names = {source.name for source in own.needed(own.imported(code, "shop"), ())}
    assert names == {"shop", "shop.one", "shop.two"}


def test_not_all_of_a_large_folder_is_looked_at(
    own: ModuleSources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "ENTRIES_MAX", 10)
    (tmp_path / "data").mkdir()
    for number in range(20):
        (tmp_path / "data" / f"{number}.csv").touch()
    assert not list(own.imported(compile("import data", "here", "exec"), ""))
