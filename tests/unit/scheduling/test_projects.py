"""What of a folder belongs to a project, and how it is packed and unpacked."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from concurrent.core.errors import ConfigurationError, InvalidArguments
from concurrent.scheduling.projects import collecting, packing
from concurrent.scheduling.projects.choosing import Rules
from concurrent.scheduling.projects.collecting import Collected, ProjectFile, collect
from concurrent.scheduling.projects.packing import PackedProject, digest_of_folder, pack, remove_folder, unpack
from concurrent.scheduling.wire.projectblobs import PART_BYTES, Manifest, is_manifest, is_part, part_data

MIB = 1 << 20


def write(folder: Path, *paths: str, data: bytes = b"x = 1\n") -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def paths_of(collected: Collected) -> list[str]:
    return [file.path for file in collected.files]


def left_of(collected: Collected) -> dict[str, str]:
    return {left.path: left.why for left in collected.left}


@pytest.mark.parametrize(
    ("pattern", "named", "others"),
    [
        ("tables/*.csv", ["tables/a.csv"], ["a.csv", "tables/old/a.csv", "more/tables/a.csv"]),
        ("./tables/*.csv", ["tables/a.csv"], ["a.csv"]),
        ("*.csv", ["a.csv", "tables/a.csv"], ["a.csv2"]),
        ("**/a.csv", ["a.csv", "tables/old/a.csv"], ["tables/ba.csv"]),
        ("tables/**/*.csv", ["tables/a.csv", "tables/old/a.csv"], ["a.csv"]),
        ("tables/", ["tables/a.csv", "tables/old/a.txt"], ["tables.csv"]),
        ("./", ["a.csv", "tables/a.csv"], []),
        ("old", ["tables/old/a.txt", "old"], ["older/a.txt"]),
        ("a?.[ct]sv", ["ab.csv", "ac.tsv"], ["a.csv", "ab.xsv"]),
        ("a[!b].csv", ["ac.csv"], ["ab.csv"]),
        ("a{1}.csv", ["a{1}.csv"], ["a.csv"]),
        ("a[.csv", ["a[.csv"], []),
    ],
)
def test_a_pattern_names_files_as_a_shell_does(pattern: str, named: list[str], others: list[str]) -> None:
    rules = Rules(include=[pattern])
    assert [path for path in [*named, *others] if not rules.why_not_file(path)] == named


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../other", "a/../../b", "", "[z-a]"])
def test_a_pattern_that_leads_out_of_the_folder_or_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="the pattern"):
        Rules(include=[pattern])


def test_modules_and_what_is_included_belong_to_it_and_what_is_excluded_does_not(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "shop/__init__.py", "shop/prices.py", "shop/prices.pyi", "old/main.py")
    write(tmp_path, "tables/prices.csv", "tables/notes.txt", "build/__init__.py")
    collected = collect(str(tmp_path), Rules(["tables/*.csv"], ["old"]), MIB)
    assert paths_of(collected) == [
        "build/__init__.py", "main.py", "shop/__init__.py", "shop/prices.py", "tables/prices.csv",
    ]  # fmt: skip
    assert left_of(collected) == {
        "old/": "it is excluded",
        "shop/prices.pyi": "it is no module, and nothing includes it",
        "tables/notes.txt": "it is no module, and nothing includes it",
    }
    assert collected.size_bytes == 30


def test_what_is_hidden_cached_installed_or_built_never_belongs_to_it(tmp_path: Path) -> None:
    write(tmp_path, "main.py", ".git/hook.py", ".env", "venv/pyvenv.cfg", "venv/lib/a.py", "__pycache__/a.py")
    write(
        tmp_path,
        "build/lib/a.py",
        "dist/a.py",
        "shop.egg-info/a.py",
        "node_modules/a.py",
        "env/conda-meta/a.py",
    )
    collected = collect(str(tmp_path), Rules(["**"]), MIB)
    assert paths_of(collected) == ["main.py"]
    assert left_of(collected) == {
        ".env": "it is hidden",
        ".git/": "it is hidden",
        "__pycache__/": "it is a cache",
        "build/": "it was built or installed",
        "dist/": "it was built or installed",
        "env/": "it is an environment",
        "node_modules/": "it is a cache",
        "shop.egg-info/": "it was built or installed",
        "venv/": "it is an environment",
    }


def test_links_are_followed_within_the_folder_only_and_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, "secret.py", "project/main.py", "project/shop/a.py")
    project = tmp_path / "project"
    (project / "out.py").symlink_to(tmp_path / "secret.py")
    (project / "inside.py").symlink_to("main.py")
    (project / "nothing.py").symlink_to("no such file")
    (project / "folder.py").symlink_to("shop")
    (project / "loop").symlink_to(".")
    os.mkfifo(project / "fifo.py")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(project / "sock.py"))
        collected = collect(str(project), Rules(), MIB)
    assert paths_of(collected) == ["inside.py", "main.py", "shop/a.py"]
    assert left_of(collected) == {
        "fifo.py": "it is no file",
        "folder.py": "it is a link to a folder",
        "loop": "it is no module, and nothing includes it",
        "nothing.py": "it is a link to nothing",
        "out.py": "it is a link out of the folder",
        "sock.py": "it is no file",
    }
    assert all(left.is_wanted for left in collected.left if left.path != "loop")


def test_odd_names_go_along_but_for_those_that_are_no_text(tmp_path: Path) -> None:
    odd = ["a\nb.py", "ä€😀.py", " .py", "a" * 240 + ".py", "-rf.py", "a\\b.py"]
    write(tmp_path, *odd)
    write(tmp_path, os.fsdecode(b"\xff\xfe.py"))
    collected = collect(str(tmp_path), Rules(), MIB)
    assert sorted(paths_of(collected)) == sorted(odd)
    assert list(left_of(collected).values()) == ["its name is no UTF-8"]
    unpacked(pack(collected.files, str(tmp_path)), tmp_path / "there")
    assert sorted(os.listdir(tmp_path / "there")) == sorted(odd)


def test_a_file_that_vanishes_changes_or_cannot_be_read_is_left_out_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "changes.py", "gone.py", "main.py")
    look = collecting._check_size

    def vanish(*args: object) -> None:
        look(*args)  # type: ignore[arg-type]
        (tmp_path / "gone.py").unlink()

    sizes = iter(range(100))

    def fstat(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("changes.py"):
            return os.stat_result([*status[:6], next(sizes), *status[7:10]])
        return status

    real = os.fstat
    monkeypatch.setattr(collecting, "_check_size", vanish)
    monkeypatch.setattr("os.fstat", fstat)
    collected = collect(str(tmp_path), Rules(), MIB)
    assert paths_of(collected) == ["main.py"]
    assert left_of(collected) == {"changes.py": "it changes while it is read", "gone.py": "it is gone"}


def test_a_file_that_has_grown_since_it_was_found_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "main.py")
    look = collecting._check_size

    def grow(*args: object) -> None:
        look(*args)  # type: ignore[arg-type]
        (tmp_path / "main.py").write_bytes(b"y = 100\n")

    monkeypatch.setattr(collecting, "_check_size", grow)
    assert collect(str(tmp_path), Rules(), MIB).files == [ProjectFile("main.py", b"y = 100\n")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "secret.py", "locked/a.py")
    (tmp_path / "secret.py").chmod(0)
    (tmp_path / "locked").chmod(0)
    collected = collect(str(tmp_path), Rules(), MIB)
    (tmp_path / "locked").chmod(0o700)
    assert paths_of(collected) == ["main.py"]
    assert set(left_of(collected)) == {"secret.py", "locked"}


def test_too_much_is_refused_with_the_largest_by_name(tmp_path: Path) -> None:
    write(tmp_path, "main.py")
    write(tmp_path, "tables/large.csv", data=bytes(3000))
    with pytest.raises(ConfigurationError) as caught:
        collect(str(tmp_path), Rules(["*.csv"]), 2000)
    assert "has 3 KiB, but at most 2 KiB go along; the largest: tables/large.csv 3 KiB, main.py 6 bytes" in str(
        caught.value
    )


def test_a_pattern_that_names_nothing_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "main.py")
    with pytest.raises(ConfigurationError, match=r"nothing in .* is included by 'tabels/\*\.csv'"):
        collect(str(tmp_path), Rules(["tabels/*.csv"]), MIB)


def test_a_folder_that_is_not_that_of_a_program_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "ENTRIES_MAX", 3)
    write(tmp_path, "a.py", "b/c.py", "b/d.py")
    with pytest.raises(ConfigurationError, match="more than 3 files and folders"):
        collect(str(tmp_path), Rules(), MIB)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        collect(str(tmp_path / "nothing"), Rules(), MIB)


def unpacked(project: PackedProject, folder: Path) -> None:
    unpack(project.manifest, map(part_data, project.blobs[1:]), str(folder))


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "there"
    remove_folder(str(tmp_path / "there"))


FILES = [
    ProjectFile("main.py", b"import shop\n"),
    ProjectFile("run.sh", b"#!/bin/sh\n", is_executable=True),
    ProjectFile("shop/__init__.py", b""),
    ProjectFile("tables/noise.bin", os.urandom(PART_BYTES + 1000)),
]


def test_a_project_is_unpacked_as_it_was_and_can_only_be_read(there: Path) -> None:
    project = pack(FILES, "/home/me/shop")
    assert is_manifest(project.blobs[0])
    assert Manifest.of(project.blobs[0]) == project.manifest
    assert project.manifest.parts == 2 == len([blob for blob in project.blobs if is_part(blob)])
    unpacked(project, there)
    assert {path: (there / path).read_bytes() for path, _, _ in FILES} == {
        file.path: file.data for file in FILES
    }
    assert [oct((there / path).stat().st_mode & 0o777) for path in ("", "shop", "main.py", "run.sh")] == [
        "0o555", "0o555", "0o444", "0o555",
    ]  # fmt: skip
    (there / "shop").chmod(0o700)
    write(there / "shop", "__pycache__/a.pyc")  # as workers of root do
    assert digest_of_folder(str(there)) == project.manifest.digest


def test_the_hash_is_that_of_the_content_wherever_it_is() -> None:
    digest = pack(FILES, "/home/me/shop").manifest.digest
    assert pack(FILES[::-1], "/elsewhere").manifest.digest == digest
    for other in (FILES[:-1], [*FILES[:-1], FILES[-1]._replace(path="noise.bin")], [FILES[0], *FILES[2:]]):
        assert pack(other, "/home/me/shop").manifest.digest != digest
    changed = [FILES[0], FILES[1]._replace(is_executable=False), *FILES[2:]]
    assert pack(changed, "/home/me/shop").manifest.digest != digest


def test_a_project_without_files_is_one(there: Path) -> None:
    unpacked(pack([], "/home/me/shop"), there)
    assert os.listdir(there) == []


@pytest.mark.parametrize(
    "path", ["../outside", "/outside", "shop/../../outside", "shop//a", ".", "..", "", "a\0b", "shop/"]
)
def test_no_path_leads_out_of_the_folder(there: Path, path: str) -> None:
    with pytest.raises(InvalidArguments, match="leads out of its folder"):
        unpacked(pack([ProjectFile(path, b"x")], "/"), there)
    assert not there.exists()
    assert os.listdir(there.parent) == []


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_two_files_in_one_place_are_refused(there: Path, paths: tuple[str, str]) -> None:
    with pytest.raises(InvalidArguments, match="is that of another file too"):
        unpacked(pack([ProjectFile(path, b"x") for path in paths], "/"), there)
    assert not there.exists()


def test_what_is_not_what_the_manifest_says_is_refused(there: Path) -> None:
    manifest, blobs, _ = pack(FILES, "/")
    parts = [part_data(blob) for blob in blobs[1:]]
    bomb = pack([ProjectFile("zeros", bytes(5 * MIB))], "/")
    wrong = {
        "it has another hash": (manifest._replace(digest="0" * 64), parts),
        "it is larger than was said": (bomb.manifest._replace(size_bytes=1000), [part_data(bomb.blobs[1])]),
        "it ends too soon": (manifest, parts[:1]),
        "there is something behind it": (manifest, [*parts, b"more"]),
        "it cannot be decompressed": (manifest, [b"nonsense"]),
    }
    for why, (said, came) in wrong.items():
        with pytest.raises(InvalidArguments, match=why):
            unpack(said, came, str(there))
        assert not there.exists()


@pytest.mark.parametrize(
    "path", ["a/" * collecting.STEPS_MAX + "a", "a" * (collecting.PATH_CHARS_MAX + 1), "a/" * 100_000 + "a"]
)
def test_what_has_a_long_path_neither_goes_nor_comes(there: Path, path: str) -> None:
    """A folder in a folder and so on could not even be removed."""
    with pytest.raises(InvalidArguments) as caught:
        unpacked(pack([ProjectFile(path, b"x")], "/"), there)
    assert len(str(caught.value)) < 300
    assert not there.exists()


def test_files_with_long_paths_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "STEPS_MAX", 4)
    write(tmp_path, "a.py", "b/c/d.py", "b/c/d/e.py")
    collected = collect(str(tmp_path), Rules(), MIB, "shop/")
    assert [file.path for file in collected.files] == ["shop/a.py", "shop/b/c/d.py"]
    assert [(left.path, left.why) for left in collected.left] == [("b/c/d/e.py", "its path is too long")]


@pytest.mark.parametrize("paths", [["a", "b", "c"], ["a/b/c/d"]])
def test_a_project_has_so_many_files_and_folders(
    there: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str]
) -> None:
    monkeypatch.setattr(packing, "FILES_MAX", 2)
    with pytest.raises(InvalidArguments, match="more than 2"):
        unpacked(pack([ProjectFile(path, b"x") for path in paths], "/"), there)
    assert not there.exists()


def test_a_program_is_told_of_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "FILES_MAX", 2)
    write(tmp_path, "a.py", "b.py", "c.py")
    with pytest.raises(ConfigurationError, match="3 files, but at most 2 go along"):
        collect(str(tmp_path), Rules(), MIB)


def test_no_file_is_made_of_what_is_not_what_its_manifest_says(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(packing.os, "mkdir", lambda path, mode: made.append(path))
    project = pack(FILES, "/")
    with pytest.raises(InvalidArguments, match="another hash"):
        unpack(project.manifest._replace(digest="0" * 64), map(part_data, project.blobs[1:]), str(there))
    assert not made


def test_a_list_of_files_takes_no_more_memory_than_it_is_long(there: Path) -> None:
    """As one object, this one would take a gigabyte."""
    import tracemalloc
    import zlib

    listed = b"\xdd" + packing.LENGTH.pack(15 * MIB) + b"\x80" * (15 * MIB)
    content = packing.LENGTH.pack(len(listed)) + listed
    tracemalloc.start()
    try:
        with pytest.raises(InvalidArguments, match="more than 20000 files"):
            unpack(Manifest("0" * 64, len(content), 1, "/"), [zlib.compress(content)], str(there))
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_bytes < 100 * MIB


def test_what_no_project_has_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    os.mkfifo(tmp_path / "endless")
    assert digest_of_folder(str(tmp_path)) == ""


@pytest.mark.parametrize(
    "listed",
    [
        b"\x91\x93\xa1a\x00\xc2\xc0",
        b"\x91\x93\xa1a\x00",
        b"\x91\x94\xa1a\x00\xc2\xc0",
        b"\xc1",
        b"\x01",
        b"\x91\x01",
        b"\x91\x93\xa1a\xff\xc2",
        b"\x91\x93\xa1a\xa1b\xc2",
    ],
)
def test_a_list_of_files_that_makes_no_sense_is_refused(there: Path, listed: bytes) -> None:
    import zlib

    content = packing.LENGTH.pack(len(listed)) + listed
    with pytest.raises(InvalidArguments, match="its list cannot be read"):
        unpack(Manifest("0" * 64, len(content), 1, "/"), [zlib.compress(content)], str(there))


@pytest.mark.parametrize(
    "blob",
    [
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\xc1",
        Manifest("0" * 63, 1, 1, "/").blob(),
        Manifest("../" + "0" * 61, 1, 1, "/").blob(),
        Manifest("0" * 64, -1, 1, "/").blob(),
        Manifest("0" * 64, 2 << 30, 1, "/").blob(),
        Manifest("0" * 64, 1, "1", "/").blob(),  # type: ignore[arg-type]
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(blob: bytes) -> None:
    with pytest.raises(InvalidArguments, match="no manifest"):
        Manifest.of(blob)
