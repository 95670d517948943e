"""Which distribution a module belongs to, and which version is installed, from what installers leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.core.distributions import Distributions


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, files in {
        "grid_tools-2.1.0.dist-info": {},
        "scikit_thing-1.5.dist-info": {"RECORD": "skthing/__init__.py,,\nskthing/a.py,,\n"},
        "Old.Style-0.9-py3.11.egg-info": {"top_level.txt": "olds\nolder\n"},
        "single-3.dist-info": {"RECORD": "onefile.py,,\n"},
        "grid_tools": {"__init__.py": ""},
        "broken.dist-info": {},
    }.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("module", "version"),
    [("grid_tools", "2.1.0"), ("skthing", "1.5"), ("older", "0.9"), ("onefile", "3"), ("thing", None)],
)
def test_a_module_is_found_by_its_name_or_in_what_a_distribution_lists(
    site: Path, module: str, version: str | None
) -> None:
    found = Distributions().of_module(module, str(site), [])
    assert (None if found is None else found.version) == version


def test_what_is_installed_to_be_edited_is_found_by_its_name_where_installers_note_it(site: Path) -> None:
    found = Distributions().of_module("grid_tools", str(site / "elsewhere"), [str(site)])
    assert found is not None
    assert found.version == "2.1.0"
    assert Distributions().of_module("skthing", str(site / "elsewhere"), [str(site)]) is None


def test_names_that_mean_the_same_are_alike_and_the_first_folder_counts(site: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    (first / "grid.tools-3.0.dist-info").mkdir(parents=True)
    assert Distributions().version_of("Grid-Tools", [str(site)]) == "2.1.0"
    assert Distributions().version_of("old-style", [str(site)]) == "0.9"
    assert Distributions().version_of("grid_tools", [str(first), str(site)]) == "3.0"
    assert Distributions().version_of("numpy", [str(site), str(tmp_path / "nowhere")]) == ""
    assert Distributions().version_of("broken", [str(site)]) == ""
