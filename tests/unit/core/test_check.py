"""What is wrong with a configuration or a plug-in is found before a node meets it, and said where it stands."""

from __future__ import annotations

import pytest

from concurrent.core.check import problems_of
from concurrent.core.environment import Environment

PLUGIN = """
from concurrent.core import (Component, ConfigItem, ExtensionPointItem, HostItem, Interface, IntItem,
    OrderedExtensionsItem, implements)

class IWay(Interface):
    def go(self, fast):
        "Go."

class Walk(Component):
    implements(IWay)
    steps = IntItem("ways", "steps", 3, "How many.", minimum=1)
    def go(self, fast):
        return 1

class Ride(Component):
    implements(IWay)
    def go(self, fast):
        return 2

class Traveller(Component):
    way = ExtensionPointItem("ways", "way", IWay, "Walk", "The way.")
    order = OrderedExtensionsItem("ways", "order", IWay, ("Walk",), "The order.")
    host = HostItem("ways", "host", "here:1", "The host.")
"""


@pytest.fixture
def env(tmp_path, monkeypatch):
    """Return a function that makes an environment of a folder with a plug-in and lines of configuration."""
    monkeypatch.setenv("CONCURRENT_SYSTEM_FILE", str(tmp_path / "none.ini"))

    def make(configuration="", plugin=PLUGIN, **more):
        folder = tmp_path / f"env{len(list(tmp_path.iterdir()))}"
        Environment.create(folder)
        (folder / "plugins" / "ways.py").write_text(plugin)
        for name, text in more.items():
            (folder / "plugins" / f"{name}.py").write_text(text)
        (folder / "conf" / "concurrent.ini").write_text(configuration)
        environment = Environment.open(folder)
        environment.load_plugins()
        return environment

    return make


def test_what_is_right_has_no_problems(env) -> None:
    right = "[ways]\nway = Ride\norder = Ride, ways.Walk\n[components]\nways.Walk = on\nRide = on\n*=on\n"
    assert problems_of(env(right)) == []


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ("[ways]\nway = Fly\n", ["concurrent.ini:2", "'Fly'", "IWay", "ways.Ride"]),
        ("[ways]\nway = Rde\n", ["concurrent.ini:2", "Did you mean Ride?"]),
        ("[ways]\norder = Walk, Fly\n", ["concurrent.ini:2", "order = 'Fly'"]),
        ("[ways]\nway = Traveller\n", ["concurrent.ini:2", "no enabled component is an IWay"]),
        ("[ways]\nsteps = 0\n", ["concurrent.ini:2", "steps", "of at least 1"]),
        ("[ways]\nhost = nowhere\n", ["concurrent.ini:2", "host", "HOST:PORT"]),
        ("[ways]\nwey = Ride\n", ["concurrent.ini:2", "unknown option wey", "Did you mean way?"]),
        ("[weys]\nway = Ride\n", ["concurrent.ini:2", "unknown section", "Did you mean section [ways]?"]),
        ("[components]\nnosuch.* = off\n", ["concurrent.ini:2", "nosuch.*", "fits no component"]),
        ("[components]\nWolk = off\n", ["concurrent.ini:2", "Wolk", "Did you mean Walk?"]),
        ("[components]\nways.Wolk = off\n", ["concurrent.ini:2", "Did you mean ways.Walk?"]),
        ("[components]\nconcurrent.nosuch.* = off\n", ["concurrent.ini:2", "fits no component"]),
        ("[components]\nconcurrent.core.stats.* = off\n", ["concurrent.ini:2", "fits no component"]),
        ("[components]\nconcurrent.apps.samples.no.* = off\n", ["concurrent.ini:2", "fits no component"]),
        (
            "[components]\nRide = off\n[ways]\nway = Ride\n",
            ["concurrent.ini:4", "ways.Ride is disabled", "ride"],
        ),
        ("[components]\nways.* = off\nTraveller = on\n", ["[ways] way = 'Walk'", "ways.Walk is disabled"]),
    ],
)
def test_a_wrong_line_is_named_with_its_place(env, configuration, words) -> None:
    problems = problems_of(env(configuration))
    assert any(all(word in problem for word in words) for problem in problems), problems


@pytest.mark.parametrize(
    "rule",
    [
        "concurrent.scheduling.*",
        "concurrent.apps.master.MasterNode",
        "ZMQTaskManager",
        "concurrent.apps.samples.mandelbrot.*",
        "concurrent.apps.samples.mandelbrot.app.Mandelbrot",
    ],
)
def test_a_rule_for_what_the_framework_has_is_right_though_nothing_needed_it_yet(env, rule) -> None:
    assert not [text for text in problems_of(env(f"[components]\n{rule} = on\n")) if "fits" in text]


def test_several_wrong_values_are_all_named(env) -> None:
    problems = problems_of(env("[ways]\nsteps = 0\nhost = nowhere\n[master]\nport = many\n"))
    assert len(problems) == 3


HALF = """
from concurrent.core import Component, implements
from concurrent.scheduling import ITaskScheduler
class Half(Component):
    implements(ITaskScheduler)
    def schedule(self, ledger):
        return []
"""
OTHERWISE = """
from concurrent.core import Component, FloatItem
class Other(Component):
    steps = FloatItem("ways", "steps", 0.5, "How many.")
"""
BROKEN = {
    "an import that fails": ("import no_such_module\n", "ModuleNotFoundError"),
    "an import that exits": ("raise SystemExit(7)\n", "sys.exit(7)"),
    "an import that interrupts": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "a syntax error": ("x = = 1\n", "SyntaxError"),
    "a missing method": (HALF, "Half says it implements ITaskScheduler, but has no"),
    "another declaration": (OTHERWISE, "option steps in [ways] is declared in different ways"),
}


@pytest.mark.parametrize(("text", "word"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_named(env, text, word) -> None:
    problems = problems_of(env(more=text))
    assert any(word in problem and "more" in problem for problem in problems), problems


def test_an_initialiser_that_raises_is_named_where_an_option_chooses_its_component(env) -> None:
    wrong = PLUGIN.replace(
        "class Ride(Component):\n", "class Ride(Component):\n    def __init__(self): 1 / 0\n"
    )
    assert problems_of(env("", wrong)) == []
    (problem,) = problems_of(env("[ways]\nway = Ride\n", wrong))
    assert "ways.Ride cannot be made: its initialiser raised ZeroDivisionError" in problem
    assert "ways.py:" in problem


def test_the_same_declaration_and_a_derived_one_are_no_conflict(env) -> None:
    more = (
        "from concurrent.core import Component, IntItem\n"
        "class Same(Component):\n    steps = IntItem('ways', 'steps', 3, 'Again.', minimum=1)\n"
        "class Base(Component):\n    tea = IntItem('ways', 'tea', 3, 'Cups.')\n"
        "class Derived(Base):\n    tea = IntItem('ways', 'tea', 5, 'Cups.')\n"
    )
    assert problems_of(env(more=more)) == []


def test_a_plugin_of_which_all_is_disabled_is_not_imported(env) -> None:
    environment = env("[components]\nmore.* = off\n", more="raise RuntimeError('imported')\n")
    assert problems_of(environment) == []
    assert environment.switched_off == ["more"]


def test_a_plugin_of_which_a_part_is_enabled_is_imported(env) -> None:
    environment = env(
        "[components]\n* = off\nways.Ride = on\nways.traveller = on\n[ways]\nway=Ride\norder=Ride\n"
    )
    assert [cls.__name__ for cls in environment.plugins[0].components if environment.is_enabled(cls)] == [
        "Ride",
        "Traveller",
    ]
