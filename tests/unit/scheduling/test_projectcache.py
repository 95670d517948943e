"""Projects that are unpacked on a machine: each once, and the longest unused go first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from concurrent.core.errors import InvalidArguments, NodeError
from concurrent.scheduling.projects import cache
from concurrent.scheduling.projects.cache import ProjectCache
from concurrent.scheduling.projects.collecting import ProjectFile
from concurrent.scheduling.projects.packing import PackedProject, pack, remove_folder
from concurrent.scheduling.wire.projectblobs import part_data


def project(text: str, size_bytes: int = 1000) -> PackedProject:
    return pack([ProjectFile("main.py", text.encode().ljust(size_bytes))], "/home/me/shop")


def put(store: ProjectCache, packed: PackedProject) -> str:
    return store.unpack(packed.manifest, map(part_data, packed.blobs[1:]))


def fold(folder: Path) -> Path:
    return folder / f"user-{os.geteuid()}" / "projects"


def crash(*_: Any) -> None:
    raise OSError(28, "No space left on device")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "cache"
    remove_folder(str(tmp_path / "cache"))


def test_a_project_is_unpacked_once_for_all_slaves_of_a_user(folder: Path) -> None:
    one, other, packed = ProjectCache(folder), ProjectCache(folder), project("x")
    assert one.find(packed.manifest) == ""
    place = put(one, packed)
    assert other.find(packed.manifest) == place == one.find(packed.manifest)
    assert Path(place, "main.py").read_text().strip() == "x"
    one.close()
    other.close()


def test_a_cache_that_was_removed_is_made_anew(folder: Path) -> None:
    store, packed = ProjectCache(folder), project("x")
    put(store, packed)
    store.release(packed.manifest.digest)
    remove_folder(str(folder))
    assert store.find(packed.manifest) == ""
    assert Path(put(store, packed), "main.py").exists()
    store.close()


def test_two_who_unpack_the_same_do_no_harm(folder: Path) -> None:
    one, other, packed = ProjectCache(folder), ProjectCache(folder), project("x")
    assert one.find(packed.manifest) == other.find(packed.manifest) == ""
    assert put(one, packed) == put(other, packed)
    assert sorted(os.listdir(fold(folder))) == [packed.manifest.digest, f"{packed.manifest.digest}.lock"]
    one.close()
    other.close()


def test_a_manifest_does_not_say_how_large_what_is_there_already_is(folder: Path) -> None:
    store, packed = ProjectCache(folder, 1500), project("x")
    put(store, packed)
    store.close()
    assert store.find(packed.manifest._replace(size_bytes=0))
    store.close()
    put(store, project("y"))
    store.close()
    assert store.find(packed.manifest) == ""  # it has gone, since both were too much


def test_what_is_left_of_projects_that_never_came_goes(folder: Path) -> None:
    store, packed, waited_for = ProjectCache(folder), project("x"), project("y")
    assert store.find(packed.manifest) == store.find(waited_for.manifest) == ""
    place = put(store, project("z"))
    left = Path(place).with_name(packed.manifest.digest + cache.LOCK)
    os.utime(left, (1000, 1000))
    put(store, project("w"))
    assert not left.exists()
    assert left.with_name(waited_for.manifest.digest + cache.LOCK).exists()
    store.close()


def test_the_longest_unused_go_when_there_is_too_much_and_what_is_used_stays(folder: Path) -> None:
    store, other = ProjectCache(folder, 2500), ProjectCache(folder, 2500)
    first, second, third, fourth = map(project, "abcd")
    for age, packed in enumerate((first, second)):
        place = put(store, packed)
        os.utime(f"{place}.lock", (1000 + age, 1000 + age))
    store.release(second.manifest.digest)
    assert put(other, third)
    assert store.find(second.manifest) == ""  # the first is older, and used
    assert store.find(first.manifest)
    store.release(first.manifest.digest)
    put(other, fourth)
    assert ProjectCache(folder).find(first.manifest) == ""
    store.close()
    other.close()


def test_what_was_cut_when_the_machine_went_down_is_unpacked_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, packed, sound = ProjectCache(folder), project("x"), project("y")
    place = put(store, packed)
    put(store, sound)
    store.close()
    os.chmod(f"{place}/main.py", 0o600)
    Path(place, "main.py").write_bytes(b"")
    assert ProjectCache(folder).find(packed.manifest) == place  # nobody has changed it, as far as that is known
    monkeypatch.setattr(cache, "_boot_id", lambda: "another start")
    store = ProjectCache(folder)
    assert store.find(packed.manifest) == ""
    assert store.find(sound.manifest)
    put(store, packed)
    assert Path(place, "main.py").read_text().strip() == "x"
    store.close()


def test_what_a_crash_has_left_half_is_no_project_and_goes_some_day(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, packed = ProjectCache(folder), project("x")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", crash)
        with pytest.raises(NodeError, match="No space left on device"):
            put(store, packed)
    assert store.find(packed.manifest) == ""
    half = fold(folder) / f"{packed.manifest.digest}.new-000000"
    half.mkdir()
    os.utime(half, (1000, 1000))
    put(store, packed)
    assert not half.exists()
    store.close()


def test_what_is_not_what_it_says_is_not_kept(folder: Path) -> None:
    store, packed = ProjectCache(folder), project("x")
    with pytest.raises(InvalidArguments):
        store.unpack(packed.manifest, map(part_data, project("y").blobs[1:]))
    assert store.find(packed.manifest) == ""
    assert [name for name in os.listdir(fold(folder)) if not name.endswith(".lock")] == []
    store.close()


def test_what_was_unpacked_twice_or_in_vain_may_go_once_it_is_released(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, packed = ProjectCache(folder), project("x")
    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", crash)  # behind its lock
        with pytest.raises(NodeError, match="No space left on device"):
            put(store, packed)
    put(store, packed)
    put(store, packed)  # two programs have brought it at the same time
    store.release(packed.manifest.digest)
    other = ProjectCache(folder, bytes_max=1500)
    put(other, project("y"))
    assert ProjectCache(folder).find(packed.manifest) == ""
    other.close()
