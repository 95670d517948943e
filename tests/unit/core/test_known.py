"""What the framework has itself is listed, and imported when it is looked for."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

from concurrent.core.builtin import BUILT_IN, WITHOUT_OPTIONS
from concurrent.core.component import Component, ComponentManager, ComponentType
from concurrent.core.config import items_of
from concurrent.core.environment import Environment
from concurrent.core.errors import ComponentError
from concurrent.core.known import KnownClasses

ROOMS = ("core", "transport", "scheduling", "apps")


def components_of_the_framework() -> set[str]:
    """Return the names of all component classes in it that can be used, but for those of the samples."""
    found = set()
    for room in ROOMS:
        package = importlib.import_module(f"concurrent.{room}")
        for info in pkgutil.walk_packages(package.__path__, f"concurrent.{room}."):
            if ".samples" in info.name or ".native" in info.name or info.name.endswith("__main__"):
                continue
            for value in vars(importlib.import_module(info.name)).values():
                if isinstance(value, ComponentType) and not value.is_abstract():
                    found.add(f"{value.__module__}.{value.__qualname__}")
    return found


def test_each_component_of_the_framework_is_listed_once() -> None:
    assert sorted(BUILT_IN) == sorted(components_of_the_framework())


def test_one_is_imported_only_when_its_name_or_all_are_asked_for() -> None:
    program = """
import sys
from concurrent.core import Environment
env = Environment(variables={})
print(*("concurrent.apps.master" in sys.modules for _ in [env.classes_named("ZMQTaskManager")]))
print(*("concurrent.apps.master" in sys.modules for _ in [env.known_classes()]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "True"]


def test_those_without_options_are_the_listed_ones() -> None:
    without = {name for name in BUILT_IN if not items_of(Environment(variables={}).classes_named(name))}
    assert without == WITHOUT_OPTIONS


def test_who_looks_for_options_imports_no_database() -> None:
    program = """
import sys
from concurrent.core import Environment
env = Environment(overrides={"master.prot": "1"}, variables={})
print(len(env.warn_of_unknown()), "concurrent.apps.master" in sys.modules, "sqlite3" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["1", "True", "False"]


class First(Component):
    """One."""


class Second(Component):
    """Another one."""


def test_what_is_built_in_comes_first_and_is_there_once() -> None:
    known = KnownClasses([f"{__name__}.First"])
    known.add(Second)
    known.add(First)
    assert list(known) == [First, Second]
    assert known.built_in_named("First") == known.built_in_named(f"{__name__}.First") == [First]
    assert known.built_in_named("Second") == []


def test_what_is_left_out_is_not_imported() -> None:
    known = KnownClasses([f"{__name__}.First", "no.such.Module"])
    known.add(Second)
    assert list(known.without(["no.such.Module"])) == [First, Second]
    with pytest.raises(ModuleNotFoundError):
        list(known)


def test_what_is_built_in_can_be_removed_and_added_again() -> None:
    manager = ComponentManager(built_in=[f"{__name__}.First"])
    one = First(manager)
    manager.deregister(First)
    assert First not in manager
    assert manager.known_classes() == []
    with pytest.raises(ComponentError, match="First is not registered"):
        First(manager)
    manager.register(First)
    assert First(manager) is not one


def test_another_class_of_the_name_of_one_that_is_built_in_is_not_it() -> None:
    impostor = type("First", (Component,), {"__module__": __name__})
    manager = ComponentManager(built_in=[f"{__name__}.First"])
    assert impostor not in manager
    manager.register(impostor)
    assert manager.classes_named("First") == [First, impostor]
