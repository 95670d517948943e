"""The kernel: components, configuration, environments, plug-ins, errors, logs, statistics, clocks.

It knows nothing of sockets or tasks. All that other packages and plug-ins need is importable from here.
"""

from concurrent.core.backoff import Backoff
from concurrent.core.clock import Clock, Deadline, ManualClock, SystemClock
from concurrent.core.component import (
    Component,
    ComponentManager,
    ExtensionPoint,
    Interface,
    implements,
    optional,
)
from concurrent.core.config import Configuration
from concurrent.core.environment import Environment
from concurrent.core.errors import ConcurrentError, ConfigurationError
from concurrent.core.ids import new_node_id
from concurrent.core.items import (
    BoolItem,
    ChoiceItem,
    ConfigItem,
    ExtensionPointItem,
    FloatItem,
    Host,
    HostItem,
    IntItem,
    ListItem,
    OrderedExtensionsItem,
    PathItem,
)
from concurrent.core.logs import NodeLog
from concurrent.core.stats import Stats

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
