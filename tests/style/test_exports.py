"""What packages and modules offer: every public module says it in ``__all__``."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType

import pytest

from tests.style.source import Source, shipped_sources

ROOMS = ("concurrent", "samples", "native")
PACKAGES = [s.module for s in shipped_sources() if s.is_package and s.is_below("concurrent")]


def lacks_exports(source: Source) -> bool:
    """Return whether a public module does not say what it offers."""
    return source.is_public and source.exported() is None


def wrong_exports(package: ModuleType) -> list[str]:
    """Return the exported names that do not exist, and the classes and functions without a docstring."""
    problems = []
    for name in package.__all__:
        if not hasattr(package, name):
            problems.append(f"{package.__name__} exports {name}, which it has not")
            continue
        value = getattr(package, name)
        is_code = inspect.isclass(value) or inspect.isroutine(value)
        if is_code and not value.__dict__.get("__doc__", value.__doc__):
            problems.append(f"{package.__name__}.{name} has no docstring")
    return problems


def test_every_public_module_says_what_it_offers() -> None:
    modules = [
        source
        for source in shipped_sources()
        if source.is_below(*ROOMS) and not source.path.rpartition("/")[2].startswith("test_")
    ]
    found = [source.path for source in modules if lacks_exports(source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_package_exports_exists_and_is_documented(name: str) -> None:
    assert wrong_exports(importlib.import_module(name)) == []


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_exports_in_sorted_order_and_each_name_once(name: str) -> None:
    exported = importlib.import_module(name).__all__
    assert list(exported) == sorted(set(exported))


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_package_exports_is_listed_by_dir(name: str) -> None:
    package = importlib.import_module(name)
    assert set(package.__all__) <= set(dir(package))
    assert "lazy_names" not in dir(package)


def test_a_module_without_exports_is_found() -> None:
    assert lacks_exports(Source("concurrent/core/bad.py", "x = 1"))
    assert not lacks_exports(Source("concurrent/core/good.py", '__all__: list[str] = ["x"]\nx = 1'))
    assert not lacks_exports(Source("concurrent/core/_private.py", "x = 1"))


def test_exports_that_are_missing_or_undocumented_are_found() -> None:
    package = ModuleType("bad")
    exec("class Bare: pass\ndef bare(): pass", package.__dict__)
    package.__all__ = ["Bare", "bare", "nowhere"]  # type: ignore[attr-defined]
    assert len(wrong_exports(package)) == 3
