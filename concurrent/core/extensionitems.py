"""Options whose values are components: the configuration names classes, reading gives their instances.

They are as the options of ``items.py``; the object that has one needs a ``manager`` besides its ``config``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from concurrent.core.component import ComponentManager
from concurrent.core.errors import ConfigurationError
from concurrent.core.interface import Interface, interfaces_of
from concurrent.core.items import ConfigItem, split_list
from concurrent.core.nearest import nearest

__all__ = ["ExtensionPointItem", "OrderedExtensionsItem"]

AnyInterface = TypeVar("AnyInterface", bound=Interface)


class ExtensionPointItem(ConfigItem[AnyInterface]):
    """Chooses one implementation of an interface by the name of its class; the value is the component.

    The name is that of the class alone, or with its module where two classes share it. It is looked
    up in the component's manager at each reading, so keep the result where that is often.

    :param short_names: words that stand for the names of classes; their case does not matter.
    """

    def __init__(
        self,
        section: str,
        name: str,
        interface: type[AnyInterface],
        default: str,
        doc: str = "",
        *,
        short_names: Mapping[str, str] | None = None,
    ) -> None:
        self.interface = interface
        self.short_names = dict(short_names or {})
        super().__init__(section, name, cast(AnyInterface, default), doc)

    @property
    def allowed(self) -> str:
        """What the name must be of."""
        words = "".join(f"{word}, " for word in self.short_names)
        of_class = f"the name of an enabled component that implements {self.interface.__name__}"
        return f"{words}or {of_class}" if words else of_class

    def parse(self, text: str, folder: Path) -> Any:
        """Return the name; the short one where there is one."""
        name = text.strip()
        word_by_class = {name: word for word, name in self.short_names.items()}
        return name.lower() if name.lower() in self.short_names else word_by_class.get(name, name)

    def read(self, owner: Any) -> AnyInterface:
        """Return the component of that name, which is the one of the owner's manager.

        :raises ConfigurationError: if there is none, or more than one.
        """
        name = owner.config.value(self)
        return _component_named(
            self, self.interface, self.short_names.get(name, name), owner.manager, self.short_names
        )


class OrderedExtensionsItem(ConfigItem["list[AnyInterface]"]):
    """Chooses implementations of an interface and their order; the value is a list of components.

    :param has_others: whether the enabled implementations that are not named follow after those that
        are, in registration order.
    """

    def __init__(
        self,
        section: str,
        name: str,
        interface: type[AnyInterface],
        default: Sequence[str],
        doc: str = "",
        *,
        has_others: bool = False,
    ) -> None:
        self.interface = interface
        self.has_others = has_others
        super().__init__(section, name, cast("list[AnyInterface]", tuple(default)), doc)

    @property
    def allowed(self) -> str:
        """What the names must be of."""
        return f"names, separated by commas, of components that implement {self.interface.__name__}"

    def parse(self, text: str, folder: Path) -> tuple[str, ...]:
        """Return the names."""
        return split_list(text)

    def format(self, value: Any) -> str:
        """Return the names joined by commas."""
        return ", ".join(value)

    def read(self, owner: Any) -> list[AnyInterface]:
        """Return the components of those names, which are those of the owner's manager.

        :raises ConfigurationError: if there is none, or more than one, of a name.
        """
        names = owner.config.value(self)
        chosen = [_component_named(self, self.interface, name, owner.manager) for name in names]
        if self.has_others:
            others = owner.manager.implementations(self.interface)
            chosen += [component for component in others if component not in chosen]
        return chosen


def _component_named(
    item: ConfigItem[Any],
    interface: type[AnyInterface],
    name: str,
    manager: ComponentManager,
    short_names: Mapping[str, str] = MappingProxyType({}),
) -> AnyInterface:
    named = [cls for cls in manager.classes_named(name) if interface in interfaces_of(cls)]
    fitting = [cls for cls in named if manager.is_enabled(cls)]
    if len(fitting) == 1:
        return cast(AnyInterface, manager[fitting[0]])
    choice = fitting or manager.classes_of(interface)
    word_by_class = {full: word for word, full in short_names.items()}
    names = sorted(word_by_class.get(cls.__name__, manager.name_of(cls)) for cls in choice)
    problem = "more than one enabled component is" if fitting else "no enabled component is"
    remedy = f"Use one of: {', '.join(names)}" if names else "Load and enable the plug-in that has it"
    near = nearest(name, [*names, *(cls.__name__ for cls in choice)]) if not fitting else ""
    disabled = (
        ""
        if fitting
        else "".join(
            f"; {manager.name_of(cls)} is disabled by the rule {manager.rule_of(cls)} in [components]"
            for cls in named[:1]
        )
    )
    raise ConfigurationError(
        f"{_origin(item, manager)}[{item.section}] {item.name} = {name!r}: "
        f"{problem} an {interface.__name__} of that name{disabled}",
        thing=f"{item.section}.{item.name}",
        value=name,
        remedy=f"Did you mean {near}? {remedy}" if near else remedy,
    )


def _origin(item: ConfigItem[Any], manager: ComponentManager) -> str:
    """Return where the option was set, with a colon; nothing for a default."""
    config = getattr(manager, "config", None)
    if config is None or not config.is_set(item.section, item.name):
        return ""
    return f"{config.origin(item.section, item.name)}: "
