"""What the framework has itself is listed, and imported when it is looked for."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

from concurrent.core.builtin import BUILT_IN
from concurrent.core.component import Component, ComponentManager, ComponentType
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
