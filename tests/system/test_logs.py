"""Logs of a whole cluster: in JSON, and in a file for each node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.system.cluster import APPS, Cluster

pytestmark = pytest.mark.system


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_node_of_an_embedded_cluster_has_a_file_and_all_of_it_is_json(
    cluster: Cluster, tmp_path: Path
) -> None:
    options = ("logging.format=json", f"logging.file={tmp_path}/log/{{node}}.log")
    app = cluster.embedded(APPS / "hello.py", "-v", options=options)
    app.succeed()
    kinds = set()
    for file in (tmp_path / "log").iterdir():
        found = records(file.read_text())
        assert found
        assert {record["node"] for record in found} == {file.stem}
        kinds.add(file.stem.partition("-")[0])
    assert kinds == {"application", "master", "slave"}
    printed = [one for one in records(app.err) if one["logger"] == "concurrent.task"]
    assert {one["message"].partition(": ")[2] for one in printed} == {
        "said on a worker: ada",
        "said on a worker: grace",
    }
    assert {one["task"] for one in printed} == {1, 2}


def test_a_failure_has_its_whole_traceback_in_one_record(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "trouble.py", options=("trouble.kind=raise", "logging.format=json"))
    app.wait()
    (failure,) = [one for one in records(app.err) if "traceback" in one]
    assert failure["level"] == "error"
    assert failure["traceback"].count("\n") > 2
    assert "\n  File " in failure["traceback"]


def test_a_host_of_a_task_system_writes_as_its_master_does(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "sums.py", "-vv", options=("logging.format=json",))
    app.succeed()
    assert len(records(app.err)) > 10
