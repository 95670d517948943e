"""The file of requirements that a program names."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.commands.projectparts import note_project
from concurrent.apps.main import make_parser
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError
from concurrent.scheduling.wire.requirementsblob import TEXT_BYTES_MAX


def settings(file: Path | None) -> ApplicationSettings:
    overrides = {} if file is None else {"application.requirements": str(file)}
    return Environment(overrides=overrides, variables={})[ApplicationSettings]


def test_its_text_goes_along_and_without_one_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("grid_tools==2.1.0\n")
    assert settings(file).taken_along() == {"project": None, "requirements": "grid_tools==2.1.0\n"}
    assert settings(None).requirements_text() == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"\xff", "cannot be read"), (b" \n", "must have some"),
     (b"x" * (TEXT_BYTES_MAX + 1), "bytes at most")],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "requirements.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        settings(file).requirements_text()


def test_the_command_line_names_it_before_options_that_are_typed(tmp_path: Path) -> None:
    typed = ["app", "sum", "--requirements", str(tmp_path / "a.txt"), "-o", "application.port=7"]
    args = make_parser().parse_args(typed)
    note_project(args, None)
    assert args.option == [f"application.requirements={tmp_path / 'a.txt'}", "application.port=7"]
