"""Which classes the commands run: the framework's own nodes, or those of a plug-in."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TypeVar

from concurrent.apps import samples
from concurrent.apps.api import IApp
from concurrent.apps.application import ApplicationNode
from concurrent.apps.node import Node
from concurrent.core.component import Component
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError, PluginError
from concurrent.core.items import ConfigItem

__all__ = ["NodeSettings", "application_class", "node_class", "sample_names"]

AnyNode = TypeVar("AnyNode", bound=Node)


class NodeSettings(Component):
    """The options of section ``[node]``."""

    master = ConfigItem("node", "master", "MasterNode", "The class that 'concurrent master' runs.")
    slave = ConfigItem("node", "slave", "SlaveNode", "The class that 'concurrent slave' runs.")


def node_class(env: Environment, option: str, base: type[AnyNode]) -> type[AnyNode]:
    """Return the configured class of a node.

    :param option: its option in section ``[node]``.
    :param base: what it must be derived from.
    :raises ConfigurationError: if there is no such class.
    """
    name = getattr(env[NodeSettings], option)
    found = [
        cls
        for cls in env.classes_of(IApp)
        if issubclass(cls, base) and name in (cls.__name__, env.name_of(cls))
    ]
    if len(found) != 1:
        raise ConfigurationError(
            f"[node] {option} = {name!r}: {len(found)} enabled classes of that name are a {base.__name__}",
            thing=f"node.{option}",
            value=name,
            remedy=f"Derive one from {base.__name__} in a plug-in and load that, or use {base.__name__}",
        )
    return found[0]


def sample_names() -> list[str]:
    """Return the names of the bundled samples."""
    folders = [Path(path) for path in samples.__path__]
    return sorted({app.parent.name for folder in folders for app in folder.glob("*/app.py")})


def application_class(env: Environment, name: str) -> type[ApplicationNode]:
    """Return the class of an application.

    :param name: a file, ``FILE:CLASS``, a module or ``MODULE:CLASS``, the name of a bundled sample, or that
        of an application class of a loaded plug-in.
    :raises PluginError: if there is none, or more than one to choose from.
    """
    source, _, class_name = name.partition(":") if not Path(name).exists() else (name, "", "")
    is_path = Path(source).suffix == ".py" or Path(source).exists()
    if not is_path and not class_name:
        loaded = _applications(env.classes_of(IApp), name)
        if len(loaded) == 1:
            return loaded[0]
    if not is_path and source in sample_names():
        source = f"{samples.__name__}.{source}.app"
    if not is_path and importlib.util.find_spec(source.partition(".")[0]) is None:
        raise PluginError(
            f"there is no application {name!r}",
            thing=name,
            remedy="Give a file, the name of an installed module, or one of the samples: "
            + ", ".join(sample_names()),
        )
    plugin = env.load_plugin(Path(source) if is_path else source)
    found = _applications(plugin.components, class_name)
    if len(found) == 1:
        return found[0]
    names = ", ".join(cls.__name__ for cls in _applications(plugin.components, ""))
    raise PluginError(
        f"{source} has {len(found)} applications{f' named {class_name}' if class_name else ''}",
        thing=source,
        value=names,
        remedy=f"Name one of them: {source}:CLASS with CLASS one of {names}"
        if names
        else "Derive a class from ApplicationNode in it",
    )


def _applications(classes: list[type[Component]], name: str) -> list[type[ApplicationNode]]:
    return [
        cls
        for cls in classes
        if issubclass(cls, ApplicationNode)
        and not cls.is_abstract()
        and (not name or cls.__name__.lower() == name.lower())
    ]
