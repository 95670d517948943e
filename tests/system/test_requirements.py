"""Programs with locked requirements: slaves make environments of these, and workers are of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from concurrent.scheduling.processes.environments import environment_folder, hold
from tests.system.cluster import QUICK, Cluster, Program, wait_until
from tests.system.wheels import make_wheel, requirements

PROGRAM = """
import os
import sys
from pathlib import Path
from concurrent.apps import ClusterExecutor

def where(number):
    try:
        import grid_tools
    except ImportError:
        return sys.prefix, 0
    return sys.prefix, grid_tools.solve(number)

def end_launcher(marker):
    # Kill what has started this worker, once.
    if not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getppid(), 9)
    return os.path.exists(marker)

if __name__ == "__main__":
    options = {"application.requirements": Path(sys.argv[2])} if len(sys.argv) > 2 else {}
    with ClusterExecutor(sys.argv[1], options=options) as cluster:
        prefixes, values = zip(*cluster.map(where, range(6)))
        print(*sorted(set(prefixes)), sum(values))
        if len(sys.argv) > 3:
            assert cluster.submit(end_launcher, sys.argv[3]).result(60)
"""

FAKE_UV = """#!/bin/sh
# In place of uv: "uv venv --python PYTHON FOLDER", then "uv pip install --python PYTHON -r FILE".
if [ "$1" = venv ]; then exec "$3" -m venv --without-pip "$4"; fi
{install}
"""


def start(cluster: Cluster, script: Path, *arguments: object) -> Program:
    return cluster.run(script, cluster.address, *arguments, starter=(sys.executable,))


def slave(cluster: Cluster, name: str, cache: Path, install: str = "") -> Program:
    """Start a slave, with an installer of its own if there is one, and wait until it has joined."""
    variables: dict[str, str | None] = {}
    if install:
        folder = cluster.folder / f"bin-{name}"
        folder.mkdir()
        (folder / "uv").write_text(FAKE_UV.format(install=install))
        (folder / "uv").chmod(0o755)
        variables["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    options = (*QUICK, f"slave.environment_folder={cache}")
    assignments = [part for one in options for part in ("-o", one)]
    program = cluster.run(
        "slave", "-m", cluster.address, "-w", "2", "--name", name, *assignments, variables=variables
    )
    program.wait_for_line("joined the master")
    return program


def test_workers_are_of_the_environment_that_was_made_once(cluster: Cluster, tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "grid_tools", "2.1.0", "def solve(number): return number\n")
    file, script = tmp_path / "requirements.txt", tmp_path / "program.py"
    file.write_text(requirements(tmp_path / "wheels", "grid_tools==2.1.0"))
    script.write_text(PROGRAM)
    cluster.master()
    garage = slave(cluster, "garage", tmp_path / "cache")
    prefix, total = start(cluster, script, file).succeed().split()
    assert prefix.startswith(str(tmp_path / "cache"))
    assert total == "15"
    assert start(cluster, script).succeed() == f"{sys.prefix} 0\n"
    attic = slave(cluster, "attic", tmp_path / "cache")
    garage.send(15)
    garage.wait()
    assert start(cluster, script, file, tmp_path / "marker").succeed().split() == [prefix, "15"]
    assert attic.err.count("its children with it") == 1  # not that of other applications
    assert start(cluster, script).succeed() == f"{sys.prefix} 0\n"
    made = "from requirements that are here for the first time"
    assert (garage.err.count(made), attic.err.count(made)) == (1, 0)


MAKE = """
import sys
from concurrent.scheduling.processes.environments import make
make(open(sys.argv[1]).read(), sys.argv[2], sys.argv[3], 1 << 30)
"""


def test_uv_makes_it_of_what_uv_has_locked_also_for_a_user_without_a_home(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if uv is None:
        pytest.skip("uv is not installed")
    wheels, wanted = tmp_path / "wheels", tmp_path / "wanted.txt"
    make_wheel(wheels, "grid_tools", "2.1.0", "def solve(number): return number\n")
    wanted.write_text("grid_tools\n")
    lock = (uv, "pip", "compile", "-q", "--no-index", "--find-links", wheels, "--generate-hashes", wanted)
    text = subprocess.run(lock, check=True, capture_output=True, text=True).stdout
    of_another_wheel = re.sub(r"sha256:(\w+)", lambda found: f"sha256:{found[1][::-1]}", text)
    file = tmp_path / "requirements.txt"
    folder = environment_folder(tmp_path / "environments")
    variables = {**os.environ, "PATH": f"{Path(uv).parent}{os.pathsep}{os.environ['PATH']}"}
    variables |= {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/cache"}
    for name, lines in (("right", text), ("other", of_another_wheel)):
        file.write_text(requirements(wheels, lines))
        command = (sys.executable, "-c", MAKE, file, folder, name)
        done = subprocess.run(command, env=variables, check=False, capture_output=True, text=True)
        assert (done.returncode == 0) is (name == "right"), done.stderr
    assert "uv = " in (folder / "right" / "pyvenv.cfg").read_text()
    held = hold(folder, "right")
    assert held is not None
    os.close(held.lock)
    assert "Hash mismatch" in done.stderr
    assert hold(folder, "other") is None


def test_a_slave_that_cannot_make_it_says_why_and_another_one_runs_the_tasks(
    cluster: Cluster, tmp_path: Path
) -> None:
    file, script, gate = tmp_path / "requirements.txt", tmp_path / "program.py", tmp_path / "gate"
    file.write_text("grid_tools==2.1.0\n")
    script.write_text(PROGRAM)
    (tmp_path / "grid_tools.txt").write_text("def solve(number): return number\n")
    cluster.master()
    wait = f'while [ ! -e "{gate}" ]; do sleep 0.05; done'
    slave(cluster, "garage", tmp_path / "one", f"{wait}; echo 'No matching distribution' >&2; exit 1")
    program = start(cluster, script, file)

    def unfit() -> list[str]:
        return [line for one in cluster.status()["tasks"]["slaves"] for line in one["unfit"]]

    wait_until(lambda: any("makes environment" in line for line in unfit()), "it says for what it waits")
    (job,) = [one["name"] for one in cluster.status()["tasks"]["owners"]]
    assert "makes environment" in cluster.run("explain", job, "-m", cluster.address).succeed()
    gate.touch()
    program.wait_for_line("slave garage cannot make the environment .*No matching distribution")
    assert program.popen.poll() is None
    site = Path(sysconfig.get_path("purelib", vars={"base": ""})).relative_to("/")
    install = f'cp "{tmp_path / "grid_tools.txt"}" "$(dirname "$4")/../{site}/grid_tools.py"'
    slave(cluster, "attic", tmp_path / "two", install)
    prefix, total = program.succeed().split()
    assert prefix.startswith(str(tmp_path / "two"))
    assert total == "15"
