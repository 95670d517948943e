"""Programs of several files, laid out as people do, on an own cluster and on one that was there before."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from concurrent.apps import samples
from tests.system.cluster import APPS, Cluster

HELPER = "def triple(x):\n    return 3 * x\n"

APPLICATION = """
from concurrent.apps import ApplicationNode
from concurrent.scheduling import Task

{import_}


class Triple(Task):
    def __call__(self):
        {inside}
        return triple(14)


class App(ApplicationNode):
    def start_processing(self):
        self.push_task(Triple())

    def task_finished(self, task, result, error):
        print("result", result if error is None else repr(error))
"""

BESIDE = APPLICATION.format(import_="from helper import triple", inside="pass")
LAZY = APPLICATION.format(import_="", inside="from helper import triple")
RELATIVE = APPLICATION.format(import_="from .helper import triple", inside="pass")
LAZY_RELATIVE = APPLICATION.format(import_="", inside="from .helper import triple")
BY_TEXT = APPLICATION.format(
    import_="from importlib import import_module",
    inside='triple = import_module("plugs." + "hel" + "per".lower()).triple',
)

LAYOUTS = {
    "a file with a helper beside it": ({"main.py": BESIDE, "helper.py": HELPER}, "main.py"),
    "one that is imported in the task": ({"main.py": LAZY, "helper.py": HELPER}, "main.py"),
    "a name with spaces and dashes": ({"my app-1.py": BESIDE, "helper.py": HELPER}, "my app-1.py"),
    "a helper named like a dependency": (
        {"main.py": BESIDE.replace("helper", "web"), "web.py": HELPER},
        "main.py",
    ),
    "a package that imports its class": (
        {"shop/__init__.py": "from .app import App\n", "shop/app.py": RELATIVE, "shop/helper.py": HELPER},
        "shop",
    ),
    "that class by its name": (
        {"shop/__init__.py": "from .app import App\n", "shop/app.py": RELATIVE, "shop/helper.py": HELPER},
        "shop:App",
    ),
    "a package with a module app": (
        {"shop/__init__.py": "", "shop/app.py": RELATIVE, "shop/helper.py": HELPER},
        "shop",
    ),
    "a module of a package": (
        {"shop/__init__.py": "", "shop/sub/__init__.py": "", "shop/sub/go.py": RELATIVE.replace(".h", "..h"),
         "shop/helper.py": HELPER},
        "shop/sub/go.py",
    ),
    "a relative import in the task": (
        {"shop/__init__.py": "", "shop/app.py": LAZY_RELATIVE, "shop/helper.py": HELPER},
        "shop",
    ),
    "packages without a file of their own": (
        {"main.py": BESIDE.replace("helper", "ns.part.helper"), "ns/part/helper.py": HELPER},
        "main.py",
    ),
    "an import by a text": (
        {"main.py": BY_TEXT, "plugs/__init__.py": "", "plugs/helper.py": HELPER},
        "main.py",
    ),
    "a folder that is no package": ({"plain/app.py": BESIDE, "plain/helper.py": HELPER}, "plain"),
}  # fmt: skip


@pytest.mark.parametrize("is_own", [True, False], ids=["own", "there before"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_application_runs_as_it_is_laid_out(
    cluster: Cluster, tmp_path: Path, layout: str, is_own: bool
) -> None:
    files, name = LAYOUTS[layout]
    for file, text in files.items():
        (tmp_path / "code" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / file).write_text(text)
    if not is_own:
        cluster.master("-w", 1)
    where = ("-w", 1) if is_own else ("-m", cluster.address)
    assert cluster.node("app", f"{tmp_path / 'code'}/{name}", *where).succeed() == "result 42\n"


def test_what_a_link_leads_to_finds_its_helpers(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "main.py").write_text(BESIDE)
    (tmp_path / "real" / "helper.py").write_text(HELPER)
    (tmp_path / "link.py").symlink_to("real/main.py")
    assert cluster.node("app", tmp_path / "link.py", "-w", 1).succeed() == "result 42\n"


def test_a_folder_without_an_application_says_what_was_looked_for(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    program = cluster.node("app", tmp_path / "empty")
    assert program.wait() == 2
    assert "has no app.py or main.py, and no __init__.py" in program.err


def test_a_copied_sample_runs(cluster: Cluster, tmp_path: Path) -> None:
    found = [Path(path, "md5reverse") for path in samples.__path__]
    shutil.copytree(next(path for path in found if path.is_dir()), tmp_path / "mine")
    program = cluster.node(
        "app", tmp_path / "mine", "-w", 1, "-o", "md5reverse.last=5000", "-o", "md5reverse.secret=77"
    )
    assert "it is the digest of 77" in program.succeed()


@pytest.mark.parametrize("is_own", [True, False], ids=["own", "there before"])
def test_the_own_modules_of_a_script_travel(cluster: Cluster, tmp_path: Path, is_own: bool) -> None:
    """Packages, lazy imports, what is changed in them, and modules that are reloaded."""
    shutil.copytree(APPS / "several_files", tmp_path / "several")
    address = []
    if not is_own:
        cluster.master("-w", 1)
        address = [cluster.address]
    command = [sys.executable, tmp_path / "several" / "main.py", *address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "0 wrong\n", done.stdout + done.stderr
