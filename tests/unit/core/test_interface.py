"""An interface may be written with or without ``self``, and whoever implements it has to keep its word."""

from __future__ import annotations

import functools

import pytest

from concurrent.core.errors import InterfaceError
from concurrent.core.interface import (
    Interface,
    came_later,
    check_contract,
    implements,
    interfaces_of,
    is_older,
    optional,
)


class IGreeter(Interface):
    """Greets."""

    def greet(self, name, *, loud=False):
        """Return a greeting."""

    @optional
    def wave(self):
        """Wave."""


class IBareGreeter(Interface):
    """Greets: the same, as it is called."""

    def greet(name, *, loud=False):  # noqa: N805
        """Return a greeting."""

    @optional
    def wave():
        """Wave."""


class INod(Interface):
    """Nods."""

    def nod(times=1):  # noqa: N805
        """Nod."""


BOTH = pytest.mark.parametrize("interface", [IGreeter, IBareGreeter], ids=["with self", "without self"])


def a_class(interface, base=object, **attributes):
    """Return a class that says it implements an interface."""

    class Made(base):
        implements(interface)

    for name, value in attributes.items():
        setattr(Made, name, value)
    return Made


@BOTH
def test_a_missing_method_is_named_as_an_implementation_writes_it(interface) -> None:
    words = rf"Made says it implements {interface.__name__}, but has no greet\(self, name, \*, loud=False\)\."
    with pytest.raises(InterfaceError, match=words):
        check_contract(a_class(interface))


def test_a_method_without_parameters_is_shown_with_self() -> None:
    class IWave(Interface):
        def wave(): ...

    with pytest.raises(InterfaceError, match=r"has no wave\(self\)\."):
        check_contract(a_class(IWave))


class Helper:
    def __call__(self, name, *, loud=False):
        return name


KEPT = {
    "the same": lambda self, name, *, loud=False: name,
    "more general": lambda self, *args, **kwargs: args,
    "another name for self": lambda this, name, *, loud=False: name,
    "all in one": lambda *args, loud=False: args,
    "more with defaults": lambda self, name, title="Dr", *, loud=False, slow=False: name,
    "static": staticmethod(lambda name, *, loud=False: name),
    "of the class": classmethod(lambda cls, name, *, loud=False: name),
    "wrapped": functools.lru_cache(lambda self, name, *, loud=False: name),
    "an object that can be called": Helper(),
}


@BOTH
@pytest.mark.parametrize("greet", KEPT.values(), ids=KEPT)
def test_a_method_that_can_be_called_in_the_same_ways_keeps_the_contract(interface, greet) -> None:
    cls = a_class(interface, greet=greet)
    check_contract(cls)
    cls().greet("Ada")
    cls().greet("Ada", loud=True)


BROKEN = {
    "no parameter": lambda self: "",
    "without self": lambda name, *, loud=False: name,
    "no keyword": lambda self, name: "",
    "one more": lambda self, name, other, *, loud=False: "",
    "one more keyword": lambda self, name, *, loud=False, must: "",
    "static with self": staticmethod(lambda self, name, *, loud=False: name),
    "no method": "not a method",
    "a property": property(lambda self: "Ada"),
}


@BOTH
@pytest.mark.parametrize("greet", BROKEN.values(), ids=BROKEN)
def test_a_method_of_another_shape_is_refused(interface, greet) -> None:
    words = (
        rf"Made says it implements {interface.__name__}, but its greet cannot be called as greet\(self, name"
    )
    with pytest.raises(InterfaceError, match=words):
        check_contract(a_class(interface, greet=greet))


def test_an_optional_method_may_be_left_out_but_not_be_wrong() -> None:
    greet = KEPT["the same"]
    check_contract(a_class(IGreeter, greet=greet))
    with pytest.raises(InterfaceError, match="its wave"):
        check_contract(a_class(IGreeter, greet=greet, wave=lambda self, hand: hand))


def test_a_method_that_nobody_awaits_is_refused() -> None:
    async def greet(self, name, *, loud=False):
        return name

    with pytest.raises(InterfaceError, match=r"its greet is async"):
        check_contract(a_class(IGreeter, greet=greet))


def test_the_shape_of_a_method_is_shown_without_annotations() -> None:
    class ITyped(Interface):
        def weigh(self, thing: Thing) -> float:  # noqa: F821
            """Weigh."""

    with pytest.raises(InterfaceError, match=r"has no weigh\(self, thing\)\."):
        check_contract(a_class(ITyped))


def test_static_methods_of_an_interface_count_as_they_are_called() -> None:
    class IParse(Interface):
        @staticmethod
        def parse(text): ...

    check_contract(a_class(IParse, parse=lambda self, text: text))
    check_contract(a_class(IParse, parse=staticmethod(lambda text: text)))
    with pytest.raises(InterfaceError, match=r"cannot be called as parse\(self, text\)"):
        check_contract(a_class(IParse, parse=lambda self: 1))


def test_interfaces_are_inherited_by_classes_and_by_interfaces() -> None:
    class ILoud(IGreeter):
        """Greets loudly."""

    loud = a_class(ILoud)
    assert interfaces_of(a_class(IGreeter)) == (IGreeter,)
    assert interfaces_of(loud) == (ILoud, IGreeter)
    assert interfaces_of(type("Quiet", (loud,), {})) == (ILoud, IGreeter)


def test_a_derived_class_adds_interfaces_to_those_that_it_inherits() -> None:
    nodding = a_class(INod, base=a_class(IGreeter), nod=lambda self, times=1: times)
    assert interfaces_of(nodding) == (INod, IGreeter)
    again = a_class(IGreeter, base=nodding)
    assert set(interfaces_of(again)) == {IGreeter, INod}
    with pytest.raises(InterfaceError, match="IGreeter, but has no greet"):
        check_contract(nodding)


def test_several_lines_and_several_names_all_count() -> None:
    class Both:
        implements(IGreeter, INod)

    class Lines:
        implements(IGreeter)
        implements(INod)

    assert interfaces_of(Both) == interfaces_of(Lines) == (IGreeter, INod)


def test_what_a_mixin_implements_its_users_implement() -> None:
    mixin = a_class(INod, nod=lambda self, times=1: times)
    user = a_class(IGreeter, base=mixin, greet=KEPT["the same"])
    check_contract(user)
    assert interfaces_of(user) == (IGreeter, INod)


def test_implementing_nothing_or_something_else_is_refused() -> None:
    with pytest.raises(InterfaceError, match="names no interface"):

        class Nothing:
            implements()

    with pytest.raises(InterfaceError, match="not an interface"):

        class Wrong:
            implements(int)

    with pytest.raises(InterfaceError, match="outside of a class body"):
        implements(IGreeter)


class IWave(Interface):
    """Waves, since a while to somebody."""

    @came_later("whom")
    def wave(self, times, whom):
        """Wave."""


@pytest.mark.parametrize(
    ("method", "older"),
    [
        (lambda self, times, whom: None, False),
        (lambda self, times, somebody: None, False),
        (lambda self, *everything, whom=None: None, False),
        (lambda self, times: None, True),
        (lambda self, times, speed=1: None, True),
    ],
)
def test_an_implementation_may_lack_a_parameter_that_came_later(method, older) -> None:
    made = a_class(IWave, wave=method)
    check_contract(made)
    assert is_older(made, IWave, "wave") is older


def test_an_implementation_may_lack_no_other_parameter() -> None:
    with pytest.raises(InterfaceError, match=r"cannot be called as wave\(self, times, whom\)"):
        check_contract(a_class(IWave, wave=lambda self: None))
    with pytest.raises(InterfaceError):
        check_contract(a_class(IGreeter, greet=lambda self, name: None))
