"""The kernel: components, configuration, environments, plug-ins, errors, logs, statistics, clocks.

It knows nothing of sockets or tasks. All that other packages and plug-ins need is importable from here.

The names are imported when they are first used, so that a worker process loads what it needs only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.lazy import lazy_names

if TYPE_CHECKING:
    from concurrent.core.backoff import Backoff
    from concurrent.core.clock import Clock, Deadline, ManualClock, SystemClock
    from concurrent.core.component import Component, ComponentManager, ExtensionPoint
    from concurrent.core.config import Configuration
    from concurrent.core.environment import Environment
    from concurrent.core.errors import ConcurrentError, ConfigurationError
    from concurrent.core.extensionitems import ExtensionPointItem, OrderedExtensionsItem
    from concurrent.core.ids import new_node_id
    from concurrent.core.interface import IClosing, Interface, implements, optional
    from concurrent.core.items import (
        BoolItem,
        ChoiceItem,
        ConfigItem,
        FloatItem,
        Host,
        HostItem,
        IntItem,
        ListItem,
        PathItem,
    )
    from concurrent.core.logs import NodeLog
    from concurrent.core.stats import Stats

_MODULE_BY_NAME = {
    "Backoff": "backoff",
    "BoolItem": "items",
    "ChoiceItem": "items",
    "Clock": "clock",
    "Component": "component",
    "ComponentManager": "component",
    "ConcurrentError": "errors",
    "ConfigItem": "items",
    "Configuration": "config",
    "ConfigurationError": "errors",
    "Deadline": "clock",
    "Environment": "environment",
    "ExtensionPoint": "component",
    "ExtensionPointItem": "extensionitems",
    "FloatItem": "items",
    "Host": "items",
    "HostItem": "items",
    "IClosing": "interface",
    "IntItem": "items",
    "Interface": "interface",
    "ListItem": "items",
    "ManualClock": "clock",
    "NodeLog": "logs",
    "OrderedExtensionsItem": "extensionitems",
    "PathItem": "items",
    "Stats": "stats",
    "SystemClock": "clock",
    "implements": "interface",
    "new_node_id": "ids",
    "optional": "interface",
}

__all__ = [
    "Backoff",
    "BoolItem",
    "ChoiceItem",
    "Clock",
    "Component",
    "ComponentManager",
    "ConcurrentError",
    "ConfigItem",
    "Configuration",
    "ConfigurationError",
    "Deadline",
    "Environment",
    "ExtensionPoint",
    "ExtensionPointItem",
    "FloatItem",
    "Host",
    "HostItem",
    "IClosing",
    "IntItem",
    "Interface",
    "ListItem",
    "ManualClock",
    "NodeLog",
    "OrderedExtensionsItem",
    "PathItem",
    "Stats",
    "SystemClock",
    "implements",
    "new_node_id",
    "optional",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULE_BY_NAME)
