"""A program of several files with data: its tasks find all of it, wherever they run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps import Project
from concurrent.core.errors import ConfigurationError
from concurrent.scheduling.projects.packing import remove_folder

PRICES = """
import csv, os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

HERE = os.path.dirname(os.path.abspath(__file__))
FACTOR = 1

@dataclass
class Row:
    name: str
    price: int

def price(name):
    with open(os.path.join(HERE, "tables", "prices.csv"), newline="") as file:
        table = dict(csv.reader(file))
    assert resources.files("shop").joinpath("tables/prices.csv").is_file()
    return int(table[name]) * FACTOR
"""
MAIN = """
import importlib, json, os, sys
from pathlib import Path

import shop.prices
from concurrent.apps import LocalCluster, Project
from shop.prices import Row, price

HERE = Path(__file__).resolve().parent
TEXT = str(HERE / "shop" / "tables")

def relative():
    return Path("shop/tables/prices.csv").read_text(), os.getcwd()

def by_constants():
    return (HERE / "shop/tables/prices.csv").read_text(), os.listdir(TEXT), __file__

def late():
    import shop.late
    name = "shop." + "later"
    return shop.late.WHO, importlib.import_module(name).__file__

def read(path):
    return path.read_text(), path

def write():
    Path("written").write_text("x")

if __name__ == "__main__":
    project = Project(".", include=["shop/tables"])
    with LocalCluster(1, project=project) as cluster:
        answers = {
            "folder first": cluster.submit(os.getcwd).result(),
            "relative": cluster.submit(relative).result(),
            "constants": cluster.submit(by_constants).result(),
            "late": cluster.submit(late).result(),
            "path": [str(each) for each in cluster.submit(read, HERE / "shop/tables/prices.csv").result()],
            "other path": str(cluster.submit(Path, HERE / "notes.txt").result()),
            "price": cluster.submit(price, "apple").result(),
            "same class": type(cluster.submit(Row, "apple", 3).result()) is Row,
            "argument": cluster.submit(repr, Row("pear", 2)).result(),
        }
        shop.prices.FACTOR = 10
        answers["changed"] = cluster.submit(price, "apple").result()
        answers["same class then"] = type(cluster.submit(Row, "apple", 3).result()) is Row
        failure = cluster.submit(write).exception()
        answers["write"] = type(failure).__name__
    print(json.dumps(answers))
"""


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "cache"
    remove_folder(str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    files = {
        "main.py": MAIN,
        "notes.txt": "not of the project",
        "shop/__init__.py": "",
        "shop/prices.py": PRICES,
        "shop/late.py": "WHO = __name__",
        "shop/later.py": "",
        "shop/tables/prices.csv": "apple,3\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def run(folder: Path, cache: Path, *arguments: str) -> str:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tasks_find_modules_and_data_of_the_project_and_nothing_else(folder: Path, cache: Path) -> None:
    answers: dict[str, Any] = json.loads(run(folder, cache, "main.py"))
    (there,) = [path for path in (cache / "concurrent" / "projects").iterdir() if path.is_dir()]
    prices = str(folder / "shop/tables/prices.csv")
    assert answers == {
        "folder first": str(there),
        "relative": ["apple,3\n", str(there)],
        "constants": ["apple,3\n", ["prices.csv"], str(there / "main.py")],
        "late": ["shop.late", str(there / "shop/later.py")],
        "path": ["apple,3\n", prices],
        "other path": str(folder / "notes.txt"),
        "price": 3,
        "same class": True,
        "argument": "Row(name='pear', price=2)",
        "changed": 30,
        "same class then": True,
        "write": "PermissionError" if os.geteuid() else "NoneType",
    }
    found = {path.name for path in there.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert found - {"written"} == {
        "__init__.py", "late.py", "later.py", "main.py", "prices.csv", "prices.py",
    }  # fmt: skip


def test_a_project_that_is_not_possible_is_refused_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        Project(tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match=r"Write include=\['\*.csv'\]"):
        Project(tmp_path, include="*.csv")
    for size in (0, 300 << 20):
        with pytest.raises(ConfigurationError, match="a project may have from 1 to"):
            Project(tmp_path, size_max_bytes=size)


def test_a_package_goes_along_with_its_name_and_a_file_stands_for_its_folder(tmp_path: Path) -> None:
    package = tmp_path / "shop" / "inner"
    package.mkdir(parents=True)
    for folder in (tmp_path / "shop", package):
        (folder / "__init__.py").touch()
    (tmp_path / "beside.py").touch()
    assert [file.path for file in Project(package).collect().files] == ["shop/inner/__init__.py"]
    (tmp_path / "shop" / "__init__.py").unlink()
    assert Project(package / "__init__.py").folder == str(package)
