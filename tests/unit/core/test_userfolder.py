"""Folders that are of one user alone, with what is above them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from concurrent.core.errors import NodeError
from concurrent.core.userfolder import user_folder

OPTION = "slave.project_folder"


def test_a_folder_that_is_configured_has_one_of_each_user(tmp_path: Path) -> None:
    place = user_folder("projects", tmp_path, OPTION)
    assert place == tmp_path / f"user-{os.geteuid()}" / "projects"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (place, place.parent)] == [0o700, 0o700]
    assert user_folder("projects", tmp_path, OPTION) == place
    assert user_folder("environments", tmp_path, OPTION) == place.with_name("environments")


def test_who_may_write_it_or_the_one_above_could_change_what_is_run(tmp_path: Path) -> None:
    place = user_folder("projects", tmp_path, OPTION)
    for folder in (place, place.parent):
        folder.chmod(0o777)
        with pytest.raises(NodeError, match=f"{folder} is not of this user alone") as info:
            user_folder("projects", tmp_path, OPTION)
        assert OPTION in str(info.value)
        folder.chmod(0o700)


def test_one_that_another_user_has_made_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user-12345").mkdir()
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(NodeError, match="is not of this user alone"):
        user_folder("projects", tmp_path, OPTION)


def test_where_a_user_has_no_cache_it_is_among_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    place = user_folder("projects", None, OPTION)
    assert place == tmp_path / "temporary" / f"concurrent-{os.geteuid()}" / "projects"
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    with pytest.raises(NodeError, match=r"there is no folder for projects: .*file.*; .*file"):
        user_folder("projects", None, OPTION)
