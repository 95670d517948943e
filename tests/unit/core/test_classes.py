"""What comes with a plug-in: its components and those of its own modules, not what others have imported."""

from __future__ import annotations

import importlib
import sys

import pytest

from concurrent.core import Environment
from concurrent.core.classes import classes_in
from concurrent.core.errors import ConfigurationError, PluginError

HEAD = "from concurrent.core import Component, ExtensionPointItem, Interface, implements\n"


def component(name, base="Component"):
    return f"{HEAD}class {name}({base}):\n    pass\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes files whose modules can be imported, and forgets them afterwards."""
    before = set(sys.modules)

    def files(**texts):
        for name, text in texts.items():
            path = tmp_path.joinpath(*name.split("__in__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(str(tmp_path))
    yield files
    for name in set(sys.modules) - before:
        del sys.modules[name]


def loaded(*sources):
    """Return an environment with plug-ins and the names of their components."""
    environment = Environment(variables={})
    before = len(environment.known_classes())
    for source in sources:
        environment.load_plugin(source)
    return environment, [cls.__name__ for cls in environment.known_classes()[before:]]


def test_what_a_module_imports_by_name_or_from_beside_it_comes_with_it(write) -> None:
    write(
        trunk="from branch import Leaf, make\nimport twig\n" + component("Trunk"),
        branch=component("Leaf") + "class Hidden(Component):\n    pass\ndef make():\n    return Hidden\n",
        twig=component("Bud"),
        stone=component("Stone"),
    )
    importlib.import_module("stone")
    environment, names = loaded("trunk")
    assert sorted(names) == ["Bud", "Hidden", "Leaf", "Trunk"]
    hidden = sys.modules["branch"].make()
    assert isinstance(hidden(environment), hidden)


def test_the_modules_of_a_package_count_once_they_are_imported(write) -> None:
    write(
        pond__in____init__="from . import frog\nfrom .newt import grow\n" + component("Pond"),
        pond__in__frog=component("Frog"),
        pond__in__newt=component("Newt") + "def grow(): pass\n",
        pond__in__heron=component("Heron"),
    )
    environment, names = loaded("pond")
    assert sorted(names) == ["Frog", "Newt", "Pond"]
    environment.load_plugin("pond.heron")
    assert sys.modules["pond.heron"].Heron in environment


def test_a_module_of_a_package_brings_what_it_uses_of_that(write) -> None:
    write(
        pond__in____init__="",
        pond__in__frog="from .newt import grow\n" + component("Frog"),
        pond__in__newt=component("Newt") + "def grow(): pass\n",
        pond__in__heron=component("Heron"),
    )
    heron, _ = loaded("pond.heron")
    frog, names = loaded("pond.frog")
    assert sorted(names) == ["Frog", "Newt"]
    assert [cls.__name__ for cls in heron.known_classes() if cls.__module__.startswith("pond")] == ["Heron"]
    assert sys.modules["pond.heron"].Heron not in frog


def test_a_plugin_may_derive_from_what_is_built_in_and_from_another_plugin(write) -> None:
    base = "from concurrent.scheduling import GenericTaskScheduler\n"
    write(
        own=base + "class Own(GenericTaskScheduler):\n    pass\n",
        more="from own import Own\nclass More(Own):\n    pass\n",
    )
    environment, names = loaded("more")
    assert sorted(names) == ["More", "Own"]
    assert [cls.__name__ for cls in classes_in(sys.modules["more"])] == ["More"]
    assert environment[sys.modules["more"].More].strategy is environment[sys.modules["own"].Own].strategy


CHOICE = HEAD + (
    "class IWord(Interface):\n    pass\n"
    "class Yes(Component):\n    implements(IWord)\n"
    "class Chooser(Component):\n    word = ExtensionPointItem('choice', 'word', IWord, 'Yes', '')\n"
)


def test_one_class_name_in_two_files_has_to_be_chosen_by_its_file(write, tmp_path) -> None:
    write(one=CHOICE, two=HEAD + "from one import IWord\nclass Yes(Component):\n    implements(IWord)\n")
    environment, _ = loaded("one", tmp_path / "two.py")
    chooser = environment[sys.modules["one"].Chooser]
    with pytest.raises(ConfigurationError, match=r"more than one.*Use one of: one\.Yes, two\.Yes"):
        _ = chooser.word
    other = Environment(variables={}, overrides={"choice.word": "two.Yes", "components.one.Yes": "off"})
    other.load_plugin("one")
    plugin = other.load_plugin(tmp_path / "two.py")
    assert type(other[sys.modules["one"].Chooser].word) is plugin.module.Yes


@pytest.mark.parametrize(
    ("rules", "enabled"),
    [
        ({"*": "off"}, []),
        ({"*": "off", "pond.*": "on"}, ["Frog", "Newt"]),
        ({"pond.frog.*": "off"}, ["Newt"]),
        ({"pond.*": "off", "pond.n*": "on"}, ["Newt"]),
        ({"pond.*": "off", "FROG": "on"}, ["Frog"]),
    ],
)
def test_rules_with_stars_are_about_the_names_that_a_plugin_folder_has(write, tmp_path, rules, enabled) -> None:
    write(
        pond__in____init__="from . import frog, newt\n",
        pond__in__frog=component("Frog"),
        pond__in__newt=component("Newt"),
    )
    overrides = {f"components.{pattern}": value for pattern, value in rules.items()}
    environment = Environment(variables={}, overrides=overrides)
    module = environment.load_plugin(tmp_path / "pond").module
    known = (module.frog.Frog, module.newt.Newt)
    assert [cls.__name__ for cls in known if environment.is_enabled(cls)] == enabled


def test_loading_again_changes_nothing(write) -> None:
    write(cloud=component("Rain"))
    environment, names = loaded("cloud", "cloud")
    assert names == ["Rain"]
    assert len(environment.plugins) == 1


CLOSING = (
    "from concurrent.core import Component, IClosing, implements\nclass Rain(Component):\n"
    "    implements(IClosing)\n    is_open = True\n    def close(self):\n        self.is_open = False\n"
)


@pytest.mark.parametrize("kind", ["module", "file", "folder"])
def test_a_plugin_that_is_loaded_anew_replaces_its_components_in_one_environment(write, tmp_path, kind) -> None:
    source = {"module": "cloud", "file": tmp_path / "cloud.py", "folder": tmp_path / "sky"}[kind]
    write(cloud=CLOSING, sky__in____init__="from .drops import Rain\n", sky__in__drops=CLOSING)
    one, other = loaded(source)[0], loaded(source)[0]
    (plugin,) = one.plugins
    old = plugin.module.Rain
    rain = one[old]
    write(
        cloud=component("Snow"),
        sky__in____init__="from .flakes import Snow\n",
        sky__in__flakes=component("Snow"),
    )
    new = one.reload_plugin(plugin).module.Snow
    assert [old in one, new in one, old in other, new in other] == [False, True, True, False]
    assert not rain.is_open
    assert [each.module.Snow for each in one.plugins] == [new]
    other.load_plugin(source)
    assert [old in other, new in other] == [False, True]


def test_a_plugin_that_cannot_be_loaded_anew_stays_as_it_is(write) -> None:
    write(cloud=component("Rain"))
    environment, _ = loaded("cloud")
    (plugin,) = environment.plugins
    write(cloud="raise OSError('no')  # longer than before\n" * 9)
    with pytest.raises(PluginError, match=r"cloud cannot be imported .*cloud\.py:1\): OSError: no"):
        environment.reload_plugin(plugin)
    assert sys.modules["cloud"] is plugin.module
    assert plugin.module.Rain(environment).env is environment


def test_a_recipe_has_all_plugins_and_the_modules_of_the_program(write, tmp_path) -> None:
    write(one=component("One"), two=component("Two"), main=component("Main"))
    environment, _ = loaded("one", tmp_path / "two.py")
    importlib.import_module("main")
    environment.register_program("main", "no_such_module")
    environment.load_plugins()
    copy = Environment.from_recipe(environment.recipe())
    assert copy.known_classes() == environment.known_classes()
    assert copy.recipe() == environment.recipe()


def test_installed_plugins_are_looked_for_once_by_a_node_and_those_it_starts(monkeypatch) -> None:
    looks: list[str] = []
    monkeypatch.setattr("concurrent.core.environment.installed_plugins", lambda: looks.append("") or [])
    environment = Environment()
    environment.load_plugins()
    Environment.from_recipe(Environment.from_recipe(environment.recipe()).recipe())
    assert len(looks) == 1


def test_a_script_that_is_given_as_its_own_plugin_is_not_run_twice(write, tmp_path, monkeypatch) -> None:
    write(script=component("Mine"))
    script = importlib.import_module("script")
    monkeypatch.setitem(sys.modules, "__main__", script)
    environment = Environment(variables={})
    plugin = environment.load_plugin(tmp_path / "script.py")
    assert plugin.module is script
    assert script.Mine in environment
    with pytest.raises(PluginError, match="script is the program that runs"):
        environment.reload_plugin(plugin)


def test_installed_plugins_come_by_their_entry_points_unless_they_are_switched_off(write, tmp_path) -> None:
    write(acme_jobs__in____init__="from .jobs import Job\n", acme_jobs__in__jobs=component("Job"))
    metadata = tmp_path / "acme_jobs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-jobs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[concurrent.plugins]\nacme = acme_jobs:ignored\n")
    without = Environment(variables={})
    off = Environment(variables={}, overrides={"components.acme_jobs.*": "off"})
    environment = Environment(variables={})
    assert off.load_plugins() == environment.load_plugins() == []
    assert off.switched_off == ["acme_jobs"]
    job = sys.modules["acme_jobs"].Job
    assert [job in each for each in (environment, off, without)] == [True, False, False]
    assert isinstance(job(environment), job)
