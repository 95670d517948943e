"""How the program of a job was started, so that it is found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.apps.programrecord import ProgramRecord, record_of


@pytest.mark.parametrize("suffix", ["", ":Hunt"])
def test_a_file_is_recorded_by_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hunt.py").touch()
    record = record_of(f"hunt.py{suffix}", ["--option", "hunt.width=5"])
    assert record.application == f"{tmp_path}/hunt.py{suffix}"
    assert record.folder == str(tmp_path)
    assert record.text == f"concurrent app {tmp_path}/hunt.py{suffix}"


@pytest.mark.parametrize("name", ["mandelbrot", "package.module:Hunt"])
def test_a_sample_or_module_is_recorded_by_its_name(name: str) -> None:
    assert record_of(name, []).application == name


def test_it_travels_as_json() -> None:
    record = record_of("mandelbrot", ["--plugin", "x.py"], is_script=True)
    assert ProgramRecord.from_json(record.to_json()) == record
