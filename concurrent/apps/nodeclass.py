"""Which classes nodes and their task managers are of: the framework's own, or those of a plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from concurrent.apps.api import IApp
from concurrent.core.component import Component
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError, NodeError
from concurrent.core.interface import interfaces_of
from concurrent.core.items import ConfigItem
from concurrent.core.nearest import did_you_mean
from concurrent.scheduling.interfaces import ITaskManager

if TYPE_CHECKING:
    from concurrent.apps.node import Node

__all__ = ["NodeSettings", "node_class", "task_manager_class"]

AnyNode = TypeVar("AnyNode", bound="Node")


class NodeSettings(Component):
    """The options of section ``[node]``."""

    master = ConfigItem("node", "master", "MasterNode", "Class of masters, also in embedded clusters.")
    slave = ConfigItem(
        "node", "slave", "SlaveNode", "Class of slaves, also of those that a master starts for itself."
    )


def node_class(env: Environment, option: str, base: type[AnyNode]) -> type[AnyNode]:
    """Return the configured class of a node.

    :param option: its option in section ``[node]``.
    :param base: what it must be derived from.
    :raises ConfigurationError: if there is no such class.
    """
    name = getattr(env[NodeSettings], option)
    found = [cls for cls in env.classes_named(name) if issubclass(cls, base) and env.is_enabled(cls)]
    if len(found) != 1:
        is_set = env.config.is_set("node", option)
        origin = f"{env.config.origin('node', option)}: " if is_set else ""
        known = [cls.__name__ for cls in env.classes_of(IApp) if issubclass(cls, base)]
        raise ConfigurationError(
            f"{origin}[node] {option} = {name!r}: {len(found)} enabled classes of that name are a "
            f"{base.__name__}",
            thing=f"node.{option}",
            value=name,
            remedy=f"{did_you_mean(name, known)}Derive one from {base.__name__} in a plug-in and load that, "
            f"or use {base.__name__}",
        )
    return found[0]


def task_manager_class(env: Environment, name: str) -> type[Component]:
    """Return the class of the task manager that a scheduler asks for.

    :raises NodeError: if there is no such class.
    """
    named = [cls for cls in env.classes_named(name) if ITaskManager in interfaces_of(cls)]
    classes = [cls for cls in named if env.is_enabled(cls)]
    if len(classes) != 1:
        raise NodeError(
            f"the master asks for the task manager {name!r}, and {len(classes)} of that name are here",
            thing=name,
            remedy="Load the plug-in of the master's scheduler on the slaves too",
        )
    return classes[0]
