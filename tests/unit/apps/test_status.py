"""What nodes say of themselves is what it always was, and is read whatever version says it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps.commands.output import Screen
from concurrent.apps.commands.status import describe_master
from concurrent.apps.status import ApplicationStatus, MasterStatus, NodeStatus, SlaveStatus, status_from_json

HERE = Path(__file__).parent
RECORDED: dict[str, Any] = json.loads((HERE / "status-answers.json").read_text())
TEXT = (HERE / "status-command.txt").read_text()
TYPES = {"master": MasterStatus, "slave": SlaveStatus, "application": ApplicationStatus}


@pytest.mark.parametrize("kind", list(TYPES))
def test_the_keys_and_values_are_those_of_recorded_answers(kind: str) -> None:
    status = status_from_json(RECORDED[kind])
    assert type(status) is TYPES[kind]
    assert status.more == {}
    answer = json.loads(json.dumps(status.to_json()))
    assert answer == RECORDED[kind]
    assert list(answer) == list(RECORDED[kind])


def test_a_slave_without_a_master_says_nothing_of_workers() -> None:
    answer = {**RECORDED["slave"], "manager": None, "workers": {}}
    status = SlaveStatus.from_json(answer)
    assert status.workers is None
    assert status.to_json() == answer


def test_programs_read_attributes() -> None:
    master = MasterStatus.from_json(RECORDED["master"])
    assert master.tasks.slaves[0].workers == master.tasks.workers == 2
    assert {node.program for node in master.nodes if node.number == 3} == {"App of ann"}
    slave = SlaveStatus.from_json(RECORDED["slave"])
    assert slave.workers is not None
    assert sorted(slave.workers.running.values(), key=str) == [2, 4]
    assert ApplicationStatus.from_json(RECORDED["application"]).progress_of == {"app": (2, 5)}


def test_what_a_node_of_a_plugin_adds_is_kept_and_what_another_version_lacks_is_blank() -> None:
    status = status_from_json({"type": "master", "mine": 7})
    assert isinstance(status, MasterStatus)
    assert status.more == {"mine": 7}
    assert (status.tasks.open, status.nodes, status.memory_bytes_max) == (0, (), None)
    assert type(status_from_json({"type": "broker"})) is NodeStatus


def test_the_command_prints_one_line_for_each_node() -> None:
    assert describe_master(MasterStatus.from_json(RECORDED["master"]), Screen(io.StringIO())) + "\n" == TEXT


def test_what_peers_say_commands_no_terminal() -> None:
    answer = json.loads(json.dumps(RECORDED["master"]))
    answer["tasks"]["running"][0]["note"] = "\x1b]0;all is well\x07\x1b[2J"
    answer["version"] = "1\x9b2J"
    text = describe_master(MasterStatus.from_json(answer), Screen(io.StringIO()))
    assert "?]0;all is well??[2J" in text
    assert [char for char in text.replace("\n", "") if not char.isprintable()] == []


def test_the_command_says_how_many_nodes_it_leaves_out() -> None:
    answer = {**RECORDED["master"], "node_count": len(RECORDED["master"]["nodes"]) + 1000}
    assert (
        "1000 more nodes are not shown"
        in describe_master(MasterStatus.from_json(answer), Screen(io.StringIO())).splitlines()
    )
    assert "not shown" not in TEXT
