"""Machines that are set up by what the README says: what works, what travels, and who is refused how."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.system.cluster import APPS, Program, kill, wait_until
from tests.system.machines import Machine, Machines

pytestmark = pytest.mark.system

MARKS: Final = (
    "ada-marks-names",
    "grace-marks-results",
    "mark-of-outputs",
    "marked.py",
    "task_finished",
    "push_task",
)
MARKED: Final = """
from concurrent.apps import ApplicationNode
from concurrent.scheduling import Task


class Marked(Task):
    def __call__(self):
        print("mark-of-outputs")
        return "grace-marks-" + "results"


class App(ApplicationNode):
    def start_processing(self):
        self.push_tasks(Marked("ada-marks-names") for _ in range(20))

    def task_finished(self, task, result, error):
        print(task.name, result)
"""
PLAIN: Final = "import socket, sys; socket.create_connection((sys.argv[1], 8750)).sendall(b'mark-of-plain')"
"""What a dump has to show, so that it is known to show anything."""

ASKING: Final = """
import sys, time, urllib.error, urllib.request
status = 0
while status != 401:
    request = urllib.request.Request(
        "http://127.0.0.1:9000/status", headers={"Authorization": f"Bearer {sys.argv[1]}"}
    )
    try:
        new = urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        new = error.code
    if new != status:
        print(status := new, file=sys.stderr, flush=True)
    time.sleep(0.05)
"""
"""Asks a slave for its status, until it may not."""

NOBODY: Final = 65534
REVOKED_WITHIN_S: Final = 2.0
"""What is promised; a slow machine may take a little longer to see it."""


@pytest.fixture
def master(machines: Machines) -> Machine:
    """A machine with a master, as the README says."""
    made = machines.machine("master")
    start_master(made)
    return made


def start_master(machine: Machine, *arguments: object) -> Program:
    """Start a master, and wait until it listens."""
    program = machine.start("master", "--host", "0.0.0.0", *arguments)
    program.wait_for_line("the master listens on")
    return program


def join(master: Machine, machine: Machine, role: str, name: str = "") -> None:
    """Have a machine join, by the two commands of the README."""
    named = f" --name {name}" if name else ""
    invited = master.type(f"concurrent keys invite {role}{named}")
    line = invited.out.strip()
    assert line.endswith(f"@{master.address}:8750")
    assert "no master listens" not in invited.err
    assert f"as {role}" in machine.type(line).out


def start_slave(machine: Machine, *arguments: object) -> Program:
    """Start a slave, and wait until it has joined its master."""
    slave = machine.start("slave", "-w", 1, *arguments)
    slave.wait_for_line("joined the master")
    return slave


def write_app(machine: Machine) -> None:
    (machine.folder / "marked.py").write_text(MARKED)


def run_app(machine: Machine) -> list[str]:
    """Run the application on the cluster that was joined; return what it prints."""
    write_app(machine)
    return machine.type("concurrent app marked.py --master joined").out.splitlines()


def start_waiting(machine: Machine) -> Program:
    """Start a program with an executor whose only task runs until there is a file ``gate``."""
    (machine.folder / "waits.py").write_text(
        f"import os, time\nfrom concurrent.apps import ClusterExecutor\n"
        f"def wait():\n    open({str(machine.folder / 'began')!r}, 'a').write('x')\n"
        f"    while not os.path.exists({str(machine.folder / 'gate')!r}): time.sleep(0.05)\n    return 'done'\n"
        "with ClusterExecutor() as cluster: print(cluster.submit(wait).result())\n"
    )
    program = machine.python("waits.py")
    wait_until(lambda: (machine.folder / "began").exists(), "the task runs", lambda: program.err)
    return program


@pytest.mark.parametrize("options", ["", "--channel zmq --scheduler ZMQTaskScheduler"])
def test_three_machines_do_work_and_nobody_on_the_wire_reads_it(machines: Machines, options: str) -> None:
    master, rack, laptop = (machines.machine(name) for name in ("master", "rack", "laptop"))
    with machines.dump(master) as dump:
        start_master(master, *options.split())
        join(master, rack, "slave", "rack")
        slave = start_slave(rack)
        join(master, laptop, "submit", "laptop")
        assert run_app(laptop) == ["ada-marks-names grace-marks-results"] * 20
        status = laptop.type("concurrent status").out
        laptop.python("-c", PLAIN, master.address).succeed()
        wait_until(lambda: b"mark-of-plain" in dump.read_bytes(), "what is plain is seen")
        seen = dump.read_bytes()
    assert "protected by the keys of cluster" in status
    assert "mark-of-outputs" in slave.err
    assert not [mark for mark in MARKS if mark.encode() in seen]


def test_nodes_that_are_no_masters_are_asked_with_a_key_or_as_the_same_user(
    machines: Machines, master: Machine
) -> None:
    rack, laptop, stranger = (machines.machine(name) for name in ("rack", "laptop", "stranger"))
    join(master, rack, "slave", "rack")
    join(master, laptop, "observe", "ann")
    slave = start_slave(rack, "--host", "0.0.0.0", "-p", 9000)
    for machine in (laptop, rack):
        status = json.loads(machine.type(f"concurrent status --json -m {rack.address}:9000").out)
        assert status["type"] == "slave"
        assert status["protected_by"].startswith("the keys of cluster")
    url = laptop.type(f"concurrent open --print -m {rack.address}:9000").out
    assert url.startswith(f"https://{rack.address}:9000/login?code=")
    stranger.type(f"concurrent status -m {rack.address}:9000", code=3)
    assert "lost the master" not in slave.err


def test_a_master_that_has_moved_is_found_with_its_new_address(machines: Machines, master: Machine) -> None:
    rack = machines.machine("rack")
    join(master, rack, "slave")
    master.moves("10.214.0.99")
    slave = start_slave(rack, "-m", f"{master.address}:8750")
    assert "not allowed" not in slave.err
    assert "WARNING" not in slave.err


def test_a_master_is_moved_to_another_machine_with_its_key_folder(machines: Machines) -> None:
    master, rack, other = (machines.machine(name) for name in ("master", "rack", "other"))
    first = start_master(master)
    join(master, rack, "slave", "rack")
    first.send(signal.SIGTERM)
    first.wait()
    said = master.type("concurrent keys show").out
    (folder,) = (Path(line.split()[1]) for line in said.splitlines() if line.startswith("folder:"))
    place = other.folder / folder.relative_to(master.folder)
    place.parent.mkdir(mode=0o700, parents=True)
    shutil.copytree(folder, place)
    start_master(other)
    start_slave(rack, "-m", f"{other.address}:8750")
    join(other, rack, "submit", "ann")


def test_a_slave_behind_a_gateway_works(machines: Machines) -> None:
    master, gate, rack = (machines.machine(name) for name in ("master", "gate", "rack"))
    start_master(master, "-o", "master.compute_port=8751")
    join(master, rack, "slave")
    gate.relay(master, 8750, 8751)
    rack.loses_sight_of(master)
    start_slave(rack, "-m", f"{gate.address}:8750")
    status = master.type("concurrent status").out
    assert gate.address in status
    assert "joined" in status


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("slave", "slave"),
        ("status", "observe"),
        ("jobs", "observe"),
        ("cancel hunt", "submit"),
        ("open --print", "observe"),
    ],
)
def test_who_has_no_key_reads_what_to_type(machines: Machines, command: str, role: str) -> None:
    stranger = machines.machine("stranger")
    ended = stranger.type(f"concurrent {command} -m 10.0.0.5:8750", code=3)
    (line,) = ended.err.splitlines()
    assert f"the node at 10.0.0.5:8750 wants a key of role {role}, and this user has none" in line
    assert f"Run 'concurrent keys invite {role}' on the master's machine" in line


def test_a_member_of_another_cluster_is_refused_at_both_ends_and_it_is_said_once(
    machines: Machines, master: Machine
) -> None:
    other, rack = machines.machine("other"), machines.machine("rack")
    start_master(other)
    join(other, rack, "slave")
    slave = rack.start("slave", "-w", 1, "-m", f"{master.address}:8750")
    slave.wait_for_line("cannot register with the master")
    threading.Event().wait(4.0)  # it tries again meanwhile
    (line,) = [line for line in slave.err.splitlines() if "WARNING" in line]
    assert "is not master." in line
    assert "concurrent join" in line
    said = [line for line in master.log.splitlines() if rack.address in line]
    assert len(said) == 1
    assert "does not trust this node" in said[0]
    assert "concurrent keys invite" in said[0]


def test_a_revoked_slave_is_out_at_once_and_others_do_its_work(machines: Machines, master: Machine) -> None:
    rack, laptop, spare = (machines.machine(name) for name in ("rack", "laptop", "spare"))
    for machine, role, name in ((rack, "slave", "rack"), (spare, "slave", "spare"), (laptop, "submit", "ann")):
        join(master, machine, role, name)
    slave = start_slave(rack)
    program = start_waiting(laptop)
    second = start_slave(spare)
    began = time.monotonic()
    master.type("concurrent keys revoke rack")
    revoked_at = time.monotonic()
    slave.wait_for_line("lost the master")
    assert time.monotonic() - revoked_at < REVOKED_WITHIN_S + (revoked_at - began)
    wait_until(
        lambda: (laptop.folder / "began").read_text() == "xx", "the task runs elsewhere", lambda: second.err
    )
    (laptop.folder / "gate").touch()
    assert program.succeed() == "done\n"
    again = rack.type("concurrent slave", code=2).err
    assert "slave.crt cannot be used: it has been revoked. Join the cluster again" in again


@pytest.mark.parametrize("options", ["", "--channel zmq --scheduler ZMQTaskScheduler"])
def test_nodes_leave_a_master_with_old_keys_and_remember_it(machines: Machines, options: str) -> None:
    master, rack, laptop = (machines.machine(name) for name in ("master", "rack", "laptop"))
    running = start_master(master, *options.split())
    join(master, rack, "slave", "rack")
    slave = start_slave(rack)
    join(master, laptop, "submit", "ann")
    program = start_waiting(laptop)
    master.type("concurrent keys rotate --yes")
    for node in (slave, program):
        node.wait_for_line("lost the master .*master .* has been revoked")
        node.wait_for_line("cannot register with the master .*master .* has been revoked")
    running.wait_for_line("this master .* has been revoked.*start the master again")
    for node, role, machine in ((slave, "slave", rack), (program, "submit", laptop)):
        kill(node.pid)
        node.wait()
        again = "concurrent slave" if role == "slave" else "concurrent status"
        assert f"{role}.crt cannot be used: it has been revoked" in machine.type(again, code=2).err
    master.type("concurrent status")  # in its place, as its user


def test_the_pages_of_a_slave_know_who_is_revoked(machines: Machines, master: Machine) -> None:
    rack = machines.machine("rack")
    join(master, rack, "slave", "rack")
    start_slave(rack, "-p", 9000)
    token = master.type("concurrent keys token observe --name wall").out.strip()
    asking = rack.python("-c", ASKING, token)
    asking.wait_for_line("200")
    master.type("concurrent keys revoke wall")
    asking.wait_for_line("401")


def test_after_a_rotation_everybody_joins_again(machines: Machines) -> None:
    master, rack = machines.machine("master"), machines.machine("rack")
    first = start_master(master)
    join(master, rack, "slave", "rack")
    slave = start_slave(rack)
    master.type("concurrent keys rotate --yes")
    slave.wait_for_line("lost the master")
    first.send(signal.SIGTERM)
    first.wait()
    start_master(master)
    slave.wait_for_line("is not master.*concurrent join")
    slave.send(signal.SIGTERM)
    slave.wait()
    join(master, rack, "slave", "rack")
    start_slave(rack)


@pytest.mark.parametrize("days", [-365, 365])
def test_a_clock_that_is_a_year_off_does_no_harm(machines: Machines, master: Machine, days: int) -> None:
    rack = machines.machine("rack")
    rack.turn_clock(days)
    join(master, rack, "slave")
    start_slave(rack)


def test_another_user_of_the_machine_gets_nothing(machines: Machines, master: Machine) -> None:
    rack = machines.machine("rack")
    join(master, rack, "slave", "rack")
    start_slave(rack)
    for machine in (master, rack):
        found = [path for path in machine.folder.rglob("*") if path.is_file() or path.is_socket()]
        assert {"http", "master.key" if machine is master else "slave.key"} <= {path.name for path in found}
        assert machine.as_user(0, partial(opened_by_me, found, 0))
        got = machine.as_user(NOBODY, partial(opened_by_me, found, 8750 if machine is master else 0))
        assert not got, f"user {NOBODY} could use {got}"


def opened_by_me(paths: list[Path], port: int) -> list[str]:
    """Return what this user can read, connect to and call of some paths and a port of loopback."""
    opened = []
    for path in paths:
        with suppress(OSError):
            if path.is_socket():
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.connect(str(path))
            else:
                path.read_bytes()
            opened.append(str(path))
    if port:
        with socket.socket() as sock:
            sock.connect((b"127.0.0.1", port))  # as bytes: to encode a name would import something
            sock.sendall(b"GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = sock.recv(100).decode()
        if " 401 " not in answer:
            opened.append(answer)
    return opened


def test_a_machine_without_writable_home_names_the_option(machines: Machines) -> None:
    machine = machines.machine("poor")
    machine.variables["HOME"] = "/proc/nowhere"
    ended = machine.type("concurrent master -o journal.durability=none", code=2)
    (line,) = ended.err.splitlines()
    assert "-o keys.folder=FOLDER" in line
    machine.type(f"concurrent app {APPS / 'hello.py'} -w 1")


@pytest.mark.parametrize("run", ["not set", "/nowhere", "/dev/shm", "long"])
def test_wherever_places_are_local_nodes_find_each_other(machines: Machines, run: str) -> None:
    machine = machines.machine("machine")
    if run == "long":
        run = str(machine.folder / ("long" * 25))
        os.mkdir(run, 0o700)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if run == "/dev/shm" else None) as other:
        machine.variables["XDG_RUNTIME_DIR"] = {"not set": None, "/dev/shm": other}.get(run, run)
        program = start_master(machine, "-w", 1)
        machine.type(f"concurrent app {APPS / 'hello.py'} -m 127.0.0.1:8750")
        children = program.children()
        kill(program.pid)
        program.wait()
        psutil.wait_procs(children, 10)
        assert "cannot be reached" in machine.type("concurrent status", code=3).err
        start_master(machine)
        machine.type("concurrent status")


def test_two_masters_of_one_user_have_the_same_port_in_two_networks(machines: Machines) -> None:
    one, two = machines.machine("one"), machines.machine("two")
    two.variables |= {name: value for name, value in one.variables.items() if name != "XDG_STATE_HOME"}
    two.variables["XDG_STATE_HOME"] = str(two.folder)
    first = start_master(one)
    second = two.start("master")
    said = second.wait(), second.err
    assert said[0] == 3
    assert "XDG_RUNTIME_DIR" in said[1]
    one.type("concurrent status")
    assert first.popen.poll() is None
