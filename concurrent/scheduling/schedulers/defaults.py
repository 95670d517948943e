"""Parts of the framework as they are without any configuration, for when a plug-in fails. A pure module."""

from __future__ import annotations

from typing import Final, TypeVar

from concurrent.core.component import Component, ComponentManager
from concurrent.core.config import Configuration

__all__ = ["FAILURES_MAX", "default_part"]

FAILURES_MAX: Final = 5
"""After so many failures in a row of one method the framework's own part takes over from that of a plug-in."""

AnyComponent = TypeVar("AnyComponent", bound=Component)


class _Defaults(ComponentManager):
    """A manager whose components have the defaults of all options."""

    def component_activated(self, component: Component) -> None:
        component.config = Configuration()


def default_part(cls: type[AnyComponent], *needed: type[Component]) -> AnyComponent:
    """Return a new instance of a class of the framework that no configuration, plug-in or rule changes.

    :param needed: the classes that it finds through its options.
    """
    manager = _Defaults()
    manager.register(cls, *needed)
    return manager[cls]
