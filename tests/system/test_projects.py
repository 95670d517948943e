"""A program of several files with data, as the documentation says: one core, this machine, other machines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from concurrent.scheduling.projects.packing import remove_folder
from tests.system.cluster import Cluster, kill
from tests.system.machines import Machines
from tests.system.test_machines import join, start_master, start_slave

pytestmark = pytest.mark.system

READER = """
import csv
from importlib import resources


def price(fruit):
    with open("tables/prices.csv", newline="") as file:
        return int(dict(csv.reader(file))[fruit])


def currency():
    return resources.files("shop.money").joinpath("currency.txt").read_text()
"""
MAIN = """
{imports}
from shop.money.reader import currency, price


def shown(fruit):
    return f"{{fruit}}: {{price(fruit)}} {{currency()}}"


if __name__ == "__main__":
    with {executor} as pool:
        print(*pool.map(shown, ["apple", "pear"]), sep="\\n")
"""
EXECUTORS = {
    "one core": ("from concurrent.futures import ThreadPoolExecutor", "ThreadPoolExecutor(1)"),
    "local": ("from concurrent.apps import LocalCluster, Project", "LocalCluster(1, project=PROJECT)"),
    "cluster": ("from concurrent.apps import ClusterExecutor, Project", "ClusterExecutor(project=PROJECT)"),
    "named": ("from concurrent.apps import ClusterExecutor", "ClusterExecutor()"),
}
PROJECT = 'Project(".", include=["tables/*.csv", "currency.txt"])'
RIGHT = "apple: 3 ducats\npear: 2 ducats\n"


def write_program(folder: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/money/__init__.py": "",
        "shop/money/reader.py": READER,
        "shop/money/currency.txt": "ducats",
        "tables/prices.csv": "apple,3\npear,2\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def write_main(folder: Path, way: str) -> None:
    """Change one line of the program, and what it imports for that."""
    imports, executor = EXECUTORS[way]
    text = MAIN.format(imports=imports, executor=executor.replace("PROJECT", PROJECT))
    (folder / "main.py").write_text(text)


def test_one_changed_line_brings_a_program_from_one_core_to_other_machines(machines: Machines) -> None:
    master, rack, laptop = (machines.machine(name) for name in ("master", "rack", "laptop"))
    start_master(master)
    join(master, rack, "slave", "rack")
    slave = start_slave(rack, "-v")
    join(master, laptop, "submit", "laptop")
    program = laptop.folder / "program"
    write_program(program)
    for way in ("one core", "local", "cluster", "cluster"):
        write_main(program, way)
        typed = laptop.start("main.py", starter=("env", "-C", str(program), sys.executable))
        assert typed.succeed() == RIGHT
    assert slave.err.count("is not here yet") == 1
    write_main(program, "named")
    command = "concurrent app program --master joined --include tables/*.csv --include currency.txt"
    assert laptop.type(command).out == RIGHT
    listed = laptop.type(f"{command} --files").out
    assert "tables/prices.csv" in listed
    assert "6 files go along" in listed
    there = list((rack.folder / ".cache/concurrent/projects").glob("*/tables"))
    assert [sorted(path.name for path in each.iterdir()) for each in there] == [["prices.csv"]] * 2


NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
OWNERS = """
import os
from concurrent.apps import ClusterExecutor, Project

def look():
    try:
        open("out", "w")
    except OSError as error:
        return os.getuid(), open("number.txt").read(), type(error).__name__, os.getcwd()

with ClusterExecutor(project=Project(".", include=["number.txt"])) as cluster:
    print(*cluster.submit(look).result())
"""


@pytest.fixture
def python_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An interpreter with what is installed here, which every user can start."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = next(
        (path for path in (Path("/usr/bin", version), Path("/usr/local/bin", version)) if path.exists()), None
    )
    if base is None or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root, setpriv and an interpreter that other users can start")
    subprocess.run([base, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    site = folder / "venv" / "lib" / version / "site-packages"
    site.rmdir()
    site.symlink_to(sysconfig.get_path("purelib"))
    python = folder / "venv/bin/python"
    done = subprocess.run([*AS_NOBODY, python, "-c", "import concurrent.apps"], check=False, cwd="/")
    if done.returncode:
        pytest.skip("other users cannot read what is installed here")
    yield python
    shutil.rmtree(folder)


def test_a_slave_of_another_user_keeps_projects_where_nobody_else_can_write(
    machines: Machines, python_for_all: Path
) -> None:
    laptop, rack = machines.machine("laptop"), machines.machine("rack")
    start_master(laptop)
    join(laptop, rack, "slave", "rack")
    program = laptop.folder / "program"
    program.mkdir()
    (program / "main.py").write_text(OWNERS)
    (program / "number.txt").write_text("42")
    for path in (program / "main.py", program / "number.txt", program):
        path.chmod(0o500)
    for path in (rack.folder, *rack.folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    planted = rack.folder / "tmp" / f"concurrent-{NOBODY}"
    (rack.folder / "precious").mkdir(mode=0o700)
    os.chown(rack.folder / "precious", NOBODY, NOBODY)
    planted.symlink_to(rack.folder / "precious")
    os.chown(planted, 1, 1, follow_symlinks=False)  # as one that another user has made
    rack.variables.update(XDG_CACHE_HOME="/dev/null/cache", HOME=str(rack.folder))
    rack.start("slave", "-w", 1, starter=(*AS_NOBODY, str(python_for_all), "-m", "concurrent.apps.main"))
    started = laptop.start("main.py", starter=("env", "-C", str(program), sys.executable))
    started.wait_for_line("cannot have its project: .*is not of this user alone")
    planted.unlink()
    user, number, why, place = started.succeed().split()
    assert (user, number, why) == (str(NOBODY), "42", "PermissionError")
    assert place.startswith(f"{planted}/projects/")
    assert not list((rack.folder / "precious").iterdir())


WAITS = """
import sys
from concurrent.apps import ClusterExecutor, Project

def content():
    with open("number.txt") as file:
        return file.read()

with ClusterExecutor(sys.argv[1], project=Project(".", include=["number.txt"])) as cluster:
    print(cluster.submit(content).result())
"""


def test_a_slave_that_cannot_have_a_project_says_why_and_another_one_runs_the_tasks(
    cluster: Cluster, cache: Path
) -> None:
    program = cluster.folder / "program"
    program.mkdir()
    (program / "main.py").write_text(WAITS)
    (program / "number.txt").write_text("42")
    cluster.master()
    garage = cluster.slave("--name", "garage", options=("slave.project_folder=/dev/null/projects",))
    garage.wait_for_line("joined the master")
    started = cluster.run("main.py", cluster.address, starter=(sys.executable,), folder=program)
    words = "cannot have its project: there is no folder for projects"
    started.wait_for_line(f"slave garage {words}")
    (job,) = [one["name"] for one in cluster.status()["tasks"]["owners"]]
    why = cluster.run("explain", job, "-m", cluster.address)
    assert words in why.succeed()
    cluster.slave()
    assert started.succeed() == "42\n"
    assert started.err.count(words) == 1  # however often it is tried


OF_A_JOB = """
import sys
from concurrent.apps import ClusterExecutor, Project
from shop.data import content

with ClusterExecutor(sys.argv[1], job="numbers", project=Project(".", include=["number.txt"])) as cluster:
    futures = [cluster.submit(content, key=str(number)) for number in range(int(sys.argv[2]))]
    if len(futures) == 2:
        sys.exit(7)
    print([future.result() for future in futures])
"""
DATA = """
VERSION = {version!r}

def content():
    with open("number.txt") as file:
        return VERSION, file.read()
"""


@pytest.fixture
def cache(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The place of the cache of a test's slaves."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cluster.folder / "cache"))
    yield cluster.folder / "cache/concurrent/projects"
    remove_folder(str(cluster.folder / "cache"))


def test_tasks_of_a_job_run_with_the_project_of_the_program_that_pushed_them(
    cluster: Cluster, cache: Path
) -> None:
    program = cluster.folder / "program"
    (program / "shop").mkdir(parents=True)
    (program / "main.py").write_text(OF_A_JOB)
    journal = (f"journal.folder={cluster.folder}/journal",)
    master = cluster.master("-w", 0, options=journal)
    for version, count in (("one", 2), ("three", 4)):  # of two lengths: Python tells files of a second by that
        (program / "shop/data.py").write_text(DATA.format(version=version))
        (program / "number.txt").write_text(version)
        started = cluster.run("main.py", cluster.address, count, starter=(sys.executable,), folder=program)
        if count == 2:
            assert started.wait() == 7, started.err
            kill(master.pid)
            master.popen.wait()
            cluster.master("-w", 0, options=journal)
    cluster.slave(workers=1)
    assert started.succeed() == "[('one', 'one'), ('one', 'one'), ('three', 'three'), ('three', 'three')]\n"
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 2


SYSTEM = """
from pathlib import Path
from concurrent.apps import ApplicationNode
from concurrent.scheduling import ISystemMaster, ITaskSystem, Task


class Read(Task):
    def __call__(self):
        return Path("number.txt").read_text()


class Readers(ITaskSystem):
    def generate_tasks(self, master: ISystemMaster):
        self.here, self.found = Path("number.txt").read_text(), []
        return [Read("read")]

    def task_finished(self, master: ISystemMaster, task, result, error):
        self.found.append(result)

    def is_complete(self, master: ISystemMaster):
        return len(self.found) == 1

    def gather_result(self, master: ISystemMaster):
        return self.here, self.found


class App(ApplicationNode):
    def get_task_system(self):
        return Readers()

    def work_finished(self, result, task_system):
        print(result)
        self.shutdown_main_loop(0)
"""


def test_a_task_system_has_the_project_too(cluster: Cluster, cache: Path) -> None:
    program = cluster.folder / "program"
    program.mkdir()
    (program / "app.py").write_text(SYSTEM)
    (program / "number.txt").write_text("42")
    done = cluster.embedded(program, "--include", "number.txt")
    assert done.succeed() == "('42', ['42'])\n", done.err
    assert [path.name for path in cache.iterdir() if path.is_dir()]
