"""Finds what is wrong with the configuration and the plug-ins of an environment before a node meets it.

Runs in the thread that owns the environment. Components that options name are made, as a node would.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from concurrent.core.component import Component
from concurrent.core.config import COMPONENTS
from concurrent.core.errors import ConcurrentError
from concurrent.core.interface import check_contract
from concurrent.core.nearest import nearest

if TYPE_CHECKING:
    from concurrent.core.environment import Environment

__all__ = ["problems_of", "warnings_of"]

SAMPLES: Final = "concurrent.apps.samples."
"""What is in there comes to an environment when it is run, so a rule for it may fit nothing yet."""


def problems_of(environment: Environment) -> list[str]:
    """Return all that a node would refuse or warn of, one sentence each, without a full stop."""
    config = environment.config
    problems = [f"plug-in {one.component}: {one.problem}" for one in environment.troubles.status()]
    items = config.items()
    wrong = [text for item in items for text in _texts(partial(config.value, item))]
    problems += wrong
    problems += warnings_of(environment)
    for cls in environment.known_classes():
        if environment.is_enabled(cls):
            problems += [f"{environment.name_of(cls)}: {text}" for text in _texts(partial(check_contract, cls))]
    if not wrong:
        for item in items:
            problems += _texts(partial(item.read, environment))
    return list(dict.fromkeys(problems))


def warnings_of(environment: Environment) -> list[str]:
    """Return what is set without any effect, and options that are declared twice, one sentence each."""
    config = environment.config
    conflicts = config.conflicts() if environment.has_options_of_others else []
    return [*config.unknown(), *conflicts, *_idle_rules(environment)]


def _idle_rules(environment: Environment) -> list[str]:
    """Return a sentence for each rule of section ``[components]`` that fits no class."""
    rules = environment.config.component_rules()
    if not rules:
        return []
    classes = environment.known_classes()
    names = [environment.name_of(cls) for cls in classes]
    found = []
    for pattern in rules:
        if _fits_something(pattern.lower(), environment, classes):
            continue
        near = nearest(pattern, [*names, *(cls.__name__ for cls in classes)])
        advice = f"Did you mean {near}?" if near else "Write module.Class, Class, or module.* for all of it"
        origin = environment.config.origin(COMPONENTS, pattern)
        found.append(f"{origin}: the rule [{COMPONENTS}] {pattern} fits no component. {advice}")
    return found


def _fits_something(pattern: str, environment: Environment, classes: list[type[Component]]) -> bool:
    start = pattern.removesuffix("*")
    off = [f"{module.lower()}." for module in environment.switched_off]
    if any(module.startswith(start) or start.startswith(module) for module in off):
        return True
    for cls in classes:
        name = environment.name_of(cls).lower()
        if pattern in (name, cls.__name__.lower()) or (start != pattern and name.startswith(start)):
            return True
    module = start[:-1] if pattern.endswith(".*") else start.rpartition(".")[0]
    return start.startswith(SAMPLES) and _is_module(module)


def _is_module(name: str) -> bool:
    """Return whether there is a module of a name, imported or not."""
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _texts(action: Callable[[], object]) -> list[str]:
    """Return the error that an action raises, as a text in a list; an empty list without one."""
    try:
        action()
    except ConcurrentError as error:
        return [str(error)]
    return []
