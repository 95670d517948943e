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


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of a user without a home that may be written."""
    place = tmp_path / "temporary"
    place.mkdir(mode=0o1777)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(place))
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    return place


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o077])
def test_whatever_the_umask_nobody_else_can_write_what_is_made(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        place = user_folder("projects", tmp_path / "given", OPTION)
    finally:
        os.umask(before)
    for folder in (place, place.parent, tmp_path / "given"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make what is of another user")
def test_neither_a_link_nor_a_folder_that_another_user_has_put_above_it_is_used(
    temporary: Path, tmp_path: Path
) -> None:
    (tmp_path / "precious").mkdir(mode=0o700)
    planted = temporary / f"concurrent-{os.geteuid()}"
    planted.symlink_to(tmp_path / "precious")
    assert user_folder("projects", None, OPTION) == planted / "projects"  # it is of this user
    os.chown(planted, 65534, 65534, follow_symlinks=False)
    with pytest.raises(NodeError, match="is not of this user alone"):
        user_folder("projects", None, OPTION)
    planted.unlink()
    (planted / "projects").mkdir(mode=0o700, parents=True)
    os.chown(planted, 65534, 65534)
    with pytest.raises(NodeError, match="is not of this user alone"):
        user_folder("projects", None, OPTION)


def test_where_a_user_has_no_cache_it_is_among_temporary_files(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = temporary / f"concurrent-{os.geteuid()}" / "projects"
    assert user_folder("projects", None, OPTION) == expected
    monkeypatch.setenv("XDG_CACHE_HOME", "a/relative/path")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user that nobody knows
    assert user_folder("projects", None, OPTION) == expected
    assert not Path("~").exists()
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/dev/null")
    with pytest.raises(NodeError, match=r"there is no folder for projects: /dev/null/concurrent-"):
        user_folder("projects", None, OPTION)
