"""Modules and folders of a program whose names are in the way of nobody's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.cluster import Cluster

PROGRAM = """
{first}
from concurrent.apps import LocalCluster

if __name__ == "__main__":
    with LocalCluster(1, options={{"transport.channel": "zmq"}}) as cluster:
        print("answer", cluster.submit(abs, -3).result(timeout=20))
    import {name}

    print("value", getattr({name}, "VALUE", None))
"""

APPLICATION = """
from concurrent.apps import ApplicationNode


class Ends(ApplicationNode):
    def start_processing(self):
        print("started")
        self.shutdown_main_loop()
"""


def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    (folder / "program.py").write_text(program)
    return subprocess.run(
        [sys.executable, folder / "program.py"], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("name", ["web", "msgpack", "configobj", "cheroot", "more_itertools", "jaraco"])
def test_a_module_of_the_program_may_be_named_like_a_dependency(
    tmp_path: Path, name: str, is_first: bool
) -> None:
    (tmp_path / f"{name}.py").write_text("VALUE = 1\n")
    done = run(tmp_path, PROGRAM.format(name=name, first=f"import {name}" if is_first else ""))
    assert done.stdout == "answer 3\nvalue 1\n", done.stderr
    assert not done.stderr


@pytest.mark.parametrize("name", ["zmq", "cloudpickle"])
def test_where_a_name_cannot_be_shared_the_cluster_works_and_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("VALUE = 1\n")
    done = run(tmp_path, PROGRAM.format(name=name, first=""))
    assert done.stdout == "answer 3\nvalue None\n", done.stderr
    assert f"a module of the program is named {name}" in done.stderr


def test_the_path_of_an_application_need_not_be_utf_8(cluster: Cluster) -> None:
    folder = Path(os.fsdecode(os.path.join(os.fsencode(cluster.folder), b"caf\xe9")))
    folder.mkdir()
    (folder / "ends.py").write_text(APPLICATION)
    assert cluster.node("app", folder / "ends.py", "-w", 1).succeed() == "started\n"
