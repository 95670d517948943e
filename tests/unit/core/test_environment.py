import logging

import pytest

from concurrent.core import (
    Component,
    Environment,
    ExtensionPoint,
    ExtensionPointItem,
    Interface,
    IntItem,
    NodeLog,
    Stats,
    implements,
    new_node_id,
)
from concurrent.core.errors import ComponentError, ConfigurationError, EnvironmentFolderError, PluginError
from concurrent.scheduling import GenericTaskScheduler

PLUGIN = """
from concurrent.core import Component

class Guest(Component):
    \"\"\"Comes from a file.\"\"\"
"""

CHOICE = """
from concurrent.core import Component, ExtensionPointItem, Interface, implements

class IWord(Interface):
    \"\"\"A word.\"\"\"

class Yes(Component):
    implements(IWord)

class No(Component):
    implements(IWord)

class Chooser(Component):
    word = ExtensionPointItem("choice", "word", IWord, "Yes", "The word.")
"""


class IRoomService(Interface):
    """Serves."""


class Waiter(Component):
    """Is known to those that registered it."""

    implements(IRoomService)

    tip = IntItem("waiter", "tip", 1, "How much.")


def test_a_class_that_is_registered_has_an_instance_for_each_environment() -> None:
    first, second = Environment(variables={}), Environment(variables={})
    first.register(Waiter)
    second.register(Waiter)
    assert isinstance(first[Waiter], Waiter)
    assert first[Waiter] is not second[Waiter]
    assert first[Waiter].env is first
    assert first[Waiter].log.name.startswith("concurrent.")


def test_a_class_that_is_defined_somewhere_is_unknown_with_its_options() -> None:
    environment = Environment(overrides={"waiter.tip": "3"}, variables={})
    assert Waiter not in environment
    assert environment.implementations(IRoomService) == []
    assert "waiter" not in {item.section for item in environment.config.items()}
    assert "unknown section [waiter]" in environment.warn_of_unknown()[0]
    environment.register(Waiter)
    assert environment.warn_of_unknown() == []
    assert Waiter(environment).tip == 3


def test_deregistering_is_for_one_environment() -> None:
    first, second = Environment(variables={}), Environment(variables={})
    for each in (first, second):
        each.register(Waiter)
    first.deregister(Waiter)
    assert first.implementations(IRoomService) == []
    assert len(second.implementations(IRoomService)) == 1
    first.register(Waiter)
    assert len(first.implementations(IRoomService)) == 1


def test_the_framework_s_own_components_are_known_to_each() -> None:
    environment = Environment(variables={})
    assert isinstance(GenericTaskScheduler(environment), GenericTaskScheduler)
    assert {"master", "slave", "transport"} <= {item.section for item in environment.config.items()}


class Hotel(Environment):
    """An environment with an extension point and an option of its own."""

    services = ExtensionPoint(IRoomService)
    best = ExtensionPointItem("hotel", "best", IRoomService, "Waiter", "The best service.")


def test_an_environment_has_extension_points_and_options_as_components_have_them() -> None:
    hotel = Hotel(variables={})
    hotel.register(Waiter)
    assert hotel.services == [hotel.best] == [Waiter(hotel)]


def test_a_new_environment_has_its_folders_and_a_documented_configuration(tmp_path) -> None:
    environment = Environment.create(tmp_path / "env")
    assert environment.folder == tmp_path / "env"
    assert sorted(path.name for path in environment.folder.iterdir()) == ["conf", "data", "log", "plugins"]
    assert "[logging]" in (tmp_path / "env" / "conf" / "concurrent.ini").read_text(encoding="utf-8")
    assert environment.warn_of_unknown() == []


def test_an_environment_is_neither_made_twice_nor_opened_where_there_is_none(tmp_path) -> None:
    Environment.create(tmp_path)
    with pytest.raises(EnvironmentFolderError, match="already"):
        Environment.create(tmp_path)
    with pytest.raises(EnvironmentFolderError, match="concurrent init"):
        Environment.open(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFolderError, match="cannot be made"):
        Environment.create(tmp_path / "file")


def test_plugins_of_the_folder_are_loaded_and_a_broken_one_stops_no_other(tmp_path) -> None:
    environment = Environment.create(tmp_path)
    (tmp_path / "plugins" / "json.py").write_text(PLUGIN)
    (tmp_path / "plugins" / "broken.py").write_text("x = 1\nimport no_such_module_anywhere\n")
    (tmp_path / "plugins" / "wrong.py").write_text("x = = 1\n")
    (tmp_path / "plugins" / "_hidden.py").write_text("raise SystemExit\n")
    failures = environment.load_plugins()
    assert len(failures) == 2
    assert "broken.py cannot be imported (line 2): ModuleNotFoundError" in str(failures[0])
    assert "wrong.py cannot be imported (line 1): SyntaxError" in str(failures[1])
    (plugin,) = environment.plugins
    assert (plugin.name, plugin.is_file) == ("json", True)
    (guest,) = plugin.components
    assert environment.name_of(guest) == "json.Guest"
    assert guest in environment
    assert guest not in Environment(variables={})
    with pytest.raises(ComponentError, match=r"component json\.Guest is not registered\. Load its plug-in"):
        guest(Environment(variables={}))


def test_an_option_names_a_component_of_a_plugin_file_as_enabling_rules_do(tmp_path) -> None:
    file = tmp_path / "choice.py"
    file.write_text(CHOICE)
    chosen = Environment(overrides={"choice.word": "choice.Yes"}, variables={})
    module = chosen.load_plugin(file).module
    assert isinstance(chosen[module.Chooser].word, module.Yes)
    wrong = Environment(overrides={"choice.word": "Maybe"}, variables={})
    wrong.load_plugin(file)
    with pytest.raises(ConfigurationError, match=r"Use one of: choice\.No, choice\.Yes"):
        _ = wrong[module.Chooser].word


def test_a_package_is_a_plugin_too(tmp_path) -> None:
    package = tmp_path / "visitors"
    package.mkdir()
    (package / "__init__.py").write_text("from .guest import Guest\n")
    (package / "guest.py").write_text(PLUGIN)
    environment = Environment(variables={})
    plugin = environment.load_plugin(package)
    assert plugin.module.Guest in environment
    assert environment.name_of(plugin.module.Guest) == "visitors.guest.Guest"


def test_configured_plugins_are_loaded(tmp_path) -> None:
    (tmp_path / "extra.py").write_text(PLUGIN)
    environment = Environment(overrides={"plugins.load": f"{tmp_path / 'extra.py'}, json"}, variables={})
    assert environment.load_plugins() == []
    assert [plugin.name for plugin in environment.plugins] == ["extra", "json"]


@pytest.mark.parametrize("source", ["no_such_module_anywhere", "no/such/file.py", "./"])
def test_a_plugin_that_is_not_there_is_named(source) -> None:
    with pytest.raises(PluginError, match="there is no plug-in"):
        Environment(variables={}).load_plugin(source)


def test_a_module_whose_own_import_fails_is_not_called_missing(tmp_path, monkeypatch) -> None:
    (tmp_path / "needy_plugin.py").write_text("import no_such_module_anywhere\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match="no_such_module_anywhere") as caught:
        Environment(variables={}).load_plugin("needy_plugin")
    assert "cannot be imported" in str(caught.value)


def test_log_lines_carry_node_application_and_task(tmp_path, capsys) -> None:
    log = NodeLog("slave-1", file=tmp_path / "log" / "node.log")
    log.start()
    try:
        logging.getLogger("concurrent.test").info("hello", extra={"app": 3, "task": 17})
        logging.getLogger("concurrent.test").debug("not this")
        logging.getLogger("concurrent.test").warning("beware")
    finally:
        log.stop()
    first, second = (tmp_path / "log" / "node.log").read_text(encoding="utf-8").splitlines()
    assert first.endswith("INFO    slave-1 app=3 task=17 concurrent.test: hello")
    assert second.endswith("WARNING slave-1 concurrent.test: beware")
    assert capsys.readouterr().err.splitlines() == [first, second]


def test_what_tasks_print_is_logged_whatever_the_level_unless_that_is_unwanted(capsys) -> None:
    for wanted in (True, False):
        log = NodeLog("slave-1", "error", has_task_output=wanted)
        log.start()
        try:
            logging.getLogger("concurrent.task").info("printed, wanted: %s", wanted)
            logging.getLogger("concurrent.test").info("not this")
        finally:
            log.stop()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("printed, wanted: True")


def test_a_log_file_that_can_not_be_written_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        NodeLog("slave-1", file=tmp_path / "file" / "node.log")


def test_statistics_count_and_average() -> None:
    stats = Stats(recent_count=100)
    for value in range(1, 101):
        stats.add_avg("reply_s", float(value))
    stats.add_avg("called")
    stats.add_count("sent", 2)
    stats.add_count("sent")
    stats.set_gauge("open", 4)
    snapshot = stats.snapshot()
    assert snapshot["counts"] == {"sent": 3}
    assert snapshot["gauges"] == {"open": 4}
    assert snapshot["units"] == {"open": "count", "called": "count", "reply_s": "seconds"}
    assert snapshot["averages"]["called"]["count"] == 1
    assert snapshot["averages"]["reply_s"] == {
        "count": 100, "mean": 50.5, "min": 1.0, "max": 100.0, "p50": 50.0, "p90": 90.0, "p99": 99.0
    }  # fmt: skip


def test_node_ids_are_unique_and_say_what_they_are() -> None:
    ids = {new_node_id("slave") for _ in range(100)}
    assert len(ids) == 100
    assert all(node_id.startswith("slave-") for node_id in ids)
