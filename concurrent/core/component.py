"""Components: singletons per manager that implement interfaces and meet at extension points.

Defining a class has no side effect but that Python knows the class. A :class:`ComponentManager` is told
which classes it has (:meth:`ComponentManager.register`), makes at most one instance of each, and finds
the implementations of an interface; two managers in one process share classes, never instances.
Everything here belongs to the thread that owns the manager.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from concurrent.core.errors import ComponentError, ConcurrentError, InterfaceError
from concurrent.core.foreign import calling_foreign_code, place_raised, shown
from concurrent.core.troubles import Troubles

if TYPE_CHECKING:
    import logging

    from concurrent.core.config import Configuration
    from concurrent.core.environment import Environment

__all__ = [
    "Component",
    "ComponentManager",
    "ExtensionPoint",
    "IClosing",
    "Interface",
    "check_contract",
    "implements",
    "interfaces_of",
    "optional",
]

OWN = "concurrent."
"""How the names of the framework's own classes begin."""

_IMPLEMENTS = "_implements"
_OPTIONAL = "_is_optional"

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
AnyInterface = TypeVar("AnyInterface", bound="Interface")
AnyComponent = TypeVar("AnyComponent", bound="Component")


class Interface:
    """Base of interfaces: methods with ``self``, a docstring and no code worth running.

    :raises InterfaceError: at the definition of one that has a method without ``self``.
    """

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for name, method in vars(cls).items():
            if inspect.isfunction(method) and next(iter(inspect.signature(method).parameters), "") != "self":
                raise InterfaceError(
                    f"{cls.__name__}.{name} has no self",
                    thing=f"{cls.__name__}.{name}",
                    remedy=f"Write it as implementations have it: {_usage('def ' + name, method, 'self')}",
                )


def optional(method: AnyFunction) -> AnyFunction:
    """Mark a method of an interface that implementations may leave out."""
    setattr(method, _OPTIONAL, True)
    return method


class IClosing(Interface):
    """A component that holds something: a file, a socket, a thread, a process."""

    def close(self) -> None:
        """Free it. Called once for each component that was made, in the main thread, when the node stops."""


def implements(*interfaces: type[Interface]) -> None:
    """Say, in the body of a component class, which interfaces the class implements.

    :raises InterfaceError: if one of them is not an :class:`Interface`.
    """
    body = sys._getframe(1).f_locals
    if not interfaces:
        raise InterfaceError("implements() names no interface", remedy="Write implements(ISomething)")
    if "__module__" not in body:
        raise InterfaceError(
            "implements(...) was called outside of a class body",
            remedy="Write it as a line of its own below the docstring of the component class",
        )
    for interface in interfaces:
        if not (isinstance(interface, type) and issubclass(interface, Interface)):
            raise InterfaceError(
                f"implements({interface!r}) in {body['__qualname__']}: that is not an interface",
                thing=str(body["__qualname__"]),
                value=interface,
                remedy="Derive it from concurrent.core.Interface",
            )
    body[_IMPLEMENTS] = (*body.get(_IMPLEMENTS, ()), *interfaces)


def interfaces_of(cls: type) -> tuple[type[Interface], ...]:
    """Return the interfaces that a class implements, those of its base classes included."""
    found: dict[type[Interface], None] = {}
    for base in cls.__mro__:
        for interface in base.__dict__.get(_IMPLEMENTS, ()):
            for part in interface.__mro__:
                if issubclass(part, Interface) and part is not Interface:
                    found[part] = None
    return tuple(found)


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


class Component:
    """Base of everything that a configuration can choose. ``__init__`` takes no arguments.

    A class with ``abstract = True`` in its own body is never made into an instance. An instance has
    ``manager``, and from an environment also ``env``, ``config`` and ``log``, before its ``__init__``.
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
        """Return whether the class itself, not a base of it, says ``abstract = True``."""
        return bool(cls.__dict__.get("abstract", False))


class ExtensionPoint(Generic[AnyInterface]):
    """Attribute of a component: the enabled implementations of an interface, in registration order."""

    def __init__(self, interface: type[AnyInterface]) -> None:
        self.interface = interface

    @overload
    def __get__(self, instance: None, owner: type) -> ExtensionPoint[AnyInterface]: ...
    @overload
    def __get__(self, instance: Component, owner: type) -> list[AnyInterface]: ...
    def __get__(
        self, instance: Component | None, owner: type
    ) -> ExtensionPoint[AnyInterface] | list[AnyInterface]:
        if instance is None:
            return self
        return instance.manager.implementations(self.interface)


class ComponentManager:
    """The classes that may be used together, and the one instance of each.

    ``troubles`` has what went wrong in components.

    :param rules: enabling rules, pattern to truth: ``pkg.module.Class``, ``Class``, ``pkg.module.*`` or
        ``*``. The longest pattern that fits decides; without one a class is enabled.
    """

    def __init__(self, rules: dict[str, bool] | None = None) -> None:
        self._rules = {pattern.lower(): value for pattern, value in (rules or {}).items()}
        self._classes: dict[type[Component], None] = {}
        self._instance_by_class: dict[type[Component], Component] = {}
        self._making: list[type[Component]] = []
        self._closed: set[int] = set()
        self.troubles = Troubles()

    def register(self, *classes: type[Component]) -> None:
        """Make component classes known to this manager; abstract ones are passed over."""
        for cls in classes:
            if not (isinstance(cls, type) and issubclass(cls, Component)):
                raise ComponentError(
                    f"{cls!r} is not a component class",
                    thing=repr(cls),
                    remedy="Derive it from concurrent.core.Component",
                )
            if not cls.is_abstract():
                self._classes[cls] = None

    def deregister(self, cls: type[Component]) -> None:
        """Forget a class and its instance; nothing happens if it is not known."""
        self._classes.pop(cls, None)
        self._instance_by_class.pop(cls, None)

    def known_classes(self) -> Iterable[type[Component]]:
        """Return the classes that this manager has, enabled or not, in registration order."""
        return list(self._classes)

    def name_of(self, cls: type[Component]) -> str:
        """Return the name of a class that enabling rules are compared with."""
        return f"{cls.__module__}.{cls.__qualname__}"

    def is_enabled(self, cls: type[Component]) -> bool:
        """Return what the longest fitting rule says of the class; True without one."""
        rule = self.rule_of(cls)
        return rule is None or self._rules[rule]

    def rule_of(self, cls: type[Component]) -> str | None:
        """Return the pattern that decides whether the class is enabled, in lower case; None without one.

        The name of the class decides before any beginning of it, with its module before without. ``*`` alone
        is about plug-ins: what the framework needs stays.
        """
        name = self.name_of(cls).lower()
        for exact in (name, cls.__name__.lower()):
            if exact in self._rules:
                return exact
        beginnings = [
            pattern
            for pattern in self._rules
            if pattern.endswith("*") and name.startswith(pattern.removesuffix("*"))
            if pattern != "*" or not name.startswith(OWN)
        ]
        return max(beginnings, key=len, default=None)

    def enables_part_of(self, module: str) -> bool:
        """Return whether a component of a module may be enabled, whatever its name is."""
        beginning = f"{module.lower()}."
        best = ""
        enabled = True
        for pattern, value in self._rules.items():
            start = pattern.removesuffix("*")
            is_bare = "." not in pattern and not pattern.endswith("*")  # the class may be in any module
            if value and (is_bare or start.startswith(beginning)):
                return True
            if pattern.endswith("*") and beginning.startswith(start) and len(pattern) >= len(best):
                best, enabled = pattern, value
        return enabled

    def classes_of(self, interface: type[Interface]) -> list[type[Component]]:
        """Return the enabled classes that implement ``interface``, in registration order."""
        return [cls for cls in self.known_classes() if interface in interfaces_of(cls) and self.is_enabled(cls)]

    def implementations(self, interface: type[AnyInterface]) -> list[AnyInterface]:
        """Return one instance of each enabled class that implements ``interface``."""
        return [cast(AnyInterface, self[cls]) for cls in self.classes_of(interface)]

    def __contains__(self, cls: type[Component]) -> bool:
        return cls in self.known_classes()

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
            if IClosing not in interfaces_of(type(instance)) or id(instance) in self._closed:
                continue
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
            raise ComponentError(
                f"component {name} is not registered",
                thing=name,
                remedy="Load its plug-in, or check that it is not abstract",
            )
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


def check_contract(cls: type[Component]) -> None:
    """Check that a class has the methods of its interfaces, and that they can be called in the same ways.

    :raises InterfaceError: if not.
    """
    for interface in interfaces_of(cls):
        for name, wanted in inspect.getmembers(interface, inspect.isfunction):
            if name.startswith("_"):
                continue
            found = getattr(cls, name, None)
            says = f"{cls.__name__} says it implements {interface.__name__}"
            usage = _usage(name, wanted)
            if found is None:
                if getattr(wanted, _OPTIONAL, False):
                    continue
                raise InterfaceError(
                    f"{says}, but has no {usage}", thing=cls.__name__, remedy="Write that method"
                )
            if inspect.iscoroutinefunction(found) and not inspect.iscoroutinefunction(wanted):
                raise InterfaceError(
                    f"{says}, but its {name} is async, and {usage} is not awaited",
                    thing=cls.__name__,
                    remedy="Define it with def",
                )
            if not callable(found) or not _accepts(found, wanted):
                raise InterfaceError(
                    f"{says}, but its {name} cannot be called as {usage}",
                    thing=cls.__name__,
                    remedy="Give it the same parameters",
                )


def _not_made_by_hand(cls: type[Component], problem: str) -> ComponentError:
    """Return the error for an instance that no manager has made."""
    return ComponentError(
        f"component {cls.__name__} {problem}: components are not made by calling their class",
        thing=cls.__name__,
        remedy=f"Ask an environment or manager for it: environment[{cls.__name__}]",
    )


def _usage(name: str, method: Callable[..., Any], *before: str) -> str:
    """Return how a method is written, without annotations.

    :param before: parameters that are missing.
    """
    signature = inspect.signature(method)
    parameters = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    shown = str(signature.replace(parameters=parameters, return_annotation=signature.empty))
    return f"{name}({', '.join((*before, shown[1:-1]))})" if before else f"{name}{shown}"


def _accepts(found: Callable[..., Any], wanted: Callable[..., Any]) -> bool:
    """Return whether ``found`` can be called in each way that ``wanted`` can."""
    parameters = list(inspect.signature(wanted).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY}
    required = [p for p in positional if p.default is p.empty]
    required_keywords = {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty}
    try:
        signature = inspect.signature(found)
        signature.bind(*positional, **keywords)
        signature.bind(*required, **required_keywords)
    except TypeError:
        return False
    return True
