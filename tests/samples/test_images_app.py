"""``concurrent app images`` in processes of their own: good images, faulty ones, and what a second run does."""

from __future__ import annotations

import io
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

PROGRAM = "import concurrent_framework, sys; sys.exit(concurrent_framework.main())"
OWN = Path(__file__).resolve().parents[2] / "samples" / "images"
WITHOUT = f"import sys; sys.modules['PIL'] = None; {PROGRAM}"

pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from concurrent.apps.samples.images.faults import FAULTS, make_folder  # noqa: E402
from concurrent.apps.samples.images.sheet import write_sheet  # noqa: E402
from concurrent.apps.samples.images.thumbnail import ThumbnailTask  # noqa: E402


def run(
    folder: Path, *options: str, program: str = PROGRAM, app: Sequence[str] = ("images",)
) -> subprocess.CompletedProcess[str]:
    """Run it with two workers, in a folder."""
    settings = [word for option in options for word in ("-o", f"images.{option}")]
    command = [sys.executable, "-c", program, "app", *app, "-w", "2", *settings]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def failures_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return the reasons of the report by the names of files."""
    return dict(re.findall(r"^  (\S+) +(.*)$", done.stdout, re.MULTILINE))


def some_images(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (40, 20), (number, 0, 0)).save(folder / f"{number}.png")
    return folder


def test_each_fault_costs_its_own_image_and_is_listed_with_its_reason(tmp_path: Path) -> None:
    done = run(tmp_path, "count=12", "timeout_s=5")
    assert done.returncode == 1, done.stderr
    assert "18 in images-to-try: 0 were done before" in done.stdout
    assert "12 now" in done.stdout
    failures = failures_of(done)
    assert set(failures) == set(FAULTS)
    assert failures["crashes.png"].startswith("WorkerDied: 2 workers died")
    assert "SIGSEGV" in failures["crashes.png"]
    assert failures["empty.png"] == "ValueError: the file is empty"
    assert failures["endless.png"] == "TaskTimeout: it ran for more than its limit of 5 s"
    assert failures["huge.png"].startswith("TaskOutOfMemory: it took ")
    assert failures["letter.png"] == "ValueError: it is no image, or of a kind that Pillow does not know"
    assert failures["truncated.png"] == "OSError: image file is truncated"
    for number in range(12):
        with Image.open(tmp_path / "thumbnails" / f"picture-{number:03}.png.png") as thumbnail:
            assert thumbnail.size == (96, 72)


def test_a_second_run_does_what_is_missing_or_has_changed_only(tmp_path: Path) -> None:
    folder = some_images(tmp_path / "mine", 6)
    (folder / "3.png").write_bytes(b"not yet whole")
    (folder / "notes.txt").write_text("no image, and none of our business")
    first = run(tmp_path, "folder=mine", "output=out")
    assert first.returncode == 1
    assert list(failures_of(first)) == ["3.png"]
    written = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png.png")}
    assert len(written) == 5

    Image.new("RGB", (40, 20)).save(folder / "3.png")
    os.utime(folder / "1.png", ns=(written["1.png.png"] + 1, written["1.png.png"] + 1))
    second = run(tmp_path, "folder=mine", "output=out")
    assert second.returncode == 0, second.stderr
    assert "6 in " in second.stdout
    assert "4 were done before" in second.stdout
    assert "2 now" in second.stdout
    again = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png.png")}
    assert {name for name in again if again[name] != written.get(name)} == {"1.png.png", "3.png.png"}

    third = run(tmp_path, "folder=mine", "output=out")
    assert third.returncode == 0
    assert "6 were done before" in third.stdout
    assert "0 now" in third.stdout


def test_a_file_beside_the_code_of_a_copy_travels_if_it_is_included(tmp_path: Path) -> None:
    some_images(tmp_path / "mine", 2)
    shutil.copytree(OWN, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    include = ("copy", "--include", "mark.png")
    assert "copy/mark.png" not in run(tmp_path, app=("copy", "--files")).stdout
    assert "copy/mark.png" in run(tmp_path, app=(*include, "--files")).stdout
    done = run(tmp_path, "folder=mine", app=include)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 now" in done.stdout


def test_an_empty_folder_is_done_at_once(tmp_path: Path) -> None:
    some_images(tmp_path / "mine", 0)
    done = run(tmp_path, "folder=mine")
    assert done.returncode == 0, done.stderr
    assert "0 in " in done.stdout


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (("folder=missing",), "Set [images] folder to a folder with images"),
        (("folder=mine", "output=mine"), "Set [images] output to another folder"),
        (("folder=mine", "output="), "Set [images] output to another folder"),
        (("folder=mine", "output=mine/0.png/below"), "Set [images] output to a folder that can be written"),
    ],
)
def test_folders_that_are_not_possible_are_refused(
    tmp_path: Path, options: tuple[str, ...], remedy: str
) -> None:
    some_images(tmp_path / "mine", 1)
    done = run(tmp_path, *options)
    assert done.returncode == 2
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == ["mine"]


def test_without_pillow_it_says_what_to_install(tmp_path: Path) -> None:
    done = run(tmp_path, program=WITHOUT)
    assert done.returncode == 2
    assert 'pip install "concurrent-framework[png]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_to_try_has_each_fault_and_images_that_differ(tmp_path: Path) -> None:
    make_folder(tmp_path / "it", 5)
    names = {path.name for path in (tmp_path / "it").iterdir()}
    assert names == {*FAULTS, *(f"picture-{number:03}.png" for number in range(5))}
    assert len({path.read_bytes() for path in (tmp_path / "it").glob("picture-*")}) == 5
    header = (tmp_path / "it" / "huge.png").read_bytes()[16:24]
    assert struct.unpack(">II", header) == (16_000, 16_000)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "CMYK"])
def test_images_of_all_kinds_become_thumbnails(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # the task takes the limit away
    data = io.BytesIO()
    Image.new(mode, (300, 100)).save(data, "TIFF")
    with Image.open(io.BytesIO(ThumbnailTask("it", data.getvalue(), 30)())) as thumbnail:
        assert thumbnail.size == (30, 10)


def test_the_sheet_has_a_cross_for_what_is_missing(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), "blue").save(tmp_path / "a.png")
    write_sheet(tmp_path / "sheet.png", [tmp_path / "a.png", tmp_path / "missing.png"], 20)
    with Image.open(tmp_path / "sheet.png") as sheet:
        colours = {colour for _count, colour in sheet.getcolors() or []}
    assert {(0, 0, 255), (204, 34, 34)} <= colours
