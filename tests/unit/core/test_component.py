import pytest

from concurrent.core.component import (
    Component,
    ComponentManager,
    ExtensionPoint,
    IClosing,
    Interface,
    implements,
    interfaces_of,
    optional,
)
from concurrent.core.errors import ComponentError, InterfaceError


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


def test_a_missing_method_is_named_with_its_interface() -> None:
    class Mute(Component):
        implements(IGreeter)

    manager = ComponentManager()
    manager.register(Mute)
    with pytest.raises(InterfaceError, match=r"Mute says it implements IGreeter, but has no greet"):
        manager[Mute]


@pytest.mark.parametrize(
    "greet",
    [
        lambda self: "",
        lambda self, name: "",
        lambda self, name, other, *, loud=False: "",
        lambda self, name, *, loud=False, must: "",
        "not a method",
    ],
)
def test_a_method_of_another_shape_is_refused(greet) -> None:
    class Odd(Component):
        implements(IGreeter)

    Odd.greet = greet
    manager = ComponentManager()
    manager.register(Odd)
    with pytest.raises(InterfaceError, match=r"Odd says it implements IGreeter, but its greet"):
        manager[Odd]


def test_a_more_general_method_keeps_the_contract() -> None:
    class General(Component):
        implements(IGreeter)

        def greet(self, *args, **kwargs):
            return "hello"

    manager = ComponentManager()
    manager.register(General)
    assert manager[General].greet("x") == "hello"


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


def test_interfaces_are_inherited_by_classes_and_by_interfaces() -> None:
    class ISinger(IGreeter):
        """Sings too."""

    class Bird(Component):
        implements(ISinger)

    assert interfaces_of(Short) == (IGreeter,)
    assert set(interfaces_of(Bird)) == {ISinger, IGreeter}


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


def test_an_interface_without_self_is_refused_where_it_is_defined() -> None:
    with pytest.raises(InterfaceError, match=r"IReq\.match has no self.*def match\(self, req, other=1\)"):

        class IReq(Interface):
            def match(req, other=1):  # noqa: N805
                """Match."""


def test_an_interface_may_have_static_and_class_methods() -> None:
    class IReq(Interface):
        @staticmethod
        def one(req): ...

        @classmethod
        def two(cls, req): ...

    assert issubclass(IReq, Interface)


def test_implementing_nothing_is_refused() -> None:
    with pytest.raises(InterfaceError, match="names no interface"):

        class Nothing(Component):
            implements()


def test_a_method_that_nobody_awaits_is_refused() -> None:
    class Late(Component):
        implements(IGreeter)

        async def greet(self, name, *, loud=False):
            return name

    manager = ComponentManager()
    manager.register(Late)
    with pytest.raises(InterfaceError, match=r"its greet is async"):
        manager[Late]


def test_the_shape_of_a_method_is_shown_without_annotations() -> None:
    class ITyped(Interface):
        def weigh(self, thing: "Thing") -> "float":  # noqa: F821
            """Weigh."""

    class Odd(Component):
        implements(ITyped)

    manager = ComponentManager()
    manager.register(Odd)
    with pytest.raises(InterfaceError, match=r"has no weigh\(self, thing\)\."):
        manager[Odd]


def test_a_component_made_by_hand_says_how_to_get_one() -> None:
    with pytest.raises(ComponentError, match=r"Polite was called with .*environment\[Polite\]"):
        Polite(ComponentManager())
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
