"""Components: singletons per manager that implement interfaces and meet at extension points.

Defining a class has no effect but that Python knows the class. A :class:`ComponentManager` is told which
classes it has (:meth:`ComponentManager.register`), makes at most one instance of each, and finds the
implementations of an interface; two managers in one process share classes, never instances. Everything here
belongs to the thread that owns the manager.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from concurrent.core.errors import ComponentError, ConcurrentError
from concurrent.core.foreign import calling_foreign_code, place_raised, shown
from concurrent.core.interface import IClosing, Interface, check_contract, interfaces_of
from concurrent.core.known import KnownClasses
from concurrent.core.rules import EnablingRules
from concurrent.core.troubles import Troubles

if TYPE_CHECKING:
    import logging

    from concurrent.core.config import Configuration
    from concurrent.core.environment import Environment

__all__ = ["Component", "ComponentManager", "ComponentType", "ExtensionPoint"]

AnyInterface = TypeVar("AnyInterface", bound=Interface)
AnyComponent = TypeVar("AnyComponent", bound="Component")


class ComponentType(ABCMeta):
    """The type of component classes: ``SomeComponent(manager)`` gives the one instance that the manager has.

    It is an ``ABCMeta``, so that a component may also have abstract methods, or a base that has some.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Ask the manager that is the only argument; anything else makes an instance that has none."""
        if len(args) == 1 and isinstance(args[0], ComponentManager) and not kwargs:
            return args[0][cast("type[Component]", cls)]
        return super().__call__(*args, **kwargs)


class _Given:
    """An attribute that a manager sets; an instance that none has made says so when it is asked for it.

    An ``__getattr__`` could say that too, but makes each use of each attribute of each component slower.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> _Given:
        if instance is None:
            return self
        problem = _not_made_by_hand(owner, f"has no {self._name}")
        raise AttributeError(str(problem), name=self._name, obj=instance)


class Component(metaclass=ComponentType):
    """Base of everything that a configuration can choose. ``__init__`` takes no arguments.

    A class with ``abstract = True`` in its own body, or with abstract methods, is never made into an instance.
    An instance has ``manager``, and from an environment also ``env``, ``config`` and ``log``, before its
    ``__init__``.
    """

    abstract = True
    if TYPE_CHECKING:
        manager: ComponentManager
        env: Environment
        config: Configuration
        log: logging.Logger
    else:
        manager = _Given()
        env = _Given()
        config = _Given()
        log = _Given()

    def __init__(self, *wrong: Any) -> None:
        """Nothing to do. A manager makes the instance; it gives no arguments.

        :raises ComponentError: if there are some.
        """
        if wrong:
            raise _not_made_by_hand(type(self), f"was called with {wrong[0]!r:.100}")
        super().__init__()

    @classmethod
    def is_abstract(cls) -> bool:
        """Return whether the class itself, not a base of it, says ``abstract = True`` or lacks a method."""
        return bool(cls.__dict__.get("abstract", False) or cls.__abstractmethods__)


class ExtensionPoint(Generic[AnyInterface]):
    """Attribute of a class: the enabled implementations of an interface, in registration order.

    The class is a component, a manager, or any other one whose instances have a ``manager``.
    """

    def __init__(self, interface: type[AnyInterface]) -> None:
        self.interface = interface

    @overload
    def __get__(self, instance: None, owner: type) -> ExtensionPoint[AnyInterface]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> list[AnyInterface]: ...
    def __get__(self, instance: Any, owner: type) -> ExtensionPoint[AnyInterface] | list[AnyInterface]:
        if instance is None:
            return self
        manager: ComponentManager = instance.manager
        return manager.implementations(self.interface)


class ComponentManager:
    """The classes that may be used together, and the one instance of each.

    ``troubles`` has what went wrong in components.

    :param rules: enabling rules, pattern to truth; see :class:`~concurrent.core.rules.EnablingRules`.
    :param built_in: names, with modules, of classes that are known from the start.
    """

    def __init__(self, rules: Mapping[str, bool] | None = None, built_in: Iterable[str] = ()) -> None:
        self.rules = EnablingRules(rules or {})
        self._known: KnownClasses[type[Component]] = KnownClasses(built_in)
        self._instance_by_class: dict[type[Component], Component] = {}
        self._making: list[type[Component]] = []
        self._closed: set[int] = set()
        self.troubles = Troubles()
        self.manager: ComponentManager = self
        """The manager itself, so that it has extension points and options as components have them."""

    def register(self, *classes: type[Component]) -> None:
        """Make component classes known to this manager; abstract ones are passed over."""
        for cls in classes:
            if not isinstance(cls, ComponentType):
                raise ComponentError(
                    f"{cls!r} is not a component class",
                    thing=repr(cls),
                    remedy="Derive it from concurrent.core.Component",
                )
            if not cls.is_abstract():
                self._known.add(cls)

    def deregister(self, cls: type[Component]) -> None:
        """Forget a class, and close its instance; nothing happens if it is not known."""
        self._known.remove(cls)
        instance = self._instance_by_class.pop(cls, None)
        if instance is not None:
            self._close(instance)
            self._closed.discard(id(instance))

    def known_classes(self) -> list[type[Component]]:
        """Return the classes that this manager has, enabled or not: those built in, then as registered."""
        return list(self._known)

    def classes_named(self, name: str) -> list[type[Component]]:
        """Return the known classes of a name, enabled or not.

        :param name: that of the class, or with its module as :meth:`name_of` has it.
        """
        added = [cls for cls in self._known.added() if name in (cls.__name__, self.name_of(cls))]
        return [*self._known.built_in_named(name), *added]

    def name_of(self, cls: type) -> str:
        """Return the name of a class that enabling rules are compared with."""
        return f"{cls.__module__}.{cls.__qualname__}"

    def is_enabled(self, cls: type[Component]) -> bool:
        """Return what the rules say of the class, known or not."""
        return self.rules.is_enabled(self.name_of(cls))

    def rule_of(self, cls: type[Component]) -> str | None:
        """Return the pattern that decides whether the class is enabled, in lower case; None without one."""
        return self.rules.rule_of(self.name_of(cls))

    def classes_of(self, interface: type[Interface]) -> list[type[Component]]:
        """Return the enabled classes that implement ``interface``, in registration order."""
        return [cls for cls in self._known if interface in interfaces_of(cls) and self.is_enabled(cls)]

    def implementations(self, interface: type[AnyInterface]) -> list[AnyInterface]:
        """Return one instance of each enabled class that implements ``interface``."""
        return [cast(AnyInterface, self[cls]) for cls in self.classes_of(interface)]

    def __contains__(self, cls: type[Component]) -> bool:
        return cls in self._known

    def __getitem__(self, cls: type[AnyComponent]) -> AnyComponent:
        """Return the one instance of a class, made now if it is the first time.

        :raises InterfaceError: if the class does not keep a contract it says it implements.
        :raises ComponentError: if the class is not known here, disabled, or needs itself while it is
            being made; or if its ``__init__`` raises, whatever that is: the error names the place, has what
            was raised as its cause, and nothing is left behind. Errors of the framework pass through.
        """
        instance = self._instance_by_class.get(cls)
        if instance is None:
            self._check_usable(cls)
            check_contract(cls)
            self._making.append(cls)
            try:
                with calling_foreign_code(partial(self._making_failed, cls), passing=(ConcurrentError,)):
                    instance = cls.__new__(cls)
                    instance.manager = self
                    self.component_activated(instance)
                    cls.__init__(instance)
            finally:
                self._making.pop()
            self._instance_by_class[cls] = instance
        return cast(AnyComponent, instance)

    def close(self) -> None:
        """Close the components that hold something, the newest first; each once. Not on a loop's thread.

        One that fails is noted in ``troubles`` and does not keep the others from being closed.
        """
        for instance in reversed(list(self._instance_by_class.values())):
            self._close(instance)

    def _close(self, instance: Component) -> None:
        if IClosing not in interfaces_of(type(instance)) or id(instance) in self._closed:
            return
        self._closed.add(id(instance))
        try:
            cast(IClosing, instance).close()
        except BaseException as error:  # boundary: a plug-in's; the others are closed all the same
            self.troubles.note(self.name_of(type(instance)), "close", error, action="it is left as it is")

    def component_activated(self, component: Component) -> None:
        """Give a new component what all components of this manager have, before its ``__init__``."""

    def _making_failed(self, cls: type[Component], error: BaseException) -> ComponentError:
        name = self.name_of(cls)
        return ComponentError(
            f"component {name} cannot be made: its initialiser raised {shown(error)} ({place_raised(error)})",
            thing=name,
            remedy="Correct it, or disable the component; --debug shows the traceback",
        )

    def _check_usable(self, cls: type[Component]) -> None:
        name = self.name_of(cls)
        if cls not in self:
            raise _not_known(cls, name)
        if not self.is_enabled(cls):
            raise ComponentError(
                f"component {name} is disabled",
                thing=name,
                remedy=f"Set '{name} = enabled' in section [components]",
            )
        if cls in self._making:
            way = " -> ".join(made.__name__ for made in [*self._making, cls])
            raise ComponentError(
                f"components need one another while they are being made: {way}",
                thing=name,
                remedy="Use the other component after __init__, not in it",
            )


def _not_known(cls: type[Component], name: str) -> ComponentError:
    """Return the error for a class that a manager does not have."""
    if not cls.is_abstract():
        return ComponentError(
            f"component {name} is not registered",
            thing=name,
            remedy=f"Load its plug-in, or register it: environment.register({cls.__name__})",
        )
    lacks = ", ".join(sorted(cls.__abstractmethods__))
    return ComponentError(
        f"component {name} is abstract{f': it has no {lacks}' if lacks else ''}",
        thing=name,
        remedy="Ask for a class that is derived from it",
    )


def _not_made_by_hand(cls: type[Component], problem: str) -> ComponentError:
    """Return the error for an instance that no manager has made."""
    return ComponentError(
        f"component {cls.__name__} {problem}: an environment or a manager makes components",
        thing=cls.__name__,
        remedy=f"Ask it for the instance: environment[{cls.__name__}] or {cls.__name__}(environment)",
    )
