"""A plug-in that fails is named, and hangs nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.test_examples import ROOT, blocks_of
from tests.system.cluster import APPS, Cluster, Gate

GREETINGS = ["hello ada", "hello grace"]


@pytest.mark.parametrize("how", ["raise", "exit", "nan", "text"])
def test_an_embedded_cluster_bears_with_a_failing_strategy(cluster: Cluster, how: str) -> None:
    app = cluster.embedded(
        APPS / "hello.py",
        "--plugin",
        APPS / "failing.py",
        options=("scheduling.strategy=FailingStrategy", f"failing.how={how}"),
    )
    assert sorted(app.succeed().splitlines()) == GREETINGS
    assert "plug-in failing.FailingStrategy: rate r" in app.err


@pytest.mark.parametrize(
    ("manager", "successor"), [("GenericTaskManager", "Generic"), ("ZMQTaskManager", "ZMQ")]
)
@pytest.mark.parametrize("how", ["raise", "exit", "none"])
@pytest.mark.parametrize("channel", ["tcp", "zmq"])
def test_a_master_replaces_a_scheduler_that_goes_on_failing(
    cluster: Cluster, how: str, manager: str, successor: str, channel: str
) -> None:
    options = (f"failing.how={how}", f"failing.manager_class={manager}")
    cluster.master(
        "--plugin",
        APPS / "failing.py",
        "--scheduler",
        "FailingScheduler",
        "--channel",
        channel,
        options=options,
    )
    cluster.slaves(1)
    app = cluster.app(APPS / "hello.py")
    assert sorted(app.succeed().splitlines()) == GREETINGS
    assert "the master says: plug-in failing.FailingScheduler: s" in app.err
    status = cluster.run("status", "-m", cluster.address).succeed()
    assert "plug-in failing.FailingScheduler: s" in status
    troubles = cluster.status()["plugin_troubles"]
    assert {one["component"] for one in troubles} == {"failing.FailingScheduler"}
    if any("takes over" in one["action"] for one in troubles):
        assert cluster.status()["scheduler"] == f"{successor}TaskScheduler"


@pytest.fixture
def plugins(cluster: Cluster) -> Path:
    """Return the folder of plug-ins of an environment named ``here``."""
    cluster.run("init", "here").succeed()
    return cluster.folder / "here" / "plugins"


MOODY = """
from concurrent.apps import MasterNode, SlaveNode
from concurrent.core import Component, implements
from concurrent.scheduling import ITaskScheduleStrategy
from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
from concurrent.scheduling.slave.taskmanager import GenericTaskManager


class Moody(Component):
    implements(ITaskScheduleStrategy)

    def __init__(self):
        raise SystemExit(9)

    def rate(self, slave):
        return 1.0


class MoodyMaster(MasterNode):
    def register_methods(self):
        raise KeyError("a bug in the plug-in")


class LeavingMaster(MasterNode):
    def app_init(self):
        raise SystemExit(0)


class HalfMadeMaster(MasterNode):
    def __init__(self):
        pass


class BrokenSlave(SlaveNode):
    def __init__(self):
        raise SystemExit(0)


class Lost(GenericTaskScheduler):
    def manager_name(self):
        return "NoSuchManager"


class BrokenManager(GenericTaskManager):
    def __init__(self):
        raise SystemExit(0)


class Demanding(GenericTaskScheduler):
    def manager_name(self):
        return "BrokenManager"
"""


@pytest.mark.parametrize(
    ("option", "code", "words"),
    [
        (
            "scheduling.strategy=Moody",
            2,
            "component moody.Moody cannot be made: its initialiser raised SystemExit",
        ),
        ("node.master=MoodyMaster", 3, "moody.MoodyMaster.register_methods raised KeyError"),
        ("node.master=LeavingMaster", 3, "moody.LeavingMaster.app_init raised SystemExit: 0"),
    ],
)
def test_a_node_that_a_plugin_keeps_from_starting_says_so_in_one_line(
    cluster: Cluster, plugins: Path, option: str, code: int, words: str
) -> None:
    (plugins / "moody.py").write_text(MOODY)
    master = cluster.run("master", "-p", "0", "--env", "here", "-q", "-o", option)
    assert master.wait() == code
    assert words in master.err
    assert "moody.py:" in master.err
    assert "Traceback" not in master.err
    shown = cluster.run("master", "-p", "0", "--env", "here", "-q", "--debug", "-o", option)
    assert shown.wait() == code
    assert "Traceback" in shown.err


def test_a_broken_plugin_is_in_the_log_file_and_in_the_status(cluster: Cluster, plugins: Path) -> None:
    (plugins / "script.py").write_text("import sys\nsys.exit(7)\n")
    log = cluster.folder / "node.log"
    cluster.master("--env", "here", options=(f"logging.file={log}",))
    assert "script.py: import failed (line 2): it ended the program" in log.read_text()
    assert "sys.exit(7)" in log.read_text()
    (trouble,) = cluster.status()["plugin_troubles"]
    assert "script.py" in trouble["component"]
    check = cluster.run("config", "--check", "--env", "here")
    assert check.wait() == 1
    assert "script.py" in check.out


@pytest.mark.parametrize(
    "option",
    [
        "scheduling.strategy=Nope",
        "scheduling.scheduler=GenericTaskSchedulr",
        "scheduling.strategy=Moody",
        "node.master=Nope",
        "node.slave=MoodyMaster",
        "node.master=HalfMadeMaster",
        "node.slave=BrokenSlave",
        "components.Nope=off",
    ],
)
def test_check_refuses_what_a_master_would_refuse(cluster: Cluster, plugins: Path, option: str) -> None:
    (plugins / "moody.py").write_text(MOODY)
    assert cluster.run("config", "--check", "--env", "here").succeed() == "the configuration is right\n"
    check = cluster.run("config", "--check", "--env", "here", "-o", option)
    assert check.wait() == 1
    assert option.partition("=")[2].removesuffix("off") in check.out


@pytest.mark.parametrize(("scheduler", "manager"), [("Lost", "NoSuchManager"), ("Demanding", "BrokenManager")])
def test_check_refuses_a_scheduler_whose_task_manager_no_slave_can_have(
    cluster: Cluster, plugins: Path, scheduler: str, manager: str
) -> None:
    (plugins / "moody.py").write_text(MOODY)
    check = cluster.run("config", "--check", "--env", "here", "-o", f"scheduling.scheduler={scheduler}")
    assert check.wait() == 1
    assert manager in check.out


APPLICATION = '''
from concurrent.apps import ApplicationNode


class Cubes(ApplicationNode):
    """Says that it ran."""

    def start_processing(self):
        print("cubes ran")
        self.shutdown_main_loop()
'''


def test_applications_of_plugins_are_listed_and_named_when_one_is_mistyped(
    cluster: Cluster, plugins: Path
) -> None:
    (plugins / "acme.py").write_text(APPLICATION)
    (plugins / "broken.py").write_text("import no_such_module\n")
    samples = cluster.run("samples", "--env", "here")
    assert "Cubes        Says that it ran." in samples.succeed()
    assert "cubes ran" in cluster.run("app", "Cubes", "--env", "here", "-w", "1").succeed()
    typo = cluster.run("app", "Cube", "--env", "here")
    assert typo.wait() == 2
    assert "Did you mean Cubes?" in typo.err
    assert "broken.py" in typo.err.splitlines()[-1]
    for rule in ("acme.*", "acme.Cubes", "Cubes"):
        disabled = cluster.run("app", "Cubes", "--env", "here", "-o", f"components.{rule}=off")
        assert disabled.wait() == 2
        assert ("plug-ins are disabled: acme" if rule == "acme.*" else "Cubes is disabled") in disabled.err


def test_a_slave_is_called_what_its_owner_calls_it(cluster: Cluster) -> None:
    cluster.master()
    for _ in range(2):
        cluster.slave("--name", "anna").wait_for_line("slave-anna-.* joined the master")
    status = cluster.run("status", "-m", cluster.address).succeed()
    assert status.count("slave-anna-") == 2
    wrong = cluster.run("slave", "--name", "two words")
    assert wrong.wait() == 2
    assert "'two words' is not allowed. Use at most 40 ASCII letters" in wrong.err


@pytest.mark.parametrize("name", ["CarefulStrategy", "MemoryStrategy", "InTurns"])
def test_the_examples_of_the_documentation_keep_two_slaves_busy(
    cluster: Cluster, plugins: Path, gate: Gate, name: str
) -> None:
    for block in blocks_of((ROOT / "docs" / "plugins.md").read_text()):
        if block.file is not None and block.file.startswith("node/plugins/"):
            (plugins / Path(block.file).name).write_text(block.text)
    kind = "scheduler" if name == "InTurns" else "strategy"
    cluster.master("--env", "here", options=(f"scheduling.{kind}={name}",))
    cluster.slaves(2)
    app = cluster.app(APPS / "held.py", options=(gate.option, "held.count=8"))
    assert len(set(gate.wait_for(4))) == 4
    gate.open()
    app.succeed()
    slaves = cluster.status()["tasks"]["slaves"]
    assert [one["done"] > 0 for one in slaves] == [True, True]
    assert cluster.status()["plugin_troubles"] == []


MANAGERS = """
from concurrent.apps import MasterNode, SlaveNode
from concurrent.scheduling import GenericTaskManager, GenericTaskScheduler


class OddScheduler(GenericTaskScheduler):
    def manager_name(self):
        return "OddManager"


class OddManager(GenericTaskManager):
    def open(self, loop, launcher, workers):
        raise SystemExit(4)


class OddSlave(SlaveNode):
    def describe(self):
        return {**super().describe(), "oddness": 7}


class SilentSlave(SlaveNode):
    def describe(self):
        raise SystemExit(5)


class WrongSlave(SlaveNode):
    def describe(self):
        return ["workers"]


class OddMaster(MasterNode):
    def app_init(self):
        self.log.warning("an odd master is ready")
"""


def test_a_slave_names_what_keeps_it_from_working(cluster: Cluster, plugins: Path) -> None:
    (plugins / "odd.py").write_text(MANAGERS)
    cluster.master("--env", "here", "--scheduler", "OddScheduler")
    slave = cluster.slave("--env", "here")
    slave.wait_for_line(r"odd\.OddManager\.open raised SystemExit: 4 \(.*odd\.py:\d+\).*; trying again")
    silent = cluster.slave("--env", "here", options=("node.slave=SilentSlave",))
    silent.wait_for_line(r"odd\.SilentSlave\.describe raised SystemExit: 5 \(.*odd\.py:\d+\)")
    wrong = cluster.slave("--env", "here", options=("node.slave=WrongSlave",))
    wrong.wait_for_line(r"odd\.WrongSlave\.describe: the data must be a dict, but is list")


def test_nodes_that_others_start_are_of_the_configured_classes(cluster: Cluster, plugins: Path) -> None:
    (plugins / "odd.py").write_text(MANAGERS)
    app = cluster.embedded(APPS / "hello.py", "--env", "here", options=("node.master=OddMaster",))
    app.succeed()
    assert "an odd master is ready" in app.err
    cluster.master("--env", "here", "-w", "1", options=("node.slave=OddSlave",)).wait_for_line(
        "slave-.* joined"
    )
    (slave,) = [node for node in cluster.status()["nodes"] if node["type"] == "slave"]
    assert slave["data"]["oddness"] == 7


@pytest.mark.parametrize(
    "option", ["node.master=Nobody", "scheduling.scheduler=Nobody", "scheduling.strategy=Nobody"]
)
def test_an_embedded_cluster_says_in_one_line_why_it_can_not_start(cluster: Cluster, option: str) -> None:
    app = cluster.embedded(APPS / "hello.py", options=(option,))
    assert app.wait() == 3
    last = app.err.splitlines()[-1]
    assert "could not start" in last
    assert "'Nobody'" in last
