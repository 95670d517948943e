"""Environments in one process do not meet, and a program's own components are known where it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from concurrent.core import Environment
from tests.system.cluster import APPS, Cluster

pytestmark = pytest.mark.system

STRATEGY = '''
from concurrent.core import Component, IntItem, implements
from concurrent.scheduling.interfaces import ITaskScheduleStrategy


class Counting(Component):
    """Counts how often it is asked."""

    implements(ITaskScheduleStrategy)

    start = IntItem("{name}", "start", 0, "Where it begins.")

    def __init__(self):
        self.asked = self.start

    def rate(self, slave):
        self.asked += 1
        return 1.0
'''


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=folder)


def test_two_masters_of_one_process_have_their_own_plugins_only(tmp_path: Path) -> None:
    for name in ("left", "right"):
        Environment.create(tmp_path / name)
        (tmp_path / name / "plugins" / f"{name}.py").write_text(STRATEGY.format(name=name))
        (tmp_path / name / "conf" / "concurrent.ini").write_text("[scheduling]\nstrategy = Counting\n")
    done = run(tmp_path, APPS / "two_environments.py", "left", "right")
    assert done.stdout.splitlines() == ["left.Counting left 1", "right.Counting right 1"], done.stderr


SCRIPT = """
import sys
import threading

from concurrent.apps import LocalCluster
from {module} import Counting

done = threading.Event()


def main(way):
    options = {{"scheduling.strategy": "Counting", "here.start": "3", "logging.level": "error"}}
    if "file" in way:
        options["plugins.load"] = __file__
    if "thread" in way:
        threading.Thread(target=done.wait).start()
    try:
        with LocalCluster(1, options=options) as cluster:
            print(cluster.submit(pow, 2, 5).result(30))
    finally:
        done.set()

"""
GUARD = "if __name__ == '__main__':\n    main(sys.argv[1:])\n"


@pytest.mark.parametrize(
    "way", [(), ("file",), ("file", "thread")], ids=["forked", "given as a file", "new interpreter"]
)
@pytest.mark.parametrize("place", ["in the script", "beside it"])
def test_the_components_of_a_script_are_known_to_its_cluster(tmp_path: Path, way: tuple, place: str) -> None:
    text = SCRIPT.format(module="words") + GUARD
    words = STRATEGY.format(name="here")
    if place == "in the script":
        text = words + text.replace("from words import Counting\n", "")
    else:
        (tmp_path / "words.py").write_text(words)
    (tmp_path / "script.py").write_text(text)
    done = run(tmp_path, "script.py", *way)
    assert (done.stdout, done.stderr) == ("32\n", ""), done.stderr


def test_a_script_without_a_guard_that_is_its_own_plugin_is_told_so(tmp_path: Path) -> None:
    text = STRATEGY.format(name="here") + SCRIPT.replace("from {module} import Counting\n", "").format()
    (tmp_path / "script.py").write_text(text + "main(sys.argv[1:])\n")
    done = run(tmp_path, "script.py", "file", "thread")
    assert (
        "script.py makes an executor while it is loaded as a plug-in. Put what the program does" in done.stderr
    )


IN_A_FUNCTION = """
def main():
    from concurrent.apps import LocalCluster

    options = {"plugins.load": %s, "scheduling.strategy": "Counting", "here.start": 3, "here.stort": 4}
    with LocalCluster(1, options=options) as cluster:
        print(cluster.submit(pow, 2, 5).result(30))
"""


@pytest.mark.parametrize("source", ["'words.py'", "__name__"])
def test_the_components_of_another_module_are_known_to_a_cluster_that_is_told_of_it(
    tmp_path: Path, source: str
) -> None:
    (tmp_path / "words.py").write_text(STRATEGY.format(name="here") + IN_A_FUNCTION % source)
    (tmp_path / "script.py").write_text("def run():\n    import words\n    words.main()\nrun()\n")
    done = run(tmp_path, "script.py")
    assert done.stdout == "32\n", done.stderr
    (warning,) = done.stderr.splitlines()
    assert "unknown option stort in [here] is ignored. Did you mean start?" in warning


APPLICATION = (
    STRATEGY.format(name="here")
    + """
from concurrent.apps import ApplicationNode
from beside import Store, keep


class Shop(ApplicationNode):
    def start_processing(self):
        print(Store(self.env).size, keep(self.env), Counting(self.env).start)
        self.shutdown_main_loop()


if __name__ == "__main__":
    Shop.run()
"""
)
BESIDE = """
from concurrent.core import Component, IntItem


class Store(Component):
    size = IntItem("store", "size", 4, "How large.")


class Keeper(Component):
    pass


def keep(env):
    return Keeper(env) is env[Keeper]
"""


@pytest.mark.parametrize("way", ["program", "command", "folder", "package", "module"])
def test_the_components_of_an_application_and_of_what_lies_beside_it_are_known(
    cluster: Cluster, way: str
) -> None:
    folder = cluster.folder / "shop"
    folder.mkdir()
    (folder / "beside.py").write_text(BESIDE)
    text = APPLICATION
    if way in ("package", "module"):
        (folder / "__init__.py").write_text("")
        text = text.replace("from beside", "from .beside")
    (folder / "app.py").write_text(text)
    options = ["-w", "1", "-o", "store.size=7", "-o", "here.start=2", "-o", "scheduling.strategy=Counting"]
    if way in ("program", "module"):
        done = (
            run(folder, "app.py", *options)
            if way == "program"
            else run(folder.parent, "-m", "shop.app", *options)
        )
        assert done.stdout == "7 True 2\n", done.stderr
    else:
        name = folder / "app.py" if way == "command" else folder
        assert cluster.run("app", name, *options).succeed() == "7 True 2\n"
