from abc import ABC, abstractmethod

import pytest

from concurrent.core.component import Component, ComponentManager, ExtensionPoint
from concurrent.core.errors import ComponentError, InterfaceError
from concurrent.core.interface import IClosing, Interface, implements, optional


class IGreeter(Interface):
    """Greets."""

    def greet(self, name, *, loud=False):
        """Return a greeting."""

    @optional
    def wave(self):
        """Wave."""


class Polite(Component):
    """Greets in full."""

    implements(IGreeter)

    def greet(self, name, *, loud=False):
        return f"Good day, {name}"


class Short(Polite):
    """Greets by inheritance of the interface."""

    def greet(self, name, *, loud=False):
        return f"Hi {name}"


class Room(Component):
    """Has an extension point."""

    greeters = ExtensionPoint(IGreeter)


NAME = Polite.__module__


def test_an_extension_point_gives_the_enabled_implementations_in_order() -> None:
    manager = ComponentManager()
    manager.register(Room, Short, Polite)
    assert [g.greet("Ann") for g in manager[Room].greeters] == ["Hi Ann", "Good day, Ann"]
    assert isinstance(Room.greeters, ExtensionPoint)


def test_each_manager_has_one_instance_of_its_own() -> None:
    first, second = ComponentManager(), ComponentManager()
    first.register(Polite)
    second.register(Polite)
    assert first[Polite] is first[Polite]
    assert first[Polite] is not second[Polite]


def test_a_class_is_known_only_where_it_was_registered() -> None:
    with pytest.raises(ComponentError, match=r"Polite is not registered. Load its plug-in"):
        ComponentManager()[Polite]


@pytest.mark.parametrize(
    ("rules", "enabled"),
    [
        ({}, True),
        ({"*": False}, False),
        ({"*": False, f"{NAME}.*": True}, True),
        ({f"{NAME}.Polite": False, f"{NAME}.*": True}, False),
        ({f"{NAME}.Pol*": False}, False),
        ({f"{NAME}.Pol": False}, True),
    ],
)
def test_the_longest_fitting_rule_decides(rules, enabled) -> None:
    manager = ComponentManager(rules)
    manager.register(Polite)
    assert manager.is_enabled(Polite) is enabled
    assert manager.classes_of(IGreeter) == ([Polite] if enabled else [])
    if not enabled:
        with pytest.raises(ComponentError, match=r"disabled.*section \[components\]"):
            manager[Polite]


def test_a_failing_initialiser_leaves_nothing_behind() -> None:
    class Moody(Component):
        is_well = False

        def __init__(self) -> None:
            if not Moody.is_well:
                raise OSError("not today")

    manager = ComponentManager()
    manager.register(Moody)
    with pytest.raises(
        ComponentError, match=r"Moody cannot be made.*OSError: not today \(.*py:\d+\)"
    ) as caught:
        manager[Moody]
    assert isinstance(caught.value.__cause__, OSError)
    Moody.is_well = True
    assert isinstance(manager[Moody], Moody)


def test_components_that_need_one_another_while_made_are_named() -> None:
    class Hen(Component):
        def __init__(self) -> None:
            self.manager[Egg]

    class Egg(Component):
        def __init__(self) -> None:
            self.manager[Hen]

    manager = ComponentManager()
    manager.register(Hen, Egg)
    with pytest.raises(ComponentError, match="Hen -> Egg -> Hen"):
        manager[Hen]


def test_abstract_is_not_inherited_and_never_made() -> None:
    class Base(Component):
        abstract = True
        implements(IGreeter)

    class Concrete(Base):
        def greet(self, name, *, loud=False):
            return name

    manager = ComponentManager()
    manager.register(Base, Concrete)
    assert Base not in manager
    assert manager.classes_of(IGreeter) == [Concrete]


def test_a_deregistered_class_is_gone_with_its_instance() -> None:
    manager = ComponentManager()
    manager.register(Polite)
    old = manager[Polite]
    manager.deregister(Polite)
    assert manager.implementations(IGreeter) == []
    manager.register(Polite)
    assert manager[Polite] is not old


def test_only_interfaces_can_be_implemented_and_only_components_registered() -> None:
    with pytest.raises(InterfaceError, match="not an interface"):

        class Wrong(Component):
            implements(int)

    with pytest.raises(ComponentError, match="not a component class"):
        ComponentManager().register(int)
    with pytest.raises(InterfaceError, match="outside of a class body"):
        implements(IGreeter)


def test_a_manager_prepares_components_before_their_initialiser() -> None:
    class Prepared(Component):
        def __init__(self) -> None:
            self.seen = self.gift

    class Giving(ComponentManager):
        def component_activated(self, component) -> None:
            component.gift = 42

    manager = Giving()
    manager.register(Prepared)
    assert manager[Prepared].seen == 42


def test_a_component_made_by_hand_says_how_to_get_one() -> None:
    with pytest.raises(ComponentError, match=r"Polite was called with 3.*environment\[Polite\]"):
        Polite(3)
    with pytest.raises(AttributeError, match=r"Polite has no env: .*environment\[Polite\]"):
        getattr(Polite(), "env")  # noqa: B009
    with pytest.raises(AttributeError, match="'Polite' object has no attribute 'other'"):
        getattr(Polite(), "other")  # noqa: B009


def test_components_that_hold_something_are_closed_once_the_newest_first(caplog) -> None:
    closed = []

    class Holder(Component):
        implements(IClosing)

        def close(self):
            closed.append(type(self).__name__)

    class Second(Holder):
        pass

    class Failing(Holder):
        def close(self):
            raise SystemExit(7)

    class NeverMade(Holder):
        pass

    manager = ComponentManager()
    manager.register(Holder, Second, Failing, NeverMade)
    for cls in (Holder, Failing, Second):
        assert manager[cls]
    manager.close()
    manager.close()
    assert closed == ["Second", "Holder"]
    assert "Failing: close raised SystemExit" in caplog.text


def test_calling_a_class_with_a_manager_gives_the_one_instance_that_this_has() -> None:
    class Counted(Component):
        made = 0

        def __init__(self):
            super().__init__()
            Counted.made += 1

    first, second = ComponentManager(), ComponentManager()
    first.register(Counted)
    second.register(Counted)
    one = Counted(first)
    assert one is Counted(first)
    assert one is first[Counted]
    assert one is not Counted(second)
    assert Counted.made == 2
    assert one.manager is first


@pytest.mark.parametrize("initialise", [Component.__init__, lambda self: None, None])
def test_an_initialiser_of_ones_own_is_called_once_without_arguments(initialise) -> None:
    calls = []

    class Own(Component):
        def __init__(self):
            calls.append(self.manager)
            if initialise is not None:
                initialise(self)

    manager = ComponentManager()
    manager.register(Own)
    assert Own(manager) is Own(manager)
    assert calls == [manager]


def test_an_initialiser_that_wants_arguments_is_named() -> None:
    class Wanting(Component):
        def __init__(self, size):
            self.size = size

    manager = ComponentManager()
    manager.register(Wanting)
    with pytest.raises(ComponentError, match=r"Wanting cannot be made.*'size'"):
        Wanting(manager)


def test_a_disabled_component_that_is_asked_for_is_an_error_and_can_be_asked_about() -> None:
    manager = ComponentManager({"Polite": False})
    manager.register(Polite)
    assert Polite in manager
    assert not manager.is_enabled(Polite)
    for ask in (lambda: Polite(manager), lambda: manager[Polite]):
        with pytest.raises(ComponentError, match=r"Polite is disabled. Set '.*Polite = enabled' in section"):
            ask()


def test_a_class_is_not_known_because_it_was_defined_or_derived_from() -> None:
    class Local(Polite):
        """Defined in a function."""

    manager = ComponentManager()
    manager.register(Polite)
    assert Local not in manager
    assert manager.classes_of(IGreeter) == [Polite]
    with pytest.raises(ComponentError, match=r"Local is not registered.*environment\.register\(Local\)"):
        Local(manager)
    manager.register(Local)
    assert [type(one) for one in manager.implementations(IGreeter)] == [Polite, Local]


def test_two_classes_of_one_name_are_two_components() -> None:
    def make():
        class Same(Component):
            implements(IGreeter)

            def greet(self, name, *, loud=False):
                return name

        return Same

    one, other = make(), make()
    manager = ComponentManager()
    manager.register(one, other, one)
    assert manager.classes_of(IGreeter) == [one, other]
    assert manager.classes_named("Same") == [one, other]
    assert one(manager) is not other(manager)


class Desk:
    """No component, but it has a manager."""

    greeters = ExtensionPoint(IGreeter)

    def __init__(self, manager) -> None:
        self.manager = manager


class Hall(ComponentManager):
    """A manager with an extension point of its own."""

    greeters = ExtensionPoint(IGreeter)


class House(Component, ComponentManager):
    """Both at once."""

    greeters = ExtensionPoint(IGreeter)


@pytest.mark.parametrize("kind", [Hall, House])
def test_an_extension_point_works_in_any_class_with_a_manager_and_in_a_manager(kind) -> None:
    hall = kind()
    hall.register(Polite, Room)
    assert Desk(hall).greeters == hall.greeters == Room(hall).greeters == [Polite(hall)]
    other = Hall()
    assert Desk(other).greeters == other.greeters == []


def test_abstract_methods_make_a_class_abstract_until_they_are_there() -> None:
    class Base(Component):
        implements(IGreeter)

        @abstractmethod
        def greet(self, name, *, loud=False): ...

    class Still(Base, ABC):
        """Lacks it too."""

    class Whole(Still):
        def greet(self, name, *, loud=False):
            return name

    manager = ComponentManager()
    manager.register(Base, Still, Whole)
    assert [type(one) for one in manager.implementations(IGreeter)] == [Whole]
    with pytest.raises(ComponentError, match=r"Still is abstract: it has no greet\. Ask for a class"):
        Still(manager)


def test_an_abstract_component_that_is_asked_for_is_named() -> None:
    class Base(Component):
        abstract = True

    with pytest.raises(ComponentError, match=r"Base is abstract\. Ask for a class that is derived"):
        Base(ComponentManager())


def test_a_component_without_a_manager_may_be_made_for_a_test() -> None:
    assert Polite().greet("Ann") == "Good day, Ann"
