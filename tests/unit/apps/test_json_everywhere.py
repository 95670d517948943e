"""What prints for people prints for programs too: ``--json``; and what changes can be watched: ``--watch``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps.completion import spoken
from concurrent.apps.main import main, make_parser

WITHOUT_JSON = {
    "/master": "it runs a node, whose log can be JSON: logging.format",
    "/slave": "it runs a node, whose log can be JSON: logging.format",
    "/app": "what is printed is the application's own",
    "/attach": "what is printed is the application's own",
    "/journal/export": "it prints lines of JSON anyway",
    "/completion": "it prints a script",
}
"""Commands without ``--json``, and why."""

WATCHED = {"/top", "/tasks", "/jobs", "/explain", "/status", "/metrics"}
"""Commands that show what changes."""


@pytest.fixture(scope="module")
def flags_by_command() -> dict[str, set[str]]:
    return {
        path: {flag for option in command.options for flag in option.flags}
        for path, command in spoken(make_parser()).walk()
        if path and not command.commands
    }


def test_each_command_prints_for_programs(flags_by_command: dict[str, set[str]]) -> None:
    without = {path for path, flags in flags_by_command.items() if "--json" not in flags}
    assert without == set(WITHOUT_JSON)


def test_what_changes_can_be_watched(flags_by_command: dict[str, set[str]]) -> None:
    assert {path for path, flags in flags_by_command.items() if "--watch" in flags} == WATCHED


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; return what it prints as one object of JSON."""

    def said(*words: str, code: int = 0) -> Any:
        assert main([*words, "--json"]) == code
        printed = capsys.readouterr()
        assert printed.err == ""
        return json.loads(printed.out)

    return said


def test_a_folder_is_made_and_checked(said: Any, tmp_path: Path) -> None:
    made = said("init", str(tmp_path / "env"))
    assert Path(made["configuration"]).is_file()
    assert said("config", "-e", made["folder"], "--check") == {
        "items": [], "total": 0, "left_out": 0, "ok": True,
    }  # fmt: skip
    wrong = said("config", "-o", "master.prot=1", "--check", code=1)
    assert not wrong["ok"]
    assert "Did you mean port?" in wrong["items"][0]


def test_options_are_a_list_with_their_values_and_where_these_are_from(said: Any) -> None:
    found = said("config", "-s", "master", "-o", "master.port=7000")
    assert found["total"] == len(found["items"]) > 5
    (port,) = [one for one in found["items"] if one["option"] == "port"]
    assert (port["section"], port["value"], bool(port["text"])) == ("master", "7000", True)
    assert port["origin"] != "default"


def test_keys_are_told_as_objects(said: Any, tmp_path: Path) -> None:
    def keys(*words: str) -> Any:
        return said("keys", *words, "-o", f"keys.folder={tmp_path}")

    made = keys("init", "--cluster", "office")
    assert keys("show", made["fingerprint"])["is_same"]
    assert keys("show")["folder"] == made["folder"]
    invited = keys("invite", "slave", "--address", "cray:8750")
    assert (invited["role"], invited["uses"], invited["master"]) == ("slave", 1, "cray:8750")
    token = keys("token", "observe", "--name", "wall")
    assert token["ends_at"] > invited["ends_at"]
    listed = keys("list")
    assert [one["kind"] for one in listed["items"]] == ["key", "token", "invitation"]
    assert token["token"] not in json.dumps(listed)
    assert keys("revoke", "wall") == {"items": ["token wall"], "total": 1, "left_out": 0}
    assert keys("rotate", "--yes")["fingerprint"] != made["fingerprint"]
