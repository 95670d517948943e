"""What the containers of ``conf/compose.yaml`` run, on machines with their variables, folders and ports."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.system.cluster import Program, wait_until
from tests.system.machines import Machine, Machines

yaml = pytest.importorskip("yaml")

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        not (shutil.which("unshare") and shutil.which("hostname")), reason="no machine can be named"
    ),
]

COMPOSE = Path(__file__).resolve().parents[2] / "conf" / "compose.yaml"
PORTS = (8750, 8751, 8752)
NAMED = 'hostname $0; exec sh -c "$1"'
PROGRAM = """
from concurrent.apps import ClusterExecutor
with ClusterExecutor() as cluster:
    print(sorted(cluster.map(abs, range(-3, 0))))
"""

Service = dict[str, Any]


def services(**variables: str) -> dict[str, Service]:
    """Return the services, with the variables of compose put in."""

    def value(found: re.Match[str]) -> str:
        return variables.get(found[1], found[2])

    text = re.sub(r"\$\{(\w+):-([^}]*)\}", value, COMPOSE.read_text(encoding="utf-8"))
    found: dict[str, Service] = yaml.safe_load(text)["services"]
    return found


def up(service: Service, machine: Machine, name: str, places: dict[str, str]) -> Program:
    """Start the command of a service on a machine of that name.

    :param places: what stands for folders and names of containers there.
    """
    shell, flag, script = service["command"]
    for container, here in places.items():
        script = script.replace(container, here)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    machine.variables.update(service["environment"], PATH=path)
    return machine.start(name, script.replace("$$", "$"), starter=("unshare", "--uts", shell, flag, NAMED))


def is_healthy(service: Service, machine: Machine) -> bool:
    kind, *command = service["healthcheck"]["test"]
    assert kind == "CMD"
    return machine.start(*command, starter=()).wait() == 0


def test_slaves_join_by_themselves_and_a_program_outside_uses_them(machines: Machines, tmp_path: Path) -> None:
    master, *slaves, host = (machines.machine(name) for name in ("m", "s", "t", "h"))
    (tmp_path / "invitation").mkdir()
    places = {"/invitation": str(tmp_path / "invitation"), "master:8750": f"{master.address}:8750"}
    found = services(WORKERS="1")
    up(found["master"], master, "master", places)
    wait_until(lambda: is_healthy(found["master"], master), "the master is healthy", lambda: master.log)
    started = [up(found["slave"], slave, f"slave{i}", places) for i, slave in enumerate(slaves)]
    for slave in started:
        slave.wait_for_line("joined the master")

    host.relay(master, *PORTS)
    line = master.type("concurrent keys invite submit --address localhost:8750").out
    host.type(line.strip())
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    assert host.python(program).succeed() == "[1, 2, 3]\n"

    started[0].popen.terminate()
    assert started[0].wait() == 0
    again = up(found["slave"], slaves[0], "slave0", places)
    again.wait_for_line("joined the master")
