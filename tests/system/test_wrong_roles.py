"""Who has a key of another role than a command needs: what he reads, and what the master says of him."""

from __future__ import annotations

import json
from typing import Final

import pytest

from tests.system.cluster import APPS
from tests.system.machines import Machine, Machines
from tests.system.test_machines import join, start_master

pytestmark = pytest.mark.system

ROLES: Final = ("observe", "slave")
COMMANDS: Final = ("attach hunt", f"app {APPS / 'hello.py'} --master joined", "explain hunt", "cancel hunt")
CALLS: Final = {
    "explain_job": ["hunt"],
    "cancel_job": ["hunt"],
    "register_application": ["application-1", 0, {}],
    "login_code": [],
}
"""What those commands call, and that of ``open``, which an observer may."""

ASKING: Final = """
import json, sys
from contextlib import closing
from concurrent.apps.access import Access, KeySettings
from concurrent.core.environment import Environment
from concurrent.core.errors import NotAllowed
from concurrent.core.items import Host
from concurrent.transport.security.roles import Role

role, address, calls = sys.argv[1:]
way = Access(Environment()[KeySettings], is_open=False).way(Host.parse(address), (Role(role),))
with closing(way.client()) as client:
    for name, arguments in json.loads(calls).items():
        try:
            client.call(name, *arguments).result(30)
            print(f"{name}: allowed")
        except NotAllowed as error:
            print(f"{name}: {error}")
"""
"""Calls methods with the key of a role, as no command does which needs another one."""


@pytest.fixture
def master(machines: Machines) -> Machine:
    made = machines.machine("master")
    start_master(made)
    return made


@pytest.fixture(params=ROLES)
def member(request: pytest.FixtureRequest, machines: Machines, master: Machine) -> tuple[Machine, str]:
    """A machine that has joined with one role, and that role."""
    made = machines.machine("member")
    join(master, made, request.param, "ann")
    return made, request.param


def test_a_command_that_needs_another_key_says_which_and_how_to_get_it(member: tuple[Machine, str]) -> None:
    machine, role = member
    for command in COMMANDS:
        (line,) = machine.type(f"concurrent {command}", code=3).err.splitlines()
        assert f"wants a key of role submit, and this user has none but {role} (cluster " in line
        assert "Run 'concurrent keys invite submit' on the master's machine" in line
    for command in ("status", "jobs"):
        listed = machine.type(f"concurrent {command}", code=0 if role == "observe" else 3)
        if role == "slave":
            assert "and this user has none but slave" in listed.err


def test_who_calls_with_such_a_key_is_refused_and_both_sides_say_who_and_why(
    master: Machine, member: tuple[Machine, str]
) -> None:
    machine, role = member
    for _ in range(2):  # what is done again is said once
        asked = machine.python("-c", ASKING, role, f"{master.address}:8750", json.dumps(CALLS))
        asked.succeed()
    said = dict(line.split(": ", 1) for line in asked.out.splitlines())
    assert list(said) == list(CALLS)
    refused = [name for name in CALLS if name != "login_code" or role == "slave"]
    for name in refused:
        assert f"{role} ann may not call {name}, which is for " in said[name]
        assert "submit" in said[name]
        assert "on the master's machine, and what that prints (concurrent join LINE) here" in said[name]
    assert [name for name in CALLS if said[name] == "allowed"] == [one for one in CALLS if one not in refused]
    audited = [line.split() for line in master.type("concurrent keys audit").out.splitlines()]
    written = [line for line in audited if "refused:" in line]
    assert [(" ".join(line[1:3]), line[3]) for line in written] == 2 * len(refused) * [
        (f"{role} ann", machine.address)
    ]
    for name in refused:
        assert any(name in " ".join(line) for line in written), written
    said_there = [line for line in master.log.splitlines() if f"{role} ann may not call" in line]
    assert len(said_there) == len(refused)
    assert all("WARNING" in line and "concurrent keys invite" in line for line in said_there)
