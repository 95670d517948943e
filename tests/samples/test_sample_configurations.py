"""The configuration files that come with the samples, and what ``concurrent samples`` says of each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from concurrent.core import Environment

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FILES = sorted(SAMPLES.glob("*/*.ini"))
APPS = sorted(SAMPLES.glob("*/app.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_configuration_file_sets_options_of_its_sample_to_what_is_allowed(file: Path) -> None:
    env = Environment(config_files=[file])
    env.load_plugin(f"concurrent.apps.samples.{file.parent.name}.app")
    assert env.config.check() == []
    assert any(item.section == file.parent.name for item in env.config.items())


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.parent.name)
def test_the_first_line_of_an_application_fits_into_the_list_of_samples(app: Path) -> None:
    line = (ast.get_docstring(ast.parse(app.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    assert line.endswith(".")
    assert 20 < len(line) <= 110
