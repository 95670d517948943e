"""Makes thumbnails of a folder of images; faulty ones end their own task only, and are listed at the end.

``concurrent app images`` runs it, on a folder that it makes to try. ``thumbnail.py`` has what is done with one
image. A second run does what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from concurrent.apps import ApplicationNode
from concurrent.apps.samples.shared.layout import line
from concurrent.core import ConfigItem, FloatItem, IntItem, PathItem
from concurrent.core.errors import ConcurrentError, ConfigurationError
from concurrent.scheduling import Task

from .thumbnail import ThumbnailTask

__all__ = ["Images"]

SECTION = "images"
TO_TRY = Path("images-to-try")
SHEET = "contact-sheet.png"
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


class Images(ApplicationNode):
    """Makes thumbnails and a contact sheet of the images in a folder."""

    folder = PathItem(SECTION, "folder", "", "The folder with images; nothing: one is made, to try it.")
    output = PathItem(SECTION, "output", "thumbnails", "The folder to write to.")
    side = IntItem(SECTION, "side", 96, "Of the square that a thumbnail fits into.", minimum=8, unit="pixels")
    timeout_s = FloatItem(SECTION, "timeout_s", 5.0, "How long an image may take.", minimum=0.1, unit="seconds")
    memory = ConfigItem(SECTION, "memory", "200MiB", "How much memory the worker of an image may take.")
    count = IntItem(SECTION, "count", 42, "How many good images the folder to try has.", minimum=1)

    def app_init(self) -> None:
        """Look what there is to do.

        :raises ConfigurationError: if Pillow is not installed, or the folders are not possible.
        """
        try:
            from . import faults, sheet
        except ImportError as error:
            raise ConfigurationError(
                f"the sample images needs Pillow, and {error.name} cannot be imported",
                thing="Pillow",
                value=error.name,
                remedy='Install it here, and where slaves are: pip install "concurrent-framework[png]"',
            ) from error
        self.faults, self.sheet = faults, sheet
        self.failed: dict[str, str] = {}
        self.made = 0
        self.source, self.target = self.folders()
        self.images = sorted(path for path in self.source.iterdir() if path.suffix.lower() in SUFFIXES)
        self.missing = [path for path in self.images if not is_newer(self.thumbnail_of(path.name), path)]

    def folders(self) -> tuple[Path, Path]:
        """Return the folder with images, which may have to be made, and that for thumbnails.

        :raises ConfigurationError: if there is no such folder, or it is the same one.
        """
        source, target = self.folder or TO_TRY, self.output
        try:
            if self.folder is None and not source.exists():
                self.faults.make_folder(source, self.count)
            if not source.is_dir():
                raise refused("folder", source, "there is no such folder", "a folder with images")
            if target is None or source.resolve() == target.resolve():
                raise refused("output", target, "thumbnails need a folder of their own", "another folder")
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refused("output", target, error.strerror or "", "a folder that can be written") from None
        return source, target

    def start_processing(self) -> None:
        """Push a task for each image that has no thumbnail; each may take so long and so much memory."""
        self.push_tasks(self.tasks(), timeout_s=self.timeout_s, resources={"memory": self.memory})

    def tasks(self) -> Iterator[ThumbnailTask]:
        """Make the tasks, one after the other: so there are never many files in memory."""
        for path in self.missing:
            try:
                data = path.read_bytes()
            except OSError as error:
                self.failed[path.name] = f"cannot be read: {error.strerror}"
                continue
            yield ThumbnailTask(path.name, data, self.side)

    def task_finished(self, task: Task, result: bytes, error: BaseException | None) -> None:
        """Write a thumbnail, whole or not at all; or note why there is none."""
        if error is not None:
            text = error.message if isinstance(error, ConcurrentError) else str(error)
            self.failed[task.name] = f"{type(error).__name__}: {text}"
        else:
            try:
                write_whole(self.thumbnail_of(task.name), result)
                self.made += 1
            except OSError as problem:
                self.failed[task.name] = f"its thumbnail cannot be written: {problem.strerror}"
        self.progress(self.made + len(self.failed), len(self.missing))

    def work_finished(self, result: None, task_system: None) -> None:
        """Say what was done and what was not; the exit code is 1 if an image has no thumbnail."""
        thumbnails = [self.thumbnail_of(path.name) for path in self.images]
        self.sheet.write_sheet(self.target / SHEET, thumbnails, self.side)
        before = len(self.images) - len(self.missing)
        width = max(map(len, self.failed), default=0)
        print(line("images", f"{len(self.images)} in {self.source}: {before} were done before"))
        print(line("done", f"{self.made} now, in {self.target}, all of them in {SHEET}"))
        print(line("failed", str(len(self.failed))))
        for name, reason in sorted(self.failed.items()):
            print(f"  {name:<{width}}  {reason}")
        self.shutdown_main_loop(1 if self.failed else 0)

    def thumbnail_of(self, name: str) -> Path:
        """Return where the thumbnail of an image is, or shall be."""
        return self.target / f"{name}.png"


def refused(option: str, value: Path | None, problem: str, wanted: str) -> ConfigurationError:
    """Return the error for a folder that is not possible."""
    return ConfigurationError(
        f"{value or 'nothing'}: {problem}",
        thing=f"{SECTION}.{option}",
        value=str(value or ""),
        remedy=f"Set [{SECTION}] {option} to {wanted}",
    )


def is_newer(target: Path, source: Path) -> bool:
    """Return whether something was made, and after what it was made from."""
    return target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all.

    :raises OSError: if it cannot be written.
    """
    half = path.with_suffix(".half")
    half.write_bytes(data)
    os.replace(half, path)
