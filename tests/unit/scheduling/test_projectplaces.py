"""The projects of an application in a process that runs its code: which is there, and what is said of none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from concurrent.core.errors import ConcurrentError
from concurrent.scheduling.pickling.projectplaces import Projects
from concurrent.scheduling.pickling.spaces import Spaces
from concurrent.scheduling.projects.collecting import ProjectFile
from concurrent.scheduling.projects.packing import PackedProject, pack, remove_folder


@pytest.fixture
def projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Projects]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    projects = Projects(Spaces())
    yield projects
    projects.leave()
    remove_folder(str(cache))


def project(text: str) -> PackedProject:
    return pack([ProjectFile("text", text.encode())], f"/home/me/{text}")


def take(projects: Projects, index: int, packed: PackedProject, part_of: PackedProject | None = None) -> None:
    """Have a project come, with the part of another one if that is given."""
    projects.take(index, packed.blobs[0])
    projects.take(index + 1, (part_of or packed).blobs[1])
    projects.go_to(index)


def test_each_version_of_the_code_has_its_project(projects: Projects) -> None:
    for index, text in ((0, "first"), (2, "second")):
        take(projects, index, project(text))
    for version, text in ((0, "first"), (1, "first"), (5, "second"), (1, "first")):
        projects.go_to(version)
        projects.check()
        assert Path("text").read_text() == text


def test_what_kept_a_project_from_being_unpacked_is_said_of_that_one_alone(projects: Projects) -> None:
    take(projects, 0, project("first"), part_of=project("third"))
    with pytest.raises(ConcurrentError, match="it has another hash"):
        projects.check()
    take(projects, 2, project("second"))
    projects.check()
    assert Path("text").read_text() == "second"
    projects.go_to(1)
    with pytest.raises(ConcurrentError, match="it has another hash"):
        projects.check()


def test_a_folder_that_is_gone_is_said_and_looked_for_again(projects: Projects) -> None:
    take(projects, 0, project("first"))
    folder = os.getcwd()
    take(projects, 2, project("second"))
    os.rename(folder, f"{folder}-away")
    projects.go_to(0)
    with pytest.raises(ConcurrentError, match="is gone"):
        projects.check()
    os.rename(f"{folder}-away", folder)
    projects.go_to(0)
    projects.check()
    assert Path("text").read_text() == "first"
