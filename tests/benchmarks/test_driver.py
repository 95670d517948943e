"""The driver of the benchmarks, on the shortest case: what it prints, writes and leaves behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks.measure import Row
from benchmarks.options import Options
from benchmarks.runner import CaseFailed, run_apart

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 100


def drive(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the driver as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_a_quick_case_prints_a_table_and_writes_everything_as_json(tmp_path: Path) -> None:
    done = drive("startup", "--quick", "--json", str(tmp_path / "all.json"))
    assert done.returncode == 0, done.stderr
    assert "start of a program to its first result" in done.stdout
    assert "targets met" in done.stdout
    found = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert set(found) == {
        "format", "started_at", "elapsed_s", "options", "machine", "versions", "rows", "targets", "failures",
    }  # fmt: skip
    assert found["failures"] == []
    assert found["options"]["is_quick"] is True
    assert {"python", "concurrent-framework", "pyzmq"} <= set(found["versions"])
    assert {"system", "processor", "cores", "memory_mb"} <= set(found["machine"])
    assert all(set(row) == {field.name for field in fields(Row)} for row in found["rows"])
    ours = {row["figure"]: row for row in found["rows"] if row["is_ours"]}
    assert {name.partition(".")[0] for name in ours} == {"startup"}
    assert {"startup.first_result", "startup.joined", "startup.version"} <= set(ours)
    assert all(row["ratio"] > 0 and row["reference"] in ("multiprocessing", "python") for row in ours.values())
    aims = found["targets"]["met"] + found["targets"]["missed"]
    assert sorted(aims) == ["startup.first_result", "startup.import", "startup.version"]
    assert all(ours[aim]["is_met"] is (aim in found["targets"]["met"]) for aim in aims)


@pytest.mark.parametrize("arguments", [["nothing"], ["--vs", "nobody"], ["--repeat", "0"]])
def test_what_there_is_not_is_a_usage_error(arguments: list[str]) -> None:
    done = drive(*arguments)
    assert done.returncode == 2
    assert "error: " in done.stderr


def test_a_case_that_fails_is_an_error_that_says_so() -> None:
    with pytest.raises(CaseFailed, match="exit code 1") as failed:
        run_apart("startup", Options(is_quick=True, repeat=1, channel="pigeon"))
    assert failed.value.rows == []


def test_a_peer_that_can_not_be_measured_is_no_failure_of_ours() -> None:
    done = drive("startup", "--quick", "--vs", "loky,ray,dask,ipyparallel")
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d of 3 targets met", done.stdout)


def test_amdahl_s_law_is_asked_about_both_samples_in_all_variants() -> None:
    rows = run_apart("amdahl", Options(is_quick=True, repeat=1))
    assert [row.figure for row in rows if row.is_ours] == [
        "amdahl.mandelbrot_system",
        "amdahl.mandelbrot_tasks",
        "amdahl.benchmark_wait_system",
        "amdahl.benchmark_wait_tasks",
        "amdahl.benchmark_work_system",
        "amdahl.benchmark_work_tasks",
    ]
    assert all(row.is_met is not None and row.median <= 2 for row in rows if row.is_ours)


def test_the_simulation_measures_waste_and_the_price_of_decisions() -> None:
    rows = run_apart("simulation", Options(is_quick=True, repeat=1))
    assert {row.figure: row.target for row in rows} == {
        "simulation.waste": 2.0, "simulation.decision": None, "simulation.growth": 1.5,
    }  # fmt: skip
